"""``Accept``, read by the grammar of RFC 9110, section 12.5.1: in linear time, and never with an error.

Elements that the grammar does not have are skipped. Two choices are ours:

1. A weight may lack its leading zero: ``java.net.HttpURLConnection`` has sent ``*/*; q=.2`` for decades.
2. A range that is given twice has the higher of its weights, so that the order of a list never matters.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple, TypeAlias

from ._values import ANY_TYPE, EVENT_STREAM

__all__ = ["Match", "MediaRanges", "parse_accept"]

# RFC 9110, sections 5.6.2 and 5.6.4. Text outside of Latin-1 cannot come from a header, and harms nobody.
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_QUOTED: Final = re.compile(r'"(?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[^\x00-\x08\x0a-\x1f\x7f])*"')
_QUOTED_PAIR: Final = re.compile(r"\\(.)")
_WEIGHT: Final = re.compile(r"0(?:\.[0-9]{0,3})?|\.[0-9]{1,3}|1(?:\.0{0,3})?")
_COMMA: Final = re.compile(r'[",\\]')
_SEMICOLON: Final = re.compile(r'[";\\]')
_EVENT_STREAM: Final = tuple(EVENT_STREAM.split("/"))

_Key: TypeAlias = tuple[str, str, str | None]


class Match(NamedTuple):
    """How well a media type is accepted; the larger, the better.

    Attributes:
        weight: ``q`` in thousandths, 1 to 1000.
        specificity: How exactly the type is named: from 0 (``*/*``) to 5 (``type/subtype;dialect=name``).
    """

    weight: int
    specificity: int


class MediaRanges:
    """The media ranges of one ``Accept``.

    Args:
        weights: For each ``(type, subtype, dialect or None)`` its weight in thousandths.
    """

    def __init__(self, weights: dict[_Key, int]) -> None:
        self._weights = weights

    def __bool__(self) -> bool:
        return bool(self._weights)

    def match(self, media_type: str, dialect: str, *, by_name: bool) -> Match | None:
        """Returns how the most specific range that matches a type of a dialect weighs it.

        A range that names another dialect does not match.

        Args:
            media_type: The type that is offered.
            dialect: The name of the dialect that it is offered by.
            by_name: Whether only a range that names this dialect counts.

        Returns:
            ``None`` where no range matches, or the one that does excludes it (``q=0``).
        """
        if media_type == ANY_TYPE:
            return self._match_any(dialect, by_name=by_name)
        main, _, sub = media_type.partition("/")
        specificity = 5
        for kind in ((main, sub), (main, "*"), ("*", "*")):
            for name in (dialect, None):
                if name is not None or not by_name:
                    weight = self._weights.get((*kind, name))
                    if weight is not None:
                        return Match(weight, specificity) if weight else None
                specificity -= 1
        return None

    def _match_any(self, dialect: str, *, by_name: bool) -> Match | None:
        # The type is not known yet: it may be anything that the client takes, but for an event stream.
        names = (dialect,) if by_name else (dialect, None)
        weights = (
            weight
            for (main, sub, name), weight in self._weights.items()
            if name in names and (main, sub) != _EVENT_STREAM
        )
        best = max(weights, default=0)
        return Match(best, 0) if best else None


def parse_accept(accept: str | None) -> MediaRanges:
    """Reads the value of ``Accept``; there are no ranges where there is none, or none in it makes sense."""
    weights: dict[_Key, int] = {}
    for element in _split(accept or "", ",", _COMMA):
        parsed = _parse_element(element)
        if parsed is not None:
            key, weight = parsed
            weights[key] = max(weight, weights.get(key, 0))
    return MediaRanges(weights)


def _parse_element(element: str) -> tuple[_Key, int] | None:
    first, *parameters = _split(element, ";", _SEMICOLON)
    main, slash, sub = first.strip(" \t").partition("/")
    if not slash or not _TOKEN.fullmatch(main) or not _TOKEN.fullmatch(sub) or (main == "*" and sub != "*"):
        return None
    found: dict[str, str] = {}
    for parameter in parameters:
        stripped = parameter.strip(" \t")
        # Section 5.6.6 lets a parameter be empty: "text/html;;q=1".
        if stripped and not _read_parameter(stripped, found):
            return None
    weight = found.get("q", "1")
    if not _WEIGHT.fullmatch(weight):
        return None
    dialect = found.get("dialect")
    key = (main.lower(), sub.lower(), None if dialect is None else dialect.lower())
    return key, round(float(weight) * 1000)


def _read_parameter(parameter: str, found: dict[str, str]) -> bool:
    name, _, value = parameter.partition("=")
    name = name.lower()
    if not _TOKEN.fullmatch(name):
        return False
    if _TOKEN.fullmatch(value):
        pass
    elif name != "q" and _QUOTED.fullmatch(value):
        value = _QUOTED_PAIR.sub(r"\1", value[1:-1])
    else:
        return False
    if name in ("q", "dialect"):
        if name in found:
            return False
        found[name] = value
    return True


def _split(text: str, separator: str, stops: re.Pattern[str]) -> list[str]:
    # A separator inside of a quoted string is text. Where a quote is never closed, the rest is one piece.
    if '"' not in text:
        return text.split(separator)
    pieces: list[str] = []
    start = 0
    quoted = False
    escaped = -1
    for stop in stops.finditer(text):
        at = stop.start()
        if at == escaped:
            continue
        if text[at] == '"':
            quoted = not quoted
        elif text[at] == "\\":
            escaped = at + 1 if quoted else -1
        elif not quoted:
            pieces.append(text[start:at])
            start = at + 1
    pieces.append(text[start:])
    return pieces
