"""JSON in Python, for what the encoders in C spell otherwise: numbers, indents, surrogates; and for its errors."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Iterable
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any, Literal, Protocol

from ..errors import InvalidItem
from ._json_values import MAX_DEPTH, too_deep

__all__ = ["HowToSpell", "Speller"]


class HowToSpell(Protocol):
    """What a speller must know; `sseware.dialects.JSONProfile` says what each means."""

    @property
    def spaced(self) -> bool: ...
    @property
    def sort_keys(self) -> bool: ...
    @property
    def nan(self) -> Literal["null", "error"]: ...
    @property
    def floats(self) -> Literal["javascript", "go", "python"]: ...
    @property
    def indent(self) -> int | None: ...


class Speller:
    """Spells plain values.

    Args:
        how: The profile.
    """

    def __init__(self, how: HowToSpell) -> None:
        self._how = how
        self._indent = how.indent
        self._comma = ", " if how.spaced else ","
        self._colon = ": " if how.spaced or how.indent is not None else ":"

    def spell(self, value: Any) -> str:
        """Spells a value.

        Raises:
            InvalidItem: It has no JSON.
        """
        return self._spell(value, 0)

    def _spell(self, value: Any, level: int) -> str:
        if isinstance(value, str):
            return encode_basestring(value)
        if value is None:
            return "null"
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int):
            return _int(value)
        if isinstance(value, float):
            return self._float(value)
        if level == MAX_DEPTH:
            raise too_deep()
        # Loops, not comprehensions: those are a frame of their own on Python 3.11.
        members = []
        if isinstance(value, dict):
            for key, member in self._members(value):
                members.append(f"{encode_basestring(key)}{self._colon}{self._spell(member, level + 1)}")
            return self._wrap("{}", members, level)
        for member in value:
            members.append(self._spell(member, level + 1))  # noqa: PERF401
        return self._wrap("[]", members, level)

    def _members(self, value: dict[Any, Any]) -> Iterable[tuple[str, Any]]:
        for key in value:
            if not isinstance(key, str):
                raise InvalidItem(
                    f"a key of a JSON object must be a str, got {reprlib.repr(key)} ({type(key).__name__}): "
                    "write str(key)"
                )
        return sorted(value.items()) if self._how.sort_keys else value.items()

    def _wrap(self, brackets: str, members: list[str], level: int) -> str:
        if self._indent is None or not members:
            return f"{brackets[0]}{self._comma.join(members)}{brackets[1]}"
        outer = "\n" + " " * (self._indent * level)
        inner = outer + " " * self._indent
        return f"{brackets[0]}{inner}{f',{inner}'.join(members)}{outer}{brackets[1]}"

    def _float(self, value: float) -> str:
        if not math.isfinite(value):
            if self._how.nan == "null":
                return "null"
            raise InvalidItem(f"JSON has no {value!r}: yield None, a str, or a finite number")
        if self._how.floats == "python":
            return repr(value)
        return _ecmascript(value, minus_zero="-0" if self._how.floats == "go" else "0")


def _int(value: int) -> str:
    try:
        return repr(value)
    except ValueError as exc:
        raise InvalidItem(
            f"an int of {value.bit_length()} bits has too many digits: {exc}; or yield it as a str, hex(value)"
        ) from exc


def _ecmascript(value: float, *, minus_zero: str) -> str:
    """Spells a finite number by ECMA-262, Number::toString; Go does likewise, but for minus zero."""
    if value == 0:
        return minus_zero if math.copysign(1, value) < 0 else "0"
    # repr has the shortest digits that read back as the same number, which is what the rule asks for.
    parts = Decimal(repr(abs(value))).normalize().as_tuple()
    digits = "".join(map(str, parts.digits))
    point = len(digits) + int(parts.exponent)
    if len(digits) <= point <= 21:
        text = digits + "0" * (point - len(digits))
    elif 0 < point <= 21:
        text = f"{digits[:point]}.{digits[point:]}"
    elif -6 < point <= 0:
        text = f"0.{'0' * -point}{digits}"
    else:
        fraction = f".{digits[1:]}" if len(digits) > 1 else ""
        text = f"{digits[0]}{fraction}e{point - 1:+d}"
    return f"-{text}" if value < 0 else text
