"""Values on their way to JSON: what is plain already, and how the rest becomes plain."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, TypeAlias

import msgspec

from ..errors import InvalidItem

__all__ = ["MAX_DEPTH", "Shallow", "is_easy", "to_plain", "too_deep", "with_ints"]

MAX_DEPTH: Final = 500
"""How many arrays and objects may stand inside of each other.

A fixed limit, so that the answer does not depend on the interpreter, nor on how deep its stack happens to be;
half of what ``json.loads`` reads on Python 3.11.
"""

# NaN is refused, too: it is not above anything.
_AnyAtom: TypeAlias = str | int | bool | Annotated[float, msgspec.Meta(gt=-1e16, lt=1e16)] | None
_Level1: TypeAlias = _AnyAtom | list[_AnyAtom] | dict[str, _AnyAtom]
_Level2: TypeAlias = _AnyAtom | list[_Level1] | dict[str, _Level1]
_Level3: TypeAlias = _AnyAtom | list[_Level2] | dict[str, _Level2]
_Level4: TypeAlias = _AnyAtom | list[_Level3] | dict[str, _Level3]


class Shallow(msgspec.Struct, array_like=True, gc=False):
    """What ``msgspec.convert`` holds a value against, to tell whether it is JSON's own, and nested four deep at most.

    It has a class, because msgspec keeps what it has worked out of classes only. Sets, enums and the like pass, where
    msgspec encodes them as it makes them plain.

    Attributes:
        value: The value.
    """

    value: _Level4


_ATOMS: Final = frozenset((str, int, bool, type(None)))

# Whole numbers below this are floats and ints alike, digit by digit.
_EXACT: Final = 2.0**53


def is_easy(value: Any, depth: int = MAX_DEPTH) -> bool:
    """Tells whether all encoders agree on a value: JSON's own types, without a float that one spells its own way.

    Such are whole numbers (``1.0`` or ``1``), very small ones (``1e-05`` or ``0.00001``), NaN and the infinities.
    """
    kind = type(value)
    members: Iterable[Any] = value
    if kind is dict:
        for key in value:
            if type(key) is not str:
                return False
        members = value.values()
    elif kind is not list:
        return kind in _ATOMS or (kind is float and 1e-4 <= abs(value) < 1e16 and not value.is_integer())
    for member in members:
        if type(member) not in _ATOMS and (depth == 1 or not is_easy(member, depth - 1)):
            return False
    return True


def with_ints(value: Any, depth: int = MAX_DEPTH) -> Any:
    """Copies a plain value, and makes an int of each whole float, for JavaScript and Go spell both alike.

    Scores and seconds are often whole, and the encoders in C can spell the copy. Minus zero stays a float (Go writes
    ``-0``), and so does what is too large to be exact.
    """
    kind = type(value)
    if kind is float:
        whole = abs(value) < _EXACT and value.is_integer() and (value != 0 or math.copysign(1, value) > 0)
        return int(value) if whole else value
    if depth == 0:
        return value
    if kind is dict:
        members: dict[Any, Any] = {}
        for key, member in value.items():
            members[key] = member if type(member) in _ATOMS else with_ints(member, depth - 1)
        return members
    if kind is list or kind is tuple:
        items: list[Any] = []
        for member in value:
            items.append(member if type(member) in _ATOMS else with_ints(member, depth - 1))  # noqa: PERF401  # see the speller
        return items
    return value


def to_plain(value: Any) -> Any:
    """Makes a value of dicts, lists, tuples, str, int, float, bool and None, as msgspec does.

    Beyond that, a mapping is an object, a pydantic model is what it dumps, and subclasses of str, int and float
    (``numpy.float64`` is one) are what they derive from.

    Raises:
        InvalidItem: A type is not known, a cycle, or the value's own code failed.
    """
    try:
        return msgspec.to_builtins(value, enc_hook=_convert)
    except InvalidItem:
        raise
    except RecursionError as exc:
        raise too_deep() from exc
    except Exception as exc:  # a value's own methods may raise anything
        raise InvalidItem(f"a value of type {type(value).__name__} has no JSON: {exc}") from exc


def too_deep() -> InvalidItem:
    """Returns the error for a cycle, which looks like endless nesting."""
    return InvalidItem(
        f"a value contains itself, or is nested more than {MAX_DEPTH} deep, which JSON's readers do not read: "
        "yield a flatter one"
    )


def _convert(value: Any) -> Any:
    """Makes what msgspec does not know into what it does."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int.__int__(value)
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, Mapping):
        return dict(value)
    dump = getattr(value, "model_dump", None)
    if callable(dump) and not isinstance(value, type):
        return dump(mode="json")
    raise InvalidItem(
        f"a {type(value).__qualname__} has no JSON: yield a dict, list, str, number, bool or None, a dataclass, "
        "a struct, a pydantic model, a date, an enum, a UUID or a Decimal"
    )
