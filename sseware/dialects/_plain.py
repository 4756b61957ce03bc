"""The plain dialect: an item is an event, and nothing is added.

Text is an unnamed event, so that ``EventSource.onmessage`` reads it; every other item is an event named by its
kind, with a JSON payload, and `Data` by its own name. There is no terminator: the end of the stream is its end.
Nothing is left out, so that every other dialect translates to this one without loss.

It reads any stream: what is none of its own stays what it is, so that it suits servers that know nothing of sseware.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, Literal

import msgspec

from ..errors import InvalidDialectEvent
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
from ._authoring import leave_out, read_payload, refuse_owned, status_of
from ._file import file_answer
from ._json import COMPACT
from ._protocols import AnItem, BufferedAnswer, StreamContext
from ._schema import EventShape, closed, events_schema

__all__ = ["Plain"]

# Payloads that are text.
_TEXTS: Final[dict[str, type[Text | Log | Thinking]]] = {"message": Text, "log": Log, "thinking": Thinking}

# Payloads that are a JSON object of the item's fields. A name that cannot stand in an event field, or that means
# something here, travels in the payload of the last.
_OBJECTS: Final[dict[str, type[Item]]] = {
    "start": Start,
    "tool_call": ToolCall,
    "tool_result": ToolResult,
    "step": Step,
    "usage": Usage,
    "finish": Finish,
    "error": Failure,
    "named_data": Data,
}
_NAMES: Final[dict[type[Item], str]] = {kind: name for name, kind in (_TEXTS | _OBJECTS).items()}
# Is left out where there is nothing to say.
_OPTIONAL: Final = frozenset({"retry_after"})
_DATA: Final = "data"
_ENDS: Final = frozenset({"finish", "error"})
_ONE_LINE: Final = re.compile("[^\r\n\ud800-\udfff]+")


class Plain(msgspec.Struct, frozen=True, repr_omit_defaults=True):
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
        return _PlainEncoder(self)

    def fold(self, context: StreamContext) -> _PlainFold:
        """Returns the fold of one buffered response."""
        return _PlainFold(self)

    def decoder(self) -> _PlainDecoder:
        """Returns the decoder of one stream."""
        return _PlainDecoder()

    def buffered_schemas(self) -> dict[str, dict[str, Any]]:
        """Returns the JSON Schema of its buffered answer, by media type."""
        item = {"type": "object", "properties": {"type": {"type": "string"}}, "required": ["type"]}
        finish = closed({"ok": {"type": "boolean"}, "exit_code": {"type": ["integer", "null"]}, "result": {}})
        items = {"type": "array", "items": item}
        return {"application/json": closed({"items": items, "finish": finish})}

    def schema(self) -> dict[str, Any]:
        """Returns the JSON Schema of the events that have a meaning here; others may stand beside them."""
        texts = [EventShape(name, description=_summary(kind)) for name, kind in _TEXTS.items()]
        objects = [EventShape(name, json=_fields_of(kind)) for name, kind in _OBJECTS.items()]
        return events_schema(self.name, [*texts, *objects, EventShape(_DATA, json=Any)])


def _summary(kind: type[Item]) -> str:
    return (kind.__doc__ or "").split("\n")[0]


def _fields_of(kind: type[Item]) -> type[msgspec.Struct]:
    """Returns a struct of an item's fields as they are written, without the tag: its event is named."""
    fields: list[Any] = [
        (field.name, field.type, None) if field.name in _OPTIONAL else (field.name, field.type)
        for field in msgspec.structs.fields(kind)
    ]
    return msgspec.defstruct(kind.__name__, fields, namespace={"__doc__": _summary(kind)})


class _PlainEncoder:
    text_event = "message"
    data_event = _DATA

    def __init__(self, dialect: Plain) -> None:
        self._dialect = dialect
        self._finish: Finish | None = None

    def start(self) -> Iterable[ServerSentEvent]:
        return ()

    def encode(self, item: AnItem) -> Iterable[ServerSentEvent]:
        if isinstance(item, Text):
            return (ServerSentEvent(item.text),)
        if isinstance(item, ServerSentEvent):
            refuse_owned(self._dialect, item, _ENDS)
            return (item,)
        if isinstance(item, Finish):
            self._finish = item
            return ()
        if isinstance(item, Log | Thinking):
            return (ServerSentEvent(item.text, event=_NAMES[_kind_of(item)]),)
        if isinstance(item, Data) and (item.name is None or _fits(item.name)):
            return (ServerSentEvent(COMPACT.dumps(item.value), event=item.name or _DATA),)
        if _kind_of(item) is not None:
            return (_object(item),)
        return leave_out(self._dialect, item)

    def finish(self) -> Iterable[ServerSentEvent]:
        return () if self._finish is None else (_object(self._finish),)

    def fail(self, failure: Failure) -> Iterable[ServerSentEvent]:
        return (_object(failure),)


def _kind_of(item: AnItem) -> Any:
    """Returns the built-in type of an item that has an event of its own, or ``None``; a subclass is its base."""
    kind = type(item)
    return kind if kind in _NAMES else next((each for each in _NAMES if isinstance(item, each)), None)


def _fits(name: str) -> bool:
    return name not in _TEXTS and name not in _OBJECTS and name != _DATA and bool(_ONE_LINE.fullmatch(name))


def _object(item: AnItem) -> ServerSentEvent:
    kind = _kind_of(item)
    return ServerSentEvent(COMPACT.dumps(_fields(item, kind)), event=_NAMES[kind])


def _fields(item: AnItem, kind: Any) -> dict[str, Any]:
    every = ((name, getattr(item, name)) for name in kind.__struct_fields__)
    return {name: value for name, value in every if value is not None or name not in _OPTIONAL}


class _PlainFold:
    """Gathers items as they are; neighbouring pieces of text become one."""

    def __init__(self, dialect: Plain) -> None:
        self._dialect = dialect
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
        elif isinstance(item, ServerSentEvent):
            refuse_owned(self._dialect, item, _ENDS)
            self._append({"type": "event", "event": item.event, "data": item.data})
        elif (kind := _kind_of(item)) is not None:
            self._append({"type": kind.__struct_config__.tag, **_fields(item, kind)})
        else:
            leave_out(self._dialect, item)

    def _append(self, fields: dict[str, Any]) -> None:
        self._flush_text()
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
        body = (
            f'{{"items":[{",".join(self._items)}],"finish":{COMPACT.dumps(_fields(self._finish, Finish))}}}'
        )
        return _json_answer(status_of(self._finish), body)

    def fail(self, failure: Failure) -> BufferedAnswer:
        error = {"message": failure.message, "code": failure.code}
        return _json_answer(failure.status, COMPACT.dumps({"error": error}))


def _json_answer(status: int, body: str) -> BufferedAnswer:
    return BufferedAnswer(status, (("content-type", "application/json; charset=utf-8"),), body.encode())


class _PlainDecoder:
    """Reads what the encoder wrote, and whatever else comes: no event is an error."""

    def decode(self, event: ServerSentEvent) -> Iterable[AnItem]:
        name = event.event
        if name in _TEXTS:
            return (_TEXTS[name](event.data),)
        kind = _OBJECTS.get(name)
        if kind is None:
            return (_data(event),)
        try:
            return (read_payload(event, kind, dialect="plain"),)
        except InvalidDialectEvent:
            # Somebody else's event of that name. An error is one all the same.
            return (Failure(event.data) if kind is Failure else _data(event),)

    def close(self) -> None:
        """Returns: a plain stream has no terminator, so that it is never truncated."""


def _data(event: ServerSentEvent) -> AnItem:
    try:
        value = read_payload(event, object, dialect="plain")
    except InvalidDialectEvent:
        return event
    return Data(value, name=None if event.event == _DATA else event.event)
