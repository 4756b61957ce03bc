"""What the observers of one stream are told."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, Literal, Protocol

from .._types import Message, Send
from ..dialects import ObservedStream, Outcome, StreamSummary
from ..events import ServerSentEvent
from ..wire import EventStreamParser, count_events
from ._observers import Call, Observers
from ._plan import Plan
from ._sending import Sender
from ._sinks import Sink

__all__ = ["MessageOf", "Observation", "observe"]

_log = logging.getLogger("sseware")

MessageOf = Callable[[ServerSentEvent], str | None]
"""What an event is over a WebSocket, or ``None``."""


class Observation(Protocol):
    """Watches one stream. What watches is put in the place of what is watched, before the stream begins."""

    def open(self) -> None:
        """Is called before the handler is entered."""
        ...

    def watch_sender(self, sender: Sender, /) -> Sender:
        """Returns what counts the body on its way to the server."""
        ...

    def watch_messages(self, message_of: MessageOf, /) -> MessageOf:
        """Returns what counts the messages of a WebSocket."""
        ...

    def watch_sink(self, sink: Sink, /) -> Sink:
        """Returns what sees the exceptions of the handler."""
        ...

    def failed(self, exc: Exception, /) -> None:
        """Is called with what went wrong, where no sink is told of it."""
        ...

    def refused(self, exc: Exception, /) -> None:
        """Is called where there is no stream after all, because its dialect could not open one."""
        ...

    def close(self, outcome: Outcome, /) -> None:
        """Is called where the stream has ended."""
        ...


def observe(plan: Plan, carrier: Literal["http", "websocket"] = "http") -> Observation:
    """Returns what watches a stream; where nobody observes, that does nothing and costs nothing."""
    observers = plan.dish.observers
    return _NOBODY if observers is None else _Watching(plan, carrier, observers)


class _Nobody:
    """Where there are no observers: everything stays what it is."""

    def open(self) -> None:
        return

    def watch_sender(self, sender: Sender) -> Sender:
        return sender

    def watch_messages(self, message_of: MessageOf) -> MessageOf:
        return message_of

    def watch_sink(self, sink: Sink) -> Sink:
        return sink

    def failed(self, exc: Exception) -> None:
        return

    def refused(self, exc: Exception) -> None:
        return

    def close(self, outcome: Outcome) -> None:
        return


_NOBODY: Final = _Nobody()


class _Watching:
    def __init__(self, plan: Plan, carrier: Literal["http", "websocket"], observers: Observers) -> None:
        context = plan.context
        self._observers = observers
        self._elapsed = context.elapsed
        self._left_out: set[int] = set()
        self._stream = ObservedStream(
            dialect=plan.dish.dialect.name,
            method=context.method,
            path=context.path,
            http_version=context.http_version,
            carrier=carrier,
        )

    def open(self) -> None:
        self._tell(self._observers.on_open)

    def watch_sender(self, sender: Sender) -> Sender:
        return sender.through(self._watched_send)

    def _watched_send(self, send: Send) -> Send:
        stream = self._stream
        count = self._reader() if self._observers.on_event else count_events

        def watched_send(message: Message) -> Awaitable[None]:
            if body := message.get("body"):
                stream.bytes += len(body)
                if events := count(body):
                    stream.events += events
                    if stream.first_event is None:
                        stream.first_event = self._elapsed()
            return send(message)

        return watched_send

    def _reader(self) -> Callable[[bytes], int]:
        """Returns what reads the events from the bytes: so each is told of as it is on the wire."""
        parser = EventStreamParser(max_event_size=None)

        def read(body: bytes) -> int:
            for event in parser.feed(body):
                self._tell_event(event)
            return 0

        return read

    def _tell_event(self, event: ServerSentEvent) -> None:
        stream = self._stream
        if stream.first_event is None:
            stream.first_event = self._elapsed()
        stream.events += 1
        self._tell(self._observers.on_event, event)

    def watch_messages(self, message_of: MessageOf) -> MessageOf:
        stream = self._stream

        def watched_message_of(event: ServerSentEvent) -> str | None:
            text = message_of(event)
            if text is not None:
                stream.bytes += len(text.encode(errors="replace"))
                self._tell_event(event)
            return text

        return watched_message_of

    def watch_sink(self, sink: Sink) -> Sink:
        return _WatchedSink(sink, self.failed) if self._observers.on_error else sink

    def failed(self, exc: Exception) -> None:
        self._tell(self._observers.on_error, exc)

    def refused(self, exc: Exception) -> None:
        self.failed(exc)
        self.close(Outcome.FAILED)

    def close(self, outcome: Outcome) -> None:
        stream = self._stream
        summary = StreamSummary(outcome, stream.events, stream.bytes, stream.first_event, self._elapsed())
        self._tell(self._observers.on_close, summary)

    def _tell(self, calls: Iterable[Call], *arguments: Any) -> None:
        for observer, call in calls:
            if id(observer) in self._left_out:
                continue
            try:
                call(self._stream, *arguments)
            except Exception:  # a stranger's code may raise anything
                self._left_out.add(id(observer))
                _log.exception("the observer %r failed; it hears no more of this stream", observer)


class _WatchedSink:
    """A sink whose failures are told; all else is the sink's own."""

    def __init__(self, sink: Sink, told: Callable[[Exception], None]) -> None:
        self._sink = sink
        self._told = told
        self.put = sink.put
        self.carry = sink.carry
        self.wait_room = sink.wait_room
        self.release = sink.release
        self.finish = sink.finish
        self.close = sink.close

    @property
    def ended(self) -> bool:
        return self._sink.ended

    @property
    def put_text(self) -> Callable[[str], bool] | None:
        return self._sink.put_text

    def fail(self, exc: Exception) -> None:
        self._sink.fail(exc)
        self._told(exc)
