"""What dialects are tried with: items, events that are none of theirs, values that JSON lacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ...events import ServerSentEvent
from ...items import Data, Item, Log, Start, Step, Text, Thinking, ToolCall, ToolResult, Usage

__all__ = [
    "ODD_VALUES",
    "forged_ends",
    "half_characters",
    "item_lists",
    "odd_events",
    "strange_texts",
    "text_items",
]

_NAMES: Final = ("done", "end", "error", "start", "chunk", "stdout", "message", "completed", "finish")
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
_ENDS: Final = ("[DONE]", "{}", '{"type":"completed","data":{}}', '{"type":"result"}', "x")


def odd_events() -> Any:
    """Events of any type that have nothing, or nearly nothing, to do with the dialect."""
    from hypothesis import strategies as st

    from ..strategies import event_types

    texts = st.sampled_from(_ODD) | st.text(max_size=12)
    return st.builds(ServerSentEvent, texts, st.sampled_from(_NAMES) | event_types())


def forged_ends() -> list[list[ServerSentEvent]]:
    """Returns events that end streams of some dialects, each in a list of its own."""
    return [[ServerSentEvent(data, event=name)] for name in _NAMES for data in _ENDS]


def half_characters() -> list[list[Item]]:
    """Returns items with half a character, of each kind that has a text, each in a list of its own."""
    half = "half \ud83d"
    items = [
        Text(half),
        Log(half),
        Thinking(half),
        ToolCall(half, half, {half: half}),
        ToolResult("c1", half),
    ]
    return [
        [item] for item in (*items, Data({half: half}, half), Step("node_start", half), Start(half, half))
    ]


def strange_texts() -> Any:
    """Any texts, with half characters."""
    from ..strategies import hostile_text

    return hostile_text()


def text_items() -> Any:
    """Lists of texts."""
    from hypothesis import strategies as st

    from ..strategies import hostile_text

    return st.lists(st.builds(Text, hostile_text(surrogates=False)), max_size=4)


def item_lists() -> Any:
    """Lists of any items, but for those that end a stream."""
    from hypothesis import strategies as st

    texts = strange_texts()
    values = st.dictionaries(texts, texts | st.integers(-9, 9) | st.booleans() | st.none(), max_size=2)
    items = st.one_of(
        st.builds(Text, texts),
        st.builds(Log, texts),
        st.builds(Thinking, texts),
        st.builds(ToolCall, texts, texts, values),
        st.builds(ToolResult, texts, texts, st.booleans()),
        st.builds(Data, values, st.none() | texts),
        st.builds(Step, st.sampled_from(("node_start", "node_end", "edge_transition")), texts),
        st.builds(Usage, st.integers(0, 9), st.integers(0, 9)),
        st.builds(Start, st.none() | texts, st.none() | texts),
    )
    return st.lists(items, max_size=5)


def _cycle() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


def _deep() -> list[Any]:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    return value


ODD_VALUES: Final[Mapping[str, Callable[[], Any]]] = {
    "a number that is none": lambda: float("nan"),
    "infinity": lambda: {"x": float("inf")},
    "a cycle": _cycle,
    "a great depth": _deep,
    "a huge int": lambda: 10**5000,
    "keys that are no text": lambda: {("not", "text"): 1},
    "keys that are numbers or nothing": lambda: {1: "one", None: "none"},
    "lone surrogates": lambda: {"\ud800": "\udfff"},
    "what has no JSON": object,
}
"""By what is odd about them; each is made when it is wanted."""
