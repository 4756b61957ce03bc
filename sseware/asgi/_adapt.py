"""Which answers of an existing application can become a stream, as the option ``adapt`` says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import msgspec

from .._types import Message
from ..dialects import Dialect, default_registry
from ..errors import ConfigurationError
from ..wire import content_type_essence
from ._adapt_bodies import BodyReader, EventsBody, LinesBody, TextBody
from ._settings import Settings

__all__ = ["Adapt", "Adapter", "Way"]

Adapt: TypeAlias = bool | Mapping[str, bool | str | Dialect]
"""Whether answers are adapted; or more exactly, by media type: whether, or which dialect its event streams speak."""

_EVENTS: Final = "text/event-stream"
_BODIES: Final[Mapping[str, Callable[[], BodyReader]]] = {
    "text/plain": TextBody,
    "application/x-ndjson": LinesBody,
    "application/jsonl": LinesBody,
}

# One who sets these means the very bytes that he sends: compressed, framed by himself, or known by a tag.
_KEPT_AS_IT_IS: Final = frozenset((b"content-encoding", b"transfer-encoding", b"etag"))

_REMEMBERED: Final = 256
"""How many values of Content-Type are remembered; an application has a handful."""

_CHARSET: Final = re.compile(r';\s*charset\s*=\s*"?([^";\s]*)', re.IGNORECASE)
_UTF8: Final = frozenset(("utf-8", "utf8", "us-ascii", "ascii"))


class Way(msgspec.Struct, frozen=True):
    """How bodies of one media type are read.

    Attributes:
        media_type: The type.
        source: The dialect that they speak, where they are event streams.
    """

    media_type: str
    source: Dialect | None = None

    def open(self) -> BodyReader:
        """Returns the reader of one body."""
        return _BODIES[self.media_type]() if self.source is None else EventsBody(self.source)


class Adapter:
    """Finds the answers that can be adapted.

    Args:
        adapt: The option. What a mapping does not name is as with ``True``.
        settings: Where a dialect's name is looked up.

    Raises:
        ConfigurationError: A type cannot be taken, or not so.
    """

    def __init__(self, adapt: Adapt, settings: Settings) -> None:
        if not isinstance(adapt, bool | Mapping):
            raise ConfigurationError(
                f"adapt must be a bool, or a mapping such as {{{_EVENTS!r}: 'ash'}}, got {adapt!r}"
            )
        ways = {media_type: Way(media_type) for media_type in _BODIES}
        for media_type, how in ({} if isinstance(adapt, bool) else adapt).items():
            way = _way(media_type, how, settings)
            ways.pop(media_type, None)
            if way is not None:
                ways[media_type] = way
        self._ways = ways
        self._known: dict[bytes, Way | None] = {}

    def way_for(self, start: Message) -> Way | None:
        """Returns how the body of an answer with status 200 can be read, or ``None`` where it passes as it is."""
        way = None
        for name, value in start.get("headers", ()):
            if len(name) == 12 and name.lower() == b"content-type":
                known = self._known
                way = known[value] if value in known else self._look_up(value)
                break
        if way is None or start.get("trailers", False):
            return None
        return None if any(name.lower() in _KEPT_AS_IT_IS for name, _ in start["headers"]) else way

    def _look_up(self, content_type: bytes) -> Way | None:
        text = content_type.decode("latin-1")
        way = self._ways.get(content_type_essence(text) or "")
        charset = _CHARSET.search(text)
        if charset is not None and charset[1].lower() not in _UTF8:
            way = None
        if len(self._known) < _REMEMBERED:
            self._known[bytes(content_type)] = way
        return way


def _way(media_type: object, how: Any, settings: Settings) -> Way | None:
    if media_type == _EVENTS:
        if how is False:
            return None
        if how is True:
            raise ConfigurationError(
                f"adapt must name the dialect that {_EVENTS} speaks, such as {{{_EVENTS!r}: 'ash'}}, got True"
            )
        return Way(_EVENTS, (settings.registry or default_registry()).get(how))
    if not isinstance(media_type, str) or media_type not in _BODIES:
        known = ", ".join((*_BODIES, _EVENTS))
        raise ConfigurationError(f"adapt cannot take {media_type!r}; it can take: {known}")
    if not isinstance(how, bool):
        raise ConfigurationError(f"adapt[{media_type!r}] must be True or False, got {how!r}")
    return Way(media_type) if how else None
