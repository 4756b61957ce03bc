"""How a dialect spells JSON: separators, key order, escapes, what becomes of NaN.

Values are first made plain by msgspec (dataclasses, structs, datetimes, enums, ...), then spelled. A line end never
appears inside the result, so that a payload is one ``data`` line, and neither does a lone surrogate: it is escaped
as JavaScript does it, because UTF-8 cannot carry it.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, Literal

import msgspec

__all__ = ["COMPACT", "GO", "SPACED", "JSONProfile", "pretty"]

_SURROGATES: Final = re.compile(r"[\ud800-\udfff]")
# encoding/json escapes these so that JSON can stand inside of HTML and old JavaScript.
_GO_ESCAPES: Final = str.maketrans({c: f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"})


class JSONProfile(msgspec.Struct, frozen=True):
    """One way to spell JSON.

    Attributes:
        spaced: Whether a space follows ``,`` and ``:`` (Python's habit) or not (JavaScript's and Go's).
        sort_keys: Whether keys are sorted, as Go sorts the keys of a map.
        html_safe: Whether ``<``, ``>``, ``&``, U+2028 and U+2029 are escaped, as Go does.
        nan: What becomes of NaN and the infinities, which JSON lacks: ``"null"`` (JavaScript) or ``"error"``.
    """

    spaced: bool = False
    sort_keys: bool = False
    html_safe: bool = False
    nan: Literal["null", "error"] = "error"

    def dumps(self, value: Any) -> str:
        """Spells a value.

        Raises:
            InvalidItem: It has no JSON: NaN where that is an error, a cycle, a key that is no string, a type
                that msgspec does not know, or nesting deeper than the interpreter's stack.
        """
        if self.is_plain and (text := _fast(value)) is not None:
            return text
        return self._spell(_plain(value))

    @property
    def is_plain(self) -> bool:
        """Whether msgspec's own spelling is this profile's (but for NaN and surrogates)."""
        return not (self.spaced or self.sort_keys or self.html_safe)

    def _spell(self, value: Any) -> str:
        if self.nan == "null":
            value = _without_nan(value)
        try:
            text = json.dumps(
                value,
                ensure_ascii=False,
                allow_nan=False,
                sort_keys=self.sort_keys,
                separators=(", ", ": ") if self.spaced else (",", ":"),
            )
        except (ValueError, TypeError, RecursionError) as exc:
            raise _no_json(exc) from exc
        if self.html_safe:
            text = text.translate(_GO_ESCAPES)
        return escape_surrogates(text)


COMPACT: Final = JSONProfile(nan="null")
SPACED: Final = JSONProfile(spaced=True)
GO: Final = JSONProfile(sort_keys=True, html_safe=True)


def pretty(value: Any) -> str:
    """Spells a value with an indent of two, as ``JSON.stringify(value, null, 2)`` does."""
    try:
        return escape_surrogates(json.dumps(_plain(value), ensure_ascii=False, allow_nan=False, indent=2))
    except (ValueError, TypeError, RecursionError) as exc:
        raise _no_json(exc) from exc


def escape_surrogates(text: str) -> str:
    r"""Escapes lone surrogates in JSON text: ``\ud800`` as six characters, as JavaScript has it."""
    if text.isascii() or not _SURROGATES.search(text):
        return text
    return _SURROGATES.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
