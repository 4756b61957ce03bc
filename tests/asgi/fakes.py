"""The other side of an application: a server that does as it is told, and what one waits for."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.lowlevel

from sseware.asgi._receive import ReceivePump
from sseware.asgi._runtime import current_runtime

Message = dict[str, Any]
App = Callable[[Any, Any, Any], Any]

# Every wait in these tests ends; in virtual time this costs nothing.
PATIENCE = 100_000


class FakeServer:
    """One request on a server: what comes in, what went out and when, and how ``send`` behaves.

    Attributes:
        incoming: What ``receive`` returns before the disconnect.
        sent: The messages that were taken.
        times: When each was taken, by the event loop's clock.
        fails: Is raised by the next ``send``, and by all that follow.
        turns: How many turns of the event loop each ``send`` takes.
        overlaps: How many calls came while another of their kind was running.
    """

    def __init__(self, *incoming: Message, turns: int = 0) -> None:
        self.incoming = deque(incoming or ({"type": "http.request", "body": b"", "more_body": False},))
        self.sent: list[Message] = []
        self.times: list[float] = []
        self.fails: BaseException | None = None
        self.turns = turns
        self.overlaps = 0
        self.receives = 0
        self._gone = anyio.Event()
        self._open = anyio.Event()
        self._open.set()
        self._running: set[str] = set()

    async def receive(self) -> Message:
        self.receives += 1
        with self._alone("receive"):
            if self.incoming:
                return self.incoming.popleft()
            await self._gone.wait()
            return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        with self._alone("send"):
            for _ in range(self.turns):
                await anyio.lowlevel.checkpoint()
            await self._open.wait() if not self._open.is_set() else None
            if self.fails is not None:
                raise self.fails
            self.sent.append(message)
            self.times.append(anyio.current_time())

    def _alone(self, what: str) -> _Alone:
        return _Alone(self, what)

    def disconnect(self) -> None:
        """Tells the application that the client has left."""
        self._gone.set()

    def stall(self) -> None:
        """Lets ``send`` block from here on."""
        self._open = anyio.Event()

    def resume(self) -> None:
        """Lets it go on."""
        self._open.set()

    @property
    def status(self) -> int:
        """The status of the one head that was sent."""
        return int(self._start()["status"])

    @property
    def headers(self) -> dict[str, str]:
        """Its fields, those of one name joined."""
        fields: dict[str, list[str]] = {}
        for name, value in self._start()["headers"]:
            fields.setdefault(name.decode(), []).append(value.decode())
        return {name: ", ".join(values) for name, values in fields.items()}

    def _start(self) -> Message:
        (start,) = [message for message in self.sent if message["type"] == "http.response.start"]
        return start

    @property
    def chunks(self) -> list[bytes]:
        """The bodies, message by message."""
        return [message["body"] for message in self.sent if message["type"] == "http.response.body"]

    @property
    def body(self) -> bytes:
        """The whole body."""
        return b"".join(self.chunks)

    @property
    def is_complete(self) -> bool:
        """Whether the last message ends the answer, and is the only one to do so."""
        ends = [message.get("more_body") is False for message in self.sent]
        return ends.count(True) == 1 and ends[-1]


class _Alone:
    def __init__(self, server: FakeServer, what: str) -> None:
        self._server = server
        self._what = what

    def __enter__(self) -> None:
        self._server.overlaps += self._what in self._server._running
        self._server._running.add(self._what)

    def __exit__(self, *_: object) -> None:
        self._server._running.discard(self._what)


def request(
    method: str = "GET",
    path: str = "/",
    *,
    query: str = "",
    accept: str | None = None,
    headers: Mapping[str, str] | None = None,
    http_version: str = "1.1",
    **more: Any,
) -> Message:
    """Makes a scope."""
    fields = {**(headers or {}), **({} if accept is None else {"accept": accept})}
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": http_version,
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in fields.items()],
        **more,
    }


def body(*parts: bytes) -> tuple[Message, ...]:
    """Makes the messages of a request body."""
    last = len(parts) - 1
    return tuple(
        {"type": "http.request", "body": part, "more_body": i < last} for i, part in enumerate(parts)
    )


async def answer(app: App, scope: Message | None = None, *, server: FakeServer | None = None) -> FakeServer:
    """Runs an application to its end; returns the server, which has the answer."""
    server = server or FakeServer()
    with anyio.fail_after(PATIENCE):
        await app(scope or request(), server.receive, server.send)
    return server


@asynccontextmanager
async def serving(
    app: App, scope: Message | None = None, *, server: FakeServer | None = None
) -> AsyncIterator[FakeServer]:
    """Runs an application while the body of the statement runs; at its end the client leaves."""
    server = server or FakeServer()
    with anyio.fail_after(PATIENCE):
        async with anyio.create_task_group() as group:
            group.start_soon(app, scope or request(), server.receive, server.send)
            yield server
            server.disconnect()
            server.resume()


async def until(condition: Callable[[], object]) -> None:
    """Waits for a condition that other tasks, or threads, bring about; no time passes."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "the condition was never met"
        await anyio.lowlevel.checkpoint()


async def turns(count: int = 20) -> None:
    """Lets the other tasks run for a while."""
    for _ in range(count):
        await anyio.lowlevel.checkpoint()


@asynccontextmanager
async def started(
    pump: ReceivePump, on_gone: Callable[[], None] = lambda: None
) -> AsyncIterator[ReceivePump]:
    """Lets a pump read ahead meanwhile."""
    runtime = current_runtime()
    pump.start(runtime, on_gone)
    try:
        yield pump
    finally:
        task = pump.stop()
        await runtime.wait_ended([] if task is None else [task], 10)
