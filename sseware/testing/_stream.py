"""A stream as a test sees it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, aclosing, contextmanager
from typing import Any, Protocol, Self

from ..dialects import AnItem, Dialect
from ..errors import NotAnEventStream
from ._exchange import Exchange, check_seconds
from ._observed import ObservedStream
from ._seen import SeenEvent
from ._tracebacks import is_failure
from .errors import NotQuiet, SSETimeout, StreamEnded

__all__ = ["Reconnect", "SSEStream"]

__tracebackhide__ = is_failure


class Reconnect(Protocol):
    """Makes the next connection of a stream."""

    def __call__(self, before: SSEStream, **changes: Any) -> AbstractAsyncContextManager[SSEStream]:
        """Returns a connection that has not been opened; opening it leaves the one before."""
        ...


class SSEStream(ObservedStream):
    """One connection to an application in process, made by `connect`.

    The client reads all the time, whatever the test does meanwhile, except while it is `paused`, and on the server
    ``lockstep``, where it reads while the test waits. What a test has not taken with `next`, `take` or `until` is
    kept for it.
    """

    def __init__(self, exchange: Exchange, dialect: Dialect, timeout: float, reconnect: Reconnect) -> None:
        super().__init__(exchange)
        self._dialect = dialect
        self._timeout = timeout
        self._reconnect = reconnect
        self._reconnections: list[SSEStream] = []
        self._taken = 0

    # What a test waits for.

    async def next(self, *, timeout: float | None = None) -> SeenEvent:
        """Returns the next event.

        Args:
            timeout: How many seconds it is awaited; that of the connection by default.

        Raises:
            SSETimeout: None came in time.
            StreamEnded: None will come.
            AppRaised: None will come, because the application raised.
            NotAnEventStream: The response is something else.
        """
        self._check_type()
        await self._wait(self._has_next, "no event came", timeout)
        if self._taken == len(self._client.events):
            raise self._why_ended("there is no other event")
        event = self._client.events[self._taken]
        self._taken += 1
        return event

    async def take(self, count: int, *, timeout: float | None = None) -> list[SeenEvent]:
        """Returns the next events.

        Args:
            count: How many.
            timeout: How many seconds each is awaited.

        Raises:
            SSETimeout: One did not come in time.
            StreamEnded: There are fewer.
        """
        return [await self.next(timeout=timeout) for _ in range(count)]

    async def until(
        self, what: str | Callable[[SeenEvent], object], *, timeout: float | None = None
    ) -> list[SeenEvent]:
        """Returns the next events up to a certain one, which is the last of them.

        Args:
            what: The type of that event, or a function that tells it.
            timeout: How many seconds all of it may take.

        Raises:
            SSETimeout: It did not come in time.
            StreamEnded: It did not come.
        """
        self._check_type()
        is_it = (lambda event: event.event == what) if isinstance(what, str) else what
        name = f"the event {what!r}" if isinstance(what, str) else "the event"
        events, looked = self._client.events, self._taken
        found = False

        def is_met() -> bool:
            nonlocal looked, found
            while not found and looked < len(events):
                found = bool(is_it(events[looked]))
                looked += 1
            return found or self._has_ended()

        await self._wait(is_met, f"{name} did not come", timeout)
        if not found:
            raise self._why_ended(f"{name} did not come")
        taken, self._taken = events[self._taken : looked], looked
        return taken

    async def drain(self, *, timeout: float | None = None) -> list[SeenEvent]:
        """Returns the events up to the end of the stream.

        Args:
            timeout: How many seconds all of it may take.

        Raises:
            SSETimeout: It did not end in time.
            StreamEnded: It was cut off.
            AppRaised: It was cut off, because the application raised.
        """
        self._check_type()
        await self._wait(self._has_ended, "the stream did not end", timeout)
        if self._client.ending != "complete":
            raise self._why_ended("it has no end")
        taken, self._taken = self._client.events[self._taken :], len(self._client.events)
        return taken

    async def read(self, *, timeout: float | None = None) -> bytes:
        """Returns the whole body, of an event stream or of anything else.

        Raises:
            SSETimeout: It did not end in time.
            StreamEnded: It was cut off.
        """
        await self._wait(self._has_ended, "the body did not end", timeout)
        if self._client.ending != "complete":
            raise self._why_ended("it has no end")
        return self.wire

    async def quiet(self, seconds: float, *, keepalives: bool = True) -> None:
        """Waits, and fails where an event comes, or has come and was not taken.

        Args:
            seconds: How long.
            keepalives: Whether comments may come.

        Raises:
            NotQuiet: Something came.
            StreamEnded: The stream has ended, which is another kind of silence.
        """
        self._check_type()
        chunks = len(self._client.chunks)

        def is_met() -> bool:
            return self._has_next() or (not keepalives and len(self._client.chunks) > chunks)

        check_seconds("seconds", seconds)
        if not await self._exchange.wait(is_met, seconds):
            return
        if self._taken < len(self._client.events):
            event = self._client.events[self._taken]
            raise self._exchange.failure(NotQuiet, f"{event!r} came at {event.at:g} s")
        if self._has_ended():
            raise self._why_ended("it was to be open and quiet")
        chunk = self._client.chunks[chunks]
        raise self._exchange.failure(NotQuiet, f"{chunk.data!r} came at {chunk.at:g} s")

    async def items(self, *, timeout: float | None = None) -> AsyncGenerator[AnItem, None]:
        """Yields the items of the events that were not taken, up to the end of the stream, by the dialect.

        Args:
            timeout: How many seconds each event is awaited.

        Raises:
            InvalidDialectEvent: An event does not have the shape that the dialect gives it.
            TruncatedStream: The dialect has a terminator, and none came.
        """
        decoder = self._dialect.decoder()
        async with aclosing(self._events(timeout)) as events:
            async for event in events:
                for item in decoder.decode(event):
                    yield item
        decoder.close()

    async def _events(self, timeout: float | None) -> AsyncGenerator[SeenEvent, None]:
        self._check_type()
        while True:
            await self._wait(self._has_next, "no event came", timeout)
            if self._taken == len(self._client.events):
                break
            yield await self.next()
        if self._client.ending != "complete":
            raise self._why_ended("it has no end")

    def __aiter__(self) -> AsyncIterator[SeenEvent]:
        return self._events(None)

    # What a test does to the connection.

    async def disconnect(self) -> None:
        """Leaves, as a client that closes its connection, and waits until the application has ended.

        Raises:
            AppLeaked: It did not end in time.
        """
        await self._exchange.finish(self._timeout)
        if self._exchange.leaked is not None:
            raise self._exchange.leaked

    def disconnect_nowait(self) -> None:
        """Leaves, as a client that closes its connection."""
        self._exchange.leave()

    @contextmanager
    def paused(self) -> Iterator[Self]:
        """Stops to read while the body of the statement runs: what the server can send then, it has to hold."""
        self._exchange.server.note("the client stops reading")
        self._client.pause()
        try:
            yield self
        finally:
            self._exchange.server.note("the client reads again")
            self._client.resume()

    def reconnect(self, **changes: Any) -> AbstractAsyncContextManager[SSEStream]:
        """Returns the next connection, which asks for the same with ``Last-Event-ID``; entering it leaves this one.

        Args:
            changes: Arguments of `connect` that are to be other ones.
        """
        return self._reconnect(self, **changes)

    def exchanges(self) -> list[Exchange]:
        """Returns this connection and those that `reconnect` has opened after it, for a report."""
        return [self._exchange, *(each for stream in self._reconnections for each in stream.exchanges())]

    def reconnected(self, stream: SSEStream) -> None:
        """Is told of a connection that `reconnect` has opened."""
        self._reconnections.append(stream)

    # How it goes.

    def _has_next(self) -> bool:
        return self._taken < len(self._client.events) or self._has_ended()

    def _has_ended(self) -> bool:
        return self._client.ending is not None or (self._exchange.server.gone and not self._client.has_unread)

    def _check_type(self) -> None:
        if not self._client.is_event_stream:
            problem = self._exchange.problem()
            if problem is not None:
                self._exchange.told = True
                raise problem
            raise NotAnEventStream(self.status, self.headers.get("content-type"))

    async def _wait(self, is_met: Callable[[], bool], what: str, timeout: float | None) -> None:
        seconds = self._timeout if timeout is None else check_seconds("timeout", timeout)
        if not await self._exchange.wait(is_met, seconds):
            raise self._exchange.failure(SSETimeout, f"{what} within {seconds:g} s")

    def _why_ended(self, what: str) -> Exception:
        problem = self._exchange.problem()
        if problem is not None:
            self._exchange.told = True
            return problem
        how = "was cut off" if self._client.ending == "cut" else "has ended"
        if self._client.ending is None:
            how = "was left by the client"
        count = len(self._client.events)
        return self._exchange.failure(StreamEnded, f"{what}: the stream {how} after {count} events")
