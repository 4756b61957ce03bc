"""The plain dialect: an item is an event, and nothing is added.

Text is an unnamed event, so that ``EventSource.onmessage`` reads it; every other item is an event named by its
kind (`Data` by its own name). There is no terminator: the end of the stream is its end. Nothing is left out, so
that every other dialect translates to this one without loss.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Literal

import msgspec

from ..errors import InvalidDialectEvent, InvalidItem
from ..events import ServerSentEvent
from ..items import (
    Data,
    Failure,
    File,
    Finish,
    Item,
    Log,
    Start,
    Step,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Usage,
)
from ._file import file_answer
from ._json import COMPACT
from ._protocols import AnItem, BufferedAnswer, StreamContext

__all__ = ["Plain"]

# The names of the items whose payload is a JSON object of their fields.
_NAMES: Final[dict[type[Item], str]] = {
    Start: "start",
    ToolCall: "tool_call",
    ToolResult: "tool_result",
    Step: "step",
    Usage: "usage",
    Finish: "finish",
    Failure: "error",
}
_TYPES: Final = {name: kind for kind, name in _NAMES.items()}


class Plain(msgspec.Struct, frozen=True):
    """The plain dialect.

    Attributes:
        name: By which it is chosen.
        default: What a client gets that does not say what it wants.
    """

    name: str = "plain"
    default: Literal["stream", "buffered"] = "stream"

    @property
    def example(self) -> tuple[AnItem, ...]:
        """Items whose bytes the command line shows."""
        return Text("Hello"), Data({"done": 0.5}, name="progress"), Finish()

    def open(self, context: StreamContext) -> _PlainEncoder:
        """Returns the encoder of one response."""
        return _PlainEncoder()

    def fold(self, context: StreamContext) -> _PlainFold:
        """Returns the fold of one buffered response."""
        return _PlainFold()

    def decoder(self) -> _PlainDecoder:
        """Returns the decoder of one stream."""
        return _PlainDecoder()


class _PlainEncoder:
    def __init__(self) -> None:
        self._finish: Finish | None = None

    def start(self) -> Iterable[ServerSentEvent]:
        return ()

    def encode(self, item: AnItem) -> Iterable[ServerSentEvent]:
        if isinstance(item, Finish):
            self._finish = item
            return ()
        return (_event(item),)

    def finish(self) -> Iterable[ServerSentEvent]:
        return () if self._finish is None else (_event(self._finish),)

    def fail(self, failure: Failure) -> Iterable[ServerSentEvent]:
        return (_event(failure),)


def _event(item: AnItem) -> ServerSentEvent:
    if isinstance(item, Text):
        return ServerSentEvent(item.text)
    if isinstance(item, ServerSentEvent):
        return item
    if isinstance(item, Log):
        return ServerSentEvent(item.text, event="log")
    if isinstance(item, Thinking):
        return ServerSentEvent(item.text, event="thinking")
    if isinstance(item, Data):
        return ServerSentEvent(COMPACT.dumps(item.value), event=item.name or "data")
    name = _NAMES.get(type(item))
    if name is None:
        why = "a file cannot be streamed" if isinstance(item, File) else "no plugin encodes this type"
        raise InvalidItem(f"the plain dialect has no event for {type(item).__name__}: {why}")
    return ServerSentEvent(COMPACT.dumps(_fields(item)), event=name)


def _fields(item: AnItem) -> dict[str, Any]:
    return {name: getattr(item, name) for name in item.__struct_fields__}


class _PlainFold:
    """Gathers items as they are; neighbouring pieces of text become one."""

    def __init__(self) -> None:
        self._items: list[str] = []
        self._text: list[str] = []
        self._finish = Finish()
        self._file: File | None = None
        self.size = 0

    def add(self, item: AnItem) -> None:
        if isinstance(item, Text):
            self._text.append(item.text)
            self.size += len(item.text)
        elif isinstance(item, File):
            self._file = item
            self.size += len(item.content)
        elif isinstance(item, Finish):
            self._finish = item
        else:
            self._flush_text()
            self._append({"type": item.__struct_config__.tag, **_fields(item)})

    def _append(self, fields: dict[str, Any]) -> None:
        text = COMPACT.dumps(fields)
        self._items.append(text)
        self.size += len(text)

    def _flush_text(self) -> None:
        if self._text:
            text, self._text = "".join(self._text), []
            self._items.append(COMPACT.dumps({"type": "text", "text": text}))

    def finish(self) -> BufferedAnswer:
        if self._file is not None:
            return file_answer(self._file)
        self._flush_text()
        status = 200 if self._finish.ok else 500
        body = f'{{"items":[{",".join(self._items)}],"finish":{COMPACT.dumps(_fields(self._finish))}}}'
        return _json_answer(status, body)

    def fail(self, failure: Failure) -> BufferedAnswer:
        error = {"message": failure.message, "code": failure.code}
        return _json_answer(failure.status, COMPACT.dumps({"error": error}))


def _json_answer(status: int, body: str) -> BufferedAnswer:
    return BufferedAnswer(status, (("content-type", "application/json; charset=utf-8"),), body.encode())


class _PlainDecoder:
    """Reads what the encoder wrote; an event that is none of its own stays an event."""

    def decode(self, event: ServerSentEvent) -> Iterable[AnItem]:
        name = event.event
        if name == "message":
            return (Text(event.data),)
        if name == "log":
            return (Log(event.data),)
        if name == "thinking":
            return (Thinking(event.data),)
        kind = _TYPES.get(name)
        return (_named_data(event),) if kind is None else (_decode_fields(event, kind),)

    def close(self) -> None:
        """Returns: a plain stream has no terminator, so that it is never truncated."""


def _decode_fields(event: ServerSentEvent, kind: type[Item]) -> Item:
    tag = kind.__struct_config__.tag
    try:
        fields = msgspec.json.decode(event.data, type=dict[str, Any])
        return msgspec.convert({**fields, "type": tag}, kind)
    except (msgspec.DecodeError, msgspec.ValidationError) as exc:
        raise InvalidDialectEvent("plain", event.event, event.data, str(exc)) from exc


def _named_data(event: ServerSentEvent) -> AnItem:
    try:
        value = event.json()
    except msgspec.DecodeError:
        return event
    return Data(value, name=None if event.event == "data" else event.event)
