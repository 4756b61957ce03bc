"""What a handler yields: *items*, which a dialect turns into events.

A plain ``str`` is short for `Text`; a dict, list, dataclass, msgspec struct or pydantic model is short for
`Data`. A dict is always data, never a set of event fields. `ServerSentEvent` passes as it is. Items are
tagged (``{"type": "text", "text": "hi"}``), so that they also travel through channels as JSON.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import msgspec

from .errors import InvalidItem
from .events import ServerSentEvent

__all__ = [
    "AnyItem",
    "Data",
    "Failure",
    "File",
    "Finish",
    "Item",
    "Log",
    "ServerSentEvent",
    "Start",
    "Step",
    "Text",
    "Thinking",
    "ToolCall",
    "ToolResult",
    "Usage",
    "as_item",
]


class Item(msgspec.Struct, frozen=True, tag_field="type", repr_omit_defaults=True):
    """The base of all items. A plugin's own kinds of items derive from it."""


class Start(Item, frozen=True, tag="start"):
    """The run begins.

    Attributes:
        id: The identity of the run or session; ``None`` lets the dialect make one.
        name: The name of what runs: a skill, an agent, a graph.
        meta: Whatever else is known of it; JSON values.
    """

    id: str | None = None
    name: str | None = None
    meta: dict[str, Any] = {}


class Text(Item, frozen=True, tag="text"):
    """A piece of the answer; pieces are joined with nothing between them."""

    text: str


class Log(Item, frozen=True, tag="log"):
    """A piece of the log: what a process writes to its standard error."""

    text: str


class Thinking(Item, frozen=True, tag="thinking"):
    """A piece of reasoning that is not part of the answer."""

    text: str


class ToolCall(Item, frozen=True, tag="tool_call"):
    """A tool is called.

    Attributes:
        id: What the `ToolResult` refers to.
        name: The name of the tool.
        arguments: Its arguments by name; JSON values.
    """

    id: str
    name: str
    arguments: dict[str, Any] = {}


class ToolResult(Item, frozen=True, tag="tool_result"):
    """A tool has answered.

    Attributes:
        id: The id of its `ToolCall`.
        content: A JSON value; text in most cases.
        is_error: Whether the tool failed.
    """

    id: str
    content: Any = None
    is_error: bool = False


class Step(Item, frozen=True, tag="step"):
    """A step of a graph run.

    Attributes:
        kind: ``"node_start"``, ``"node_end"``, ``"edge_transition"``, ``"interrupt"`` and the like.
        node: The node it is about.
        state: The state of the run at that time; JSON values.
        error: What went wrong, or ``None``.
    """

    kind: str
    node: str = ""
    state: dict[str, Any] | None = None
    error: str | None = None


class Data(Item, frozen=True, tag="data"):
    """A value of one's own.

    Attributes:
        value: A JSON value, or what msgspec can make one of.
        name: A name for it: the event type, where the dialect has event types.
    """

    value: Any
    name: str | None = None


class Usage(Item, frozen=True, tag="usage"):
    """What the run has used, in tokens; counts add up over a stream."""

    input_tokens: int = 0
    output_tokens: int = 0


class Finish(Item, frozen=True, tag="finish"):
    """The run has ended; nothing that a handler yields after it is sent.

    Attributes:
        ok: Whether it ended well.
        exit_code: The exit code of a process; ``None`` where it was killed or never started.
        result: A JSON value: what came of it. Where ``ok`` is false it may be a dict that tells why:
            ``error`` (a text) and ``status`` (the HTTP status of a buffered answer).
    """

    ok: bool = True
    exit_code: int | None = 0
    result: Any = None


class Failure(Item, frozen=True, tag="failure"):
    """The run has failed; nothing that a handler yields after it is sent.

    Attributes:
        message: What the client may read.
        code: A machine-readable code.
        status: The HTTP status of a buffered answer.
        retry_after: After how many seconds the client may try again, where that is known.
    """

    message: str
    code: str = "internal_error"
    status: int = 500
    retry_after: int | None = None


class File(Item, frozen=True, tag="file"):
    """A file is the answer. A stream cannot carry one: yielded first, it makes the answer a buffered one.

    Attributes:
        content: Its bytes.
        name: Its name, for ``content-disposition``.
        media_type: Its media type, for ``content-type``.
        disposition: Whether a browser shows it or saves it.
    """

    content: bytes
    name: str = "output"
    media_type: str = "application/octet-stream"
    disposition: Literal["inline", "attachment"] = "inline"


AnyItem: TypeAlias = (
    Start
    | Text
    | Log
    | Thinking
    | ToolCall
    | ToolResult
    | Step
    | Data
    | Usage
    | Finish
    | Failure
    | File
    | ServerSentEvent
)
"""Every built-in item, as a tagged union: ``msgspec.json.decode(line, type=AnyItem)``."""

_DATA_TYPES = (dict, list, tuple, Mapping, msgspec.Struct)


def as_item(value: object) -> Item | ServerSentEvent:
    """Spells out what a handler yielded in short.

    ``bytes`` are not taken here: a code point may be split over two of them, so that only whoever sees
    them all can decode them (the source of a stream does).

    >>> as_item("hi"), as_item({"n": 1})
    (Text(text='hi'), Data(value={'n': 1}))

    Raises:
        InvalidItem: It is nothing that could be sent.
    """
    if isinstance(value, str):
        return Text(value)
    if isinstance(value, Item | ServerSentEvent):
        return value
    if isinstance(value, _DATA_TYPES):
        return Data(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return Data(value)
    dump = getattr(value, "model_dump", None)
    if callable(dump) and not isinstance(value, type):
        return Data(dump(mode="json"))
    raise InvalidItem(
        f"a handler yielded {value!r} ({type(value).__name__}); yield a str, bytes, a dict or list, a "
        "dataclass, a struct, a pydantic model, an item of sseware.items, or wrap it: Data(value)"
    )
