"""Chronos' events to items."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from sseware import ServerSentEvent
from sseware.dialects import COMPACT, AnItem, read_payload
from sseware.errors import InvalidDialectEvent
from sseware.items import Data, Failure, Finish, Item, Log, Step, Text, Thinking, ToolCall, ToolResult

from ._frames import END_TYPES, StreamEvent

__all__ = ["ChronosDecoder", "Frame"]

_PIECES: Final[dict[str, type[Text | Log | Thinking]]] = {"token": Text, "log": Log, "thinking": Thinking}
_TOOLS: Final[dict[str, type[Item]]] = {"tool_call": ToolCall, "tool_result": ToolResult}


class Frame(msgspec.Struct, frozen=True):
    """What every event carries.

    Attributes:
        type: What it is.
        data: A `StreamEvent`, or any JSON value of a publisher's own.
    """

    type: str
    data: Any = None


class ChronosDecoder:
    """Decodes one stream; it takes named events and unnamed ones."""

    def decode(self, event: ServerSentEvent) -> Iterable[AnItem]:
        """Returns the items of one event."""
        frame = _frame(event)
        if frame is None:
            return (event,)
        if frame.type == "custom":
            return (_custom(frame),)
        if frame.type in _TOOLS:
            return (_tool(frame),)
        emitted = _stream_event(frame)
        if frame.type == "completed":
            return (Finish(result=(emitted.state or None) if emitted else frame.data),)
        if frame.type == "error":
            return (Failure(emitted.error if emitted else _text(frame.data)),)
        if emitted is None:
            return (Data(frame.data, name=frame.type),)
        return (Step(emitted.type, emitted.node_id, emitted.state or None, emitted.error or None),)

    def close(self) -> None:
        """Does nothing: a Chronos stream may end well with its close."""


def _frame(event: ServerSentEvent) -> Frame | None:
    """Returns the frame of an event; a named event that has none, or another's, is one of the handler's own."""
    name = event.event
    try:
        frame = read_payload(event, Frame, dialect="chronos")
    except InvalidDialectEvent:
        if name == "message" or name in END_TYPES:
            raise
        return None
    return frame if name in ("message", frame.type) else None


def _custom(frame: Frame) -> AnItem:
    data = frame.data
    if isinstance(data, dict) and data.keys() == {"custom_type", "payload"}:
        name, payload = data["custom_type"], data["payload"]
        if isinstance(name, str) and name in _PIECES and isinstance(payload, str):
            return _PIECES[name](payload)
        if name == "data":
            return Data(payload)
    return Data(data, name="custom")


def _tool(frame: Frame) -> AnItem:
    try:
        return msgspec.convert({**frame.data, "type": frame.type}, _TOOLS[frame.type])
    except (TypeError, msgspec.ValidationError):
        return Data(frame.data, name=frame.type)


def _stream_event(frame: Frame) -> StreamEvent | None:
    """Returns what a runner has emitted, where the data are that; a publisher's own may be anything."""
    try:
        emitted = msgspec.convert(frame.data, StreamEvent)
    except msgspec.ValidationError:
        return None
    return emitted if emitted.type == frame.type else None


def _text(data: Any) -> str:
    return data if isinstance(data, str) else COMPACT.dumps(data)
