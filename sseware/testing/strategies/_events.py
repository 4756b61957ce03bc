"""Events, and the values of their fields."""

from __future__ import annotations

from functools import cache

from hypothesis import strategies as st

from ...events import MAX_RETRY, ServerSentEvent
from ._text import hostile_text

__all__ = ["event_ids", "event_lists", "event_types", "events", "retry_values"]

_CONTROLS = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)])
_LINE_ENDS = dict.fromkeys(map(ord, "\r\n"))
_COMMON_TYPES = ("message", "done", "error", "open", " a", "a b", "message ")
_COMMON_RETRIES = (0, 1, 1000, 3000, 2**31 - 1, 2**31, 2**53 + 1, MAX_RETRY)


_IDS = hostile_text(surrogates=False).map(lambda text: text.translate(_CONTROLS))
_TYPES = st.sampled_from(_COMMON_TYPES) | hostile_text(surrogates=False).map(
    lambda text: text.translate(_LINE_ENDS) or "message"
)


@st.composite
def event_ids(draw: st.DrawFn, *, empty: bool = True) -> str:
    """Ids that `sseware.ServerSentEvent` takes: no control characters, otherwise as hostile as it gets.

    Args:
        draw: Given by hypothesis.
        empty: Whether ``""`` is among them, which resets the last event ID.
    """
    text = draw(_IDS)
    return text if text or empty else "0"


@st.composite
def event_types(draw: st.DrawFn) -> str:
    """Event types that `sseware.ServerSentEvent` takes: one line that is not empty."""
    return draw(_TYPES)


@cache
def _retries(max_value: int) -> st.SearchStrategy[int]:
    common = tuple(value for value in _COMMON_RETRIES if value <= max_value)
    return st.sampled_from(common) | st.integers(0, max_value)


@st.composite
def retry_values(draw: st.DrawFn, *, max_value: int = MAX_RETRY) -> int:
    """Reconnection times, in milliseconds; the borders of usual integer types are among them.

    Args:
        draw: Given by hypothesis.
        max_value: The largest of them.
    """
    return draw(_retries(max_value))


_SOME_IDS = st.none() | event_ids()
_SOME_RETRIES = st.none() | retry_values()
_TEXTS = hostile_text()


@st.composite
def events(
    draw: st.DrawFn,
    *,
    data: st.SearchStrategy[str] = _TEXTS,
    types: st.SearchStrategy[str] = _TYPES,
    ids: st.SearchStrategy[str | None] = _SOME_IDS,
    retries: st.SearchStrategy[int | None] = _SOME_RETRIES,
) -> ServerSentEvent:
    """Events that an encoder must be able to write.

    Args:
        draw: Given by hypothesis.
        data: The payloads; `hostile_text` by default.
        types: The event types; `event_types` by default.
        ids: The ids; none, or one of `event_ids`, by default.
        retries: The reconnection times; none, or one of `retry_values`, by default.
    """
    return ServerSentEvent(draw(data), event=draw(types), id=draw(ids), retry=draw(retries))


_EVENTS = events()


@st.composite
def event_lists(
    draw: st.DrawFn,
    *,
    min_size: int = 0,
    max_size: int = 8,
    elements: st.SearchStrategy[ServerSentEvent] = _EVENTS,
) -> list[ServerSentEvent]:
    """Lists of events, as one stream has them.

    Args:
        draw: Given by hypothesis.
        min_size: The fewest events in a list.
        max_size: The most.
        elements: The events; `events` by default.
    """
    return draw(st.lists(elements, min_size=min_size, max_size=max_size))
