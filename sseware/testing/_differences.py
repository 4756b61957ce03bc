"""How two lists of events differ, in words: the first difference first."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import zip_longest
from typing import Any, Final

import msgspec

from ._alignment import Step, align
from ._matching import IsEvent, differing_fields

__all__ = ["difference_lines"]

_AROUND: Final = 3
"""Events that are shown before and after a difference."""

_MOST_LINES: Final = 40
_LONGEST: Final = 60

_MARKS: Final = {"same": " ", "changed": "~", "inserted": "+", "missing": "-"}


def difference_lines(got: Sequence[Any], want: Sequence[Any], ignore: Collection[str] = ()) -> list[str]:
    """Tells how two lists of events differ, the first difference in the first line; nothing where they do not.

    Args:
        got: What came.
        want: What is wanted: events or matchers.
        ignore: Fields that do not count.
    """

    def cost(mine: Any, theirs: Any) -> float:
        if not differing_fields(mine, theirs, ignore):
            return 0
        # To take one for another is cheaper than to drop both where they are of one type.
        return 1.5 if not differing_fields(mine, theirs, {"data", "json", "id", "retry", *ignore}) else 2.5

    steps = align(got, want, cost)
    first = next((step for step in steps if step.kind != "same"), None)
    if first is None:
        return []
    return [
        _told(first, got, want, ignore),
        f"{len(got)} events came, {len(want)} are wanted (+ came in addition, - is missing, ~ is another one):",
        *_table(steps, got, want),
    ]


def _told(step: Step, got: Sequence[Any], want: Sequence[Any], ignore: Collection[str]) -> str:
    if step.got is None:
        return f"event {step.want} is missing: {_short(repr(want[step.want or 0]))}"
    if step.want is None:
        return f"event {step.got} was inserted: {_short(repr(got[step.got]))}"
    field = differing_fields(got[step.got], want[step.want], ignore)[0]
    return f"event {step.got} differs in {_field_difference(got[step.got], want[step.want], field)}"


def _field_difference(got: Any, want: Any, field: str) -> str:
    mine = _value(got, field)
    theirs = want.wanted(field) if isinstance(want, IsEvent) else _value(want, field)
    for one, other in ((mine, theirs), (_as_json(mine), _as_json(theirs))):
        if isinstance(one, dict | list) and type(one) is type(other) and one != other:
            path, one, other = _first_in_json(one, other)
            return f"{field}{path}: {_short(repr(one))} came, {_short(repr(other))} is wanted"
    if isinstance(mine, str) and isinstance(theirs, str):
        both = enumerate(zip(mine, theirs, strict=False))
        at = next((n for n, (a, b) in both if a != b), min(len(mine), len(theirs)))
        if at > _LONGEST // 2:
            field, mine, theirs = f"{field} from character {at} on", mine[at:], theirs[at:]
    return f"{field}: {_short(repr(mine))} came, {_short(repr(theirs))} is wanted"


def _value(event: Any, field: str) -> Any:
    if field == "json":
        found = _as_json(event.data)
        return event.data if found is None else found
    return getattr(event, field)


def _as_json(value: object) -> object:
    try:
        return msgspec.json.decode(value) if isinstance(value, str) else None
    except msgspec.DecodeError:
        return None


def _first_in_json(got: Any, want: Any, path: str = "") -> tuple[str, Any, Any]:
    """Returns the path of the first difference of two JSON values, and both sides of it."""
    if isinstance(got, dict) and isinstance(want, dict):
        key = next(key for key in (*want, *got) if got.get(key, ...) != want.get(key, ...))
        return _first_in_json(got.get(key, ...), want.get(key, ...), f"{path}.{key}")
    if isinstance(got, list) and isinstance(want, list):
        pairs = zip_longest(got, want, fillvalue=...)
        number, (mine, theirs) = next((n, pair) for n, pair in enumerate(pairs) if pair[0] != pair[1])
        return _first_in_json(mine, theirs, f"{path}[{number}]")
    return path, got, want


def _table(steps: Sequence[Step], got: Sequence[Any], want: Sequence[Any]) -> list[str]:
    differ = [number for number, step in enumerate(steps) if step.kind != "same"]
    near = {n for number in differ for n in range(number - _AROUND, number + _AROUND + 1)}
    # What would leave out a single event shows it.
    near |= {n for n in range(len(steps)) if {n - 1, n + 1} <= near | {-1, len(steps)}}
    lines, before = list[str](), -1
    for number in sorted(near & set(range(len(steps)))):
        if number > before + 1:
            lines.append(f"      ... {number - before - 1} the same ...")
        lines += _rows(steps[number], got, want)
        before = number
        if len(lines) > _MOST_LINES:
            lines.append(f"      ... and so on ({len(differ)} differences)")
            return lines
    left = len(steps) - before - 1
    return [*lines, f"      ... {left} the same ..."] if left else lines


def _rows(step: Step, got: Sequence[Any], want: Sequence[Any]) -> list[str]:
    mark = _MARKS[step.kind]
    rows = []
    if step.got is not None:
        rows.append(f"  {mark} {step.got:3}  {_event(got[step.got])}")
    if step.kind == "changed" and step.want is not None:
        rows.append(f"   want  {_event(want[step.want])}")
    if step.got is None and step.want is not None:
        rows.append(f"  {mark} {'':3}  {_event(want[step.want])}")
    return rows


def _event(event: Any) -> str:
    if isinstance(event, IsEvent):
        return _short(repr(event))
    more = "".join(
        f"  {name}={getattr(event, name)!r}"
        for name in ("id", "retry")
        if getattr(event, name, None) is not None
    )
    return f"{event.event}  {_short(repr(event.data))}{more}"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... ({len(text)} characters)"
