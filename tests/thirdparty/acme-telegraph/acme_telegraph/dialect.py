"""The dialect of the telegraph office: texts become telegrams, and the last event is a full stop.

::

    event: telegram
    data: {"text":"ARRIVING MONDAY","words":2}

    event: full_stop
    data: {"words":2,"delivered":true}
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from sseware import Dialect, ServerSentEvent
from sseware.dialects import (
    COMPACT,
    AnItem,
    BufferedAnswer,
    EventShape,
    StreamContext,
    events_schema,
    hookimpl,
    leave_out,
    read_payload,
    refuse_owned,
    status_of,
)
from sseware.errors import TruncatedStream
from sseware.items import (
    Data,
    Failure,
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

__all__ = ["Telegraph", "sseware_dialects"]


class Telegram(msgspec.Struct):
    """A telegram."""

    text: str
    words: int


class FullStop(msgspec.Struct):
    """The last event."""

    words: int
    delivered: bool


class LineDown(msgspec.Struct):
    """The last event, where the line broke."""

    reason: str


OWNED = frozenset({"telegram", "full_stop", "line_down"})


class Telegraph(msgspec.Struct, frozen=True, repr_omit_defaults=True):
    """The dialect.

    Attributes:
        name: By which it is chosen.
        default: What a client gets that does not say what it wants.
        capitals: Whether texts are sent in capitals, as they used to be.
        strict: Whether an item that a telegraph cannot send is an error.
    """

    name: str = "telegraph"
    default: Literal["stream", "buffered"] = "stream"
    capitals: bool = False
    strict: bool = False

    @property
    def omits(self) -> frozenset[type[Item]]:
        """What a telegraph has no sign for."""
        return frozenset({Start, Log, Thinking, ToolCall, ToolResult, Step, Usage})

    @property
    def example(self) -> tuple[AnItem, ...]:
        """Items whose bytes the command line shows."""
        return Text("ARRIVING MONDAY"), Finish()

    def open(self, context: StreamContext) -> TelegraphEncoder:
        """Returns the encoder of one response."""
        return TelegraphEncoder(self)

    def fold(self, context: StreamContext) -> TelegraphFold:
        """Returns the fold of one buffered response."""
        return TelegraphFold(self)

    def decoder(self) -> TelegraphDecoder:
        """Returns the decoder of one stream."""
        return TelegraphDecoder()

    def schema(self) -> dict[str, Any]:
        """Returns the JSON Schema of the events."""
        shapes = (("telegram", Telegram), ("full_stop", FullStop), ("line_down", LineDown))
        return events_schema(self.name, [EventShape(event, json=kind) for event, kind in shapes])

    def text_of(self, item: AnItem) -> str | None:
        """Returns what is sent of an item, or ``None``."""
        if isinstance(item, Text):
            return item.text.upper() if self.capitals else item.text
        return COMPACT.dumps(item.value) if isinstance(item, Data) else None


def event_of(name: str, payload: msgspec.Struct) -> ServerSentEvent:
    """Returns an event with a JSON payload."""
    return ServerSentEvent(COMPACT.dumps(payload), event=name)


class TelegraphEncoder:
    """Encodes one response."""

    def __init__(self, dialect: Telegraph) -> None:
        self._dialect = dialect
        self._words = 0
        self._delivered = True

    def start(self) -> Iterable[ServerSentEvent]:
        """Returns nothing: a telegram needs no greeting."""
        return ()

    def encode(self, item: AnItem) -> Iterable[ServerSentEvent]:
        """Returns the telegram of an item."""
        if (text := self._dialect.text_of(item)) is not None:
            words = len(text.split())
            self._words += words
            return (event_of("telegram", Telegram(text, words)),)
        if isinstance(item, Finish):
            self._delivered = item.ok
            return ()
        if isinstance(item, ServerSentEvent):
            refuse_owned(self._dialect, item, OWNED)
            return (item,)
        return leave_out(self._dialect, item)

    def finish(self) -> Iterable[ServerSentEvent]:
        """Returns the full stop."""
        return (event_of("full_stop", FullStop(self._words, self._delivered)),)

    def fail(self, failure: Failure) -> Iterable[ServerSentEvent]:
        """Returns the news that the line is down."""
        return (event_of("line_down", LineDown(failure.message)),)


class TelegraphFold:
    """Folds one buffered response: the whole text, by messenger."""

    def __init__(self, dialect: Telegraph) -> None:
        self._dialect = dialect
        self._text: list[str] = []
        self._finish = Finish()
        self.size = 0

    def add(self, item: AnItem) -> None:
        """Takes one item in."""
        if (text := self._dialect.text_of(item)) is not None:
            self._text.append(text)
            self.size += len(text)
        elif isinstance(item, Finish):
            self._finish = item
        elif isinstance(item, ServerSentEvent):
            refuse_owned(self._dialect, item, OWNED)
        else:
            leave_out(self._dialect, item)

    def finish(self) -> BufferedAnswer:
        """Returns the answer."""
        text = "".join(self._text)
        words = sum(len(each.split()) for each in self._text)
        return answer_of(
            status_of(self._finish), {"text": text, "words": words, "delivered": self._finish.ok}
        )

    def fail(self, failure: Failure) -> BufferedAnswer:
        """Returns the answer to a request that failed."""
        return answer_of(failure.status, {"reason": failure.message})


def answer_of(status: int, value: dict[str, Any]) -> BufferedAnswer:
    """Returns a JSON answer."""
    body = COMPACT.dumps(value).encode()
    return BufferedAnswer(status, (("content-type", "application/json"),), body)


class TelegraphDecoder:
    """Decodes one stream."""

    def __init__(self) -> None:
        self._ended = False

    def decode(self, event: ServerSentEvent) -> Iterable[AnItem]:
        """Returns the items of one event."""
        if event.event == "telegram":
            return (Text(read_payload(event, Telegram, dialect="telegraph").text),)
        if event.event == "full_stop":
            delivered = read_payload(event, FullStop, dialect="telegraph").delivered
            self._ended = True
            return (Finish(ok=delivered),)
        if event.event == "line_down":
            reason = read_payload(event, LineDown, dialect="telegraph").reason
            self._ended = True
            return (Failure(reason),)
        return (event,)

    def close(self) -> None:
        """Is called where the stream has ended."""
        if not self._ended:
            raise TruncatedStream("telegraph", "a full stop")


@hookimpl
def sseware_dialects() -> Iterable[Dialect]:
    """Provides the dialect to sseware; the entry point names this module."""
    return [Telegraph()]
