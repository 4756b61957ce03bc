r"""How a dialect spells JSON: separators, key order, escapes, numbers, what becomes of NaN.

Values are first made plain (dataclasses, structs, datetimes, enums, ... as msgspec has them), then spelled. A line
end never appears inside of the result, so that a payload is one ``data`` line, and neither does a lone surrogate,
which UTF-8 cannot carry.

The profiles follow what wrote these payloads first, down to the numbers:

- JavaScript's ``JSON.stringify``: ``1.0`` is ``1`` and ``1e16`` is ``10000000000000000`` (ECMA-262,
  Number::toString); NaN and the infinities are ``null``; lone surrogates are escaped, ``\ud800``.
- Go's ``encoding/json``: keys are sorted; ``<``, ``>``, ``&``, U+2028 and U+2029 are escaped; numbers are as in
  JavaScript; what is no Unicode becomes U+FFFD, escaped. Backspace and form feed are ``\b`` and ``\f``, as every
  supported Go writes them (Go before 1.22 wrote ``\u0008`` and ``\u000c``).
- Python's ``json.dumps(ensure_ascii=False)``: a space after ``,`` and ``:``; numbers as ``repr`` has them.

Where a value is plain already, encoders written in C do it all, if their spelling is the profile's.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, Literal

import msgspec

from ._json_speller import Speller
from ._json_values import Shallow, is_easy, to_plain, too_deep, with_ints

__all__ = ["COMPACT", "GO", "SPACED", "JSONProfile", "compact_at_length", "compact_at_once", "pretty"]

_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_PAIRS: Final = re.compile("[\ud800-\udbff][\udc00-\udfff]")
# encoding/json escapes these so that JSON can stand inside of HTML and old JavaScript.
_HTML: Final = re.compile("[<>&\u2028\u2029]")

_POINT: Final = ord(".")
_MINUS: Final = ord("-")

_compact: Final = msgspec.json.Encoder()
_encode: Final = _compact.encode
_validate: Final = msgspec.convert
# A shape that is refused, a type that msgspec does not know, a lone surrogate, a cycle.
_NOT_AT_ONCE: Final = (msgspec.MsgspecError, TypeError, ValueError, RecursionError)
_sorted: Final = msgspec.json.Encoder(order="sorted")
# For values that cannot be circular, and have neither NaN nor keys that are no strings.
_spaced: Final = json.JSONEncoder(ensure_ascii=False, check_circular=False)
_spaced_sorted: Final = json.JSONEncoder(ensure_ascii=False, check_circular=False, sort_keys=True)


class JSONProfile(msgspec.Struct, frozen=True):
    r"""One way to spell JSON.

    >>> COMPACT.dumps({"b": 1.0, "a": "<é>"}), SPACED.dumps({"b": 1.0}), GO.dumps({"b": 1.0, "a": "<é>"})
    ('{"b":1,"a":"<é>"}', '{"b": 1.0}', '{"a":"\\u003cé\\u003e","b":1}')

    Attributes:
        spaced: Whether a space follows ``,`` and ``:`` (Python's habit) or not (JavaScript's and Go's).
        sort_keys: Whether keys are sorted, as Go sorts the keys of a map.
        html_safe: Whether ``<``, ``>``, ``&``, U+2028 and U+2029 are escaped, as Go does.
        nan: What becomes of NaN and the infinities, which JSON lacks: ``"null"`` (JavaScript) or ``"error"``.
        floats: Whose numbers: ``1.0`` is ``1`` in JavaScript and in Go, ``-0.0`` is ``0`` in JavaScript only.
        surrogates: Whether lone surrogates are escaped or replaced by an escaped U+FFFD, as Go does.
        indent: How many spaces a level is indented by, or ``None`` for all in one line.
    """

    spaced: bool = False
    sort_keys: bool = False
    html_safe: bool = False
    nan: Literal["null", "error"] = "error"
    floats: Literal["javascript", "go", "python"] = "javascript"
    surrogates: Literal["escape", "replace"] = "escape"
    indent: int | None = None

    def dumps(self, value: Any) -> str:
        """Spells a value.

        Raises:
            InvalidItem: It has no JSON: NaN where that is an error, a cycle, nesting deeper than 500, a key that
                is no string, an int of more digits than Python writes, a type that msgspec does not know.
        """
        if type(value) is str:
            # The usual value, the shortest way: all profiles escape the same characters, or some more at the end.
            try:
                text = _compact.encode(value).decode()
            except ValueError:
                text = self._spell(value)
            return _HTML.sub(_escape, text) if self.html_safe else text
        if self is COMPACT and (spelled := compact_at_once(value)) is not None:
            return spelled.decode()
        return self._at_length(value)

    def _at_length(self, value: Any) -> str:
        try:
            easy = is_easy(value)
            if not easy:
                value = to_plain(value)
                if self.floats != "python":
                    value = with_ints(value)
                easy = is_easy(value)
            text = self._encode(value) if easy and self.indent is None else self._spell(value)
        except RecursionError as exc:
            # It was not too deep in itself, but on top of the stack that there is.
            raise too_deep() from exc
        return _HTML.sub(_escape, text) if self.html_safe else text

    def _encode(self, value: Any) -> str:
        try:
            if not self.spaced:
                return (_sorted if self.sort_keys else _compact).encode(value).decode()
            text = (_spaced_sorted if self.sort_keys else _spaced).encode(value)
        except ValueError:
            # A lone surrogate, or an int of very many digits: the speller knows what to do, and what to say.
            return self._spell(value)
        return _without_surrogates(text, self.surrogates)

    def _spell(self, value: Any) -> str:
        return _without_surrogates(Speller(self).spell(value), self.surrogates)


COMPACT: Final = JSONProfile(nan="null")
"""JavaScript's ``JSON.stringify``."""

SPACED: Final = JSONProfile(spaced=True, floats="python")
"""Python's ``json.dumps``, in raw UTF-8."""

GO: Final = JSONProfile(sort_keys=True, html_safe=True, floats="go", surrogates="replace")
"""Go's ``encoding/json``."""


def compact_at_once(value: Any) -> bytes | None:
    """Spells a usual value as `COMPACT` does, all in C; ``None`` for one that must go the long way.

    msgspec spells as JavaScript does, but for keys that are no strings, whole floats, very small and very large
    ones, and those that are no numbers. Whether a value has one of these is asked of msgspec's own validation,
    which refuses the keys, the large ones and NaN, and of the text: ``.0`` is in each whole float, ``e-`` in each
    very small one. In a string they do no harm; a value with such a string goes the long way.
    """
    try:
        _validate((value,), Shallow)
        text = _encode(value)
    except _NOT_AT_ONCE:
        return None
    # One character is found much faster than two, and most texts have neither.
    if (_POINT not in text or b".0" not in text) and (_MINUS not in text or b"e-" not in text):
        return text
    return None


compact_at_length: Final = COMPACT._at_length
"""Spells any value as `COMPACT` does, where `compact_at_once` does not; it raises as ``dumps`` does."""

_PRETTY: Final = JSONProfile(nan="null", indent=2)


def pretty(value: Any) -> str:
    """Spells a value with an indent of two, as ``JSON.stringify(value, null, 2)`` does.

    Raises:
        InvalidItem: As `JSONProfile.dumps`.
    """
    return _PRETTY.dumps(value)


def _without_surrogates(text: str, how: Literal["escape", "replace"]) -> str:
    if text.isascii() or not _SURROGATES.search(text):
        return text
    # Two halves side by side are one character to whoever counts in UTF-16.
    text = _PAIRS.sub(lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), text)
    if how == "replace":
        return _SURROGATES.sub(r"\\ufffd", text)
    return _SURROGATES.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
