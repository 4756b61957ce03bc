"""FAULTS, section 7, what `tests/e2e/test_drain_on_servers.py` leaves: handlers that take no notice, the lifespan."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import anyio
import pytest
import uvicorn

from sseware import SSEMiddleware
from sseware.asgi import Drain
from sseware.integrations.uvicorn import DrainingServer
from tests.faults.asking import Client, seconds_until

GRACE = 1.0


@contextmanager
def served(
    app: Any, drain: Drain | None, http: Literal["h11", "httptools"]
) -> Iterator[tuple[tuple[str, int], Callable[[], float]]]:
    """Runs a server in a thread; gives its address, and what stops it and says how long that took."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, http=http, loop="asyncio", log_config=None, lifespan="on", ws="none")
    server = DrainingServer(config, drain, None)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})

    def stop() -> float:
        start = time.monotonic()
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()
        return time.monotonic() - start

    thread.start()
    try:
        seconds_until(lambda: server.started)
        yield listener.getsockname(), stop
    finally:
        server.force_exit = True
        stop()


def open_streams(address: tuple[str, int], count: int) -> list[Client]:
    clients = [Client(address) for _ in range(count)]
    for client in clients:
        client.ask("/", method="GET", accept="text/event-stream")
        client.head()
        client.until(b"data: a\n\n")
    return clients


@pytest.mark.parametrize("http", ["h11", "httptools"])
def test_handlers_that_take_no_notice_hold_neither_their_clients_nor_the_server(
    http: Literal["h11", "httptools"],
) -> None:
    """S4: every client has its clean end, and the server ends soon after the grace period."""
    left: list[float] = []
    stopped: list[float] = []

    async def stubborn() -> AsyncIterator[str]:
        try:
            yield "a"
            await anyio.sleep_forever()
        finally:
            try:
                await anyio.sleep(60)
            finally:
                left.append(time.monotonic())

    for _ in range(4):
        left.clear()
        app = SSEMiddleware(stubborn, drain=Drain(grace=GRACE))
        with served(app, app.drain, http) as (address, stop):
            clients = open_streams(address, 5)
            stopped.append(stop())
            for client in clients:
                # A body that was cut off would raise here.
                said = b"".join(chunk for _, chunk in client.chunks())
                assert said.startswith(b": the server is stopping")
                client.close()
        assert len(left) == 5, "the end of the event loop is the end of them"
        # Whatever else the machine does only ever adds to it.
        if stopped[-1] < GRACE + 2.0:
            break
    assert min(stopped) < GRACE + 2.0


@pytest.mark.parametrize("http", ["h11", "httptools"])
def test_what_the_lifespan_closes_is_closed_once_and_after_the_last_stream(
    http: Literal["h11", "httptools"],
) -> None:
    """S7."""
    order: list[str] = []

    async def words() -> AsyncIterator[str]:
        try:
            yield "a"
            await anyio.sleep_forever()
        finally:
            order.append("a stream ends")

    inner = SSEMiddleware(words)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await inner(scope, receive, send)
            return
        while (message := await receive())["type"] == "lifespan.startup":
            order.append("the broker opens")
            await send({"type": "lifespan.startup.complete"})
        assert message["type"] == "lifespan.shutdown"
        order.append("the broker closes")
        await send({"type": "lifespan.shutdown.complete"})

    outer = SSEMiddleware(app, drain=Drain(grace=GRACE))
    with served(outer, outer.drain, http) as (address, stop):
        clients = open_streams(address, 3)
        stop()
        for client in clients:
            client.close()
    assert order == ["the broker opens", *["a stream ends"] * 3, "the broker closes"]
