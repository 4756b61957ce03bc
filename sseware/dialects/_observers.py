"""Who watches streams: what an observer is told, and when.

An observer is called in the middle of a stream's work, so that it must be quick, and must not wait. On one stream the
calls come in this order: ``on_open``; ``on_event`` for each event; ``on_error`` where something was raised;
``on_close``, which comes whatever has happened. All but ``on_error`` come in the task of the request, in one
context: a context variable that ``on_open`` sets is seen by the handler, and can be reset in ``on_close``.
``on_error`` comes in the task of the handler, when it raises: events that it had run ahead may follow. Where an
application is adapted, ``on_open`` comes in the task in which that sends, and events in a task of the writer's.

Only what a class overrides is called. What no observer overrides costs nothing.
"""

from __future__ import annotations

import inspect
from enum import StrEnum
from typing import Literal

import msgspec

from ..errors import ConfigurationError
from ..events import ServerSentEvent

__all__ = ["ObservedStream", "Outcome", "StreamObserver", "StreamSummary"]


class Outcome(StrEnum):
    """How a stream ended."""

    FINISHED = "finished"
    """The handler ended, and the client was told that it ended well."""
    FAILED = "failed"
    """The handler raised, or yielded a failure, or a `Finish` that is not ok; the client was told that."""
    LEFT = "left"
    """The client left."""
    STALLED = "stalled"
    """The client stopped reading, and was given up."""
    DRAINED = "drained"
    """The server was told to stop, and the client to come back."""
    EXPIRED = "expired"
    """The stream reached its age, or what allowed it expired."""
    CANCELLED = "cancelled"
    """Whoever called the application gave it up, as a server does that has waited long enough."""


class ObservedStream(msgspec.Struct, eq=False, weakref=True, kw_only=True):
    """A stream as its observers see it; one object from its beginning to its end, and only to be read.

    It is told apart by identity, so that it may be the key of a dict, also of a weak one.

    Attributes:
        dialect: The name of the dialect.
        method: The request method.
        path: The path of the request, decoded. It may hold what must not become a label of a metric.
        http_version: ``"1.0"``, ``"1.1"``, ``"2"`` or ``"3"``.
        carrier: What carries the stream.
        events: How many events the server has been given so far; for a WebSocket, messages.
        bytes: How many bytes of body.
        first_event: How many seconds after the request the first event was given to the server.
    """

    dialect: str
    method: str = "GET"
    path: str = "/"
    http_version: str = "1.1"
    carrier: Literal["http", "websocket"] = "http"
    events: int = 0
    bytes: int = 0
    first_event: float | None = None


class StreamSummary(msgspec.Struct, frozen=True):
    """What there is to tell of a stream that has ended.

    Attributes:
        outcome: How it ended.
        events: How many events the server was given.
        bytes: How many bytes of body, comments included.
        first_event: How many seconds after the request the first event was given to it; ``None`` without one.
        duration: How many seconds the stream took, the handler's clean-up included.
    """

    outcome: Outcome
    events: int = 0
    bytes: int = 0
    first_event: float | None = None
    duration: float = 0.0


class StreamObserver:
    """Is told of streams; a subclass overrides what it wants to be told.

    An observer that raises harms nobody: its exception is logged, and it hears no more of that stream.

    >>> class Ledger(StreamObserver):
    ...     def on_close(self, stream, summary):
    ...         print(stream.dialect, summary.outcome, summary.events)

    Raises:
        ConfigurationError: A subclass overrides a method with an async one, which nobody would await.
    """

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for name in ("on_open", "on_event", "on_error", "on_close"):
            method = vars(cls).get(name)
            if inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method):
                raise ConfigurationError(
                    f"{cls.__qualname__}.{name} is async; an observer is called and not awaited, write def"
                )

    def on_open(self, stream: ObservedStream) -> None:
        """Is called where a request is about to be streamed, before its handler is entered."""

    def on_event(self, stream: ObservedStream, event: ServerSentEvent) -> None:
        """Is called for each event, as it is on the wire, when the server is given it; comments are none."""

    def on_error(self, stream: ObservedStream, error: Exception) -> None:
        """Is called with what the handler, or its dialect, raised; once at most."""

    def on_close(self, stream: ObservedStream, summary: StreamSummary) -> None:
        """Is called where the stream has ended and its handler is closed."""
