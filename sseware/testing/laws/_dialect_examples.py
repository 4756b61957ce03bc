"""What dialects are tried with: items, events that are none of theirs, values that JSON lacks."""

from __future__ import annotations

from typing import Any, Final

from ...events import ServerSentEvent
from ...items import Data, Log, Start, Text, Thinking, ToolCall, ToolResult, Usage

__all__ = ["ODD_VALUES", "item_lists", "odd_events", "text_items"]

_ODD: Final = (
    "",
    "{}",
    "[]",
    "null",
    "1",
    '"x"',
    "[DONE]",
    '{"type":7}',
    '{"type":"completed"}',
    "{",
    "[" * 5000,
)


def odd_events() -> Any:
    """Events of any type that have nothing, or nearly nothing, to do with the dialect."""
    from hypothesis import strategies as st

    from ..strategies import event_types

    names = ("done", "end", "error", "start", "chunk", "stdout", "message", "completed", "finish")
    texts = st.sampled_from(_ODD) | st.text(max_size=12)
    return st.builds(ServerSentEvent, texts, st.sampled_from(names) | event_types())


def _texts() -> Any:
    from ..strategies import hostile_text

    return hostile_text(surrogates=False)


def text_items() -> Any:
    """Lists of texts."""
    from hypothesis import strategies as st

    return st.lists(st.builds(Text, _texts()), max_size=4)


def item_lists() -> Any:
    """Lists of any items, but for those that end a stream."""
    from hypothesis import strategies as st

    texts = _texts()
    values = st.dictionaries(texts, texts | st.integers(-9, 9) | st.booleans() | st.none(), max_size=2)
    items = st.one_of(
        st.builds(Text, texts),
        st.builds(Log, texts),
        st.builds(Thinking, texts),
        st.builds(ToolCall, texts, texts, values),
        st.builds(ToolResult, texts, texts, st.booleans()),
        st.builds(Data, values),
        st.builds(Usage, st.integers(0, 9), st.integers(0, 9)),
        st.builds(Start, st.none() | texts, st.none() | texts),
    )
    return st.lists(items, max_size=5)


def _cycle() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


ODD_VALUES: Final = {
    "a number that is none": float("nan"),
    "a cycle": _cycle(),
    "a huge int": 10**5000,
    "keys that are no text": {("not", "text"): 1},
    "lone surrogates": {"\ud800": "\udfff"},
    "what has no JSON": object(),
}
