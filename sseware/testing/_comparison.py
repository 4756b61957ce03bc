"""What pytest says of an ``assert`` that compares events."""

from __future__ import annotations

from typing import Any

from ..events import ServerSentEvent
from ._differences import difference_lines
from ._matching import IsEvent

__all__ = ["comparison_lines"]


def comparison_lines(left: object, right: object) -> list[str] | None:
    """Tells how two lists of events differ, or two events; ``None`` where they are something else.

    Args:
        left: What stands before ``==``, which is what came.
        right: What stands behind it, which is what is wanted.
    """
    if _is_event(left) and _is_event(right):
        said, lines = f"{left!r} == {right!r}", _told([left], [right])[:1]
    elif _are_events(left) and _are_events(right):
        said, lines = f"{_counted(left)} == {_counted(right)}", _told(left, right)
    else:
        return None
    # A list and a tuple of the same events are not equal, but for another reason.
    return [said, *lines] if lines else None


def _is_event(value: object) -> bool:
    return isinstance(value, ServerSentEvent | IsEvent)


def _are_events(value: Any) -> bool:
    return type(value) in (list, tuple) and all(map(_is_event, value))


def _counted(events: Any) -> str:
    return f"{len(events)} event" if len(events) == 1 else f"{len(events)} events"


def _told(left: Any, right: Any) -> list[str]:
    # A matcher may stand on either side; it is what is wanted.
    if any(isinstance(each, IsEvent) for each in left):
        left, right = right, left
    return difference_lines(left, right)
