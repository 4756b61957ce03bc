"""The lifespan: answered for a handler, passed on for an application; the signals are heard between its two ends."""

from __future__ import annotations

import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import anyio
import pytest

from sseware import EventStream, SSEMiddleware
from sseware.asgi import Drain
from tests.asgi.fakes import FakeServer, serving, turns, until

pytestmark = pytest.mark.anyio

SCOPE = {"type": "lifespan", "asgi": {"version": "3.0"}}


@pytest.fixture(autouse=True)
def of_the_server() -> Iterator[Callable[..., None]]:
    """A server's handler of SIGTERM; at the end the one that was there is put back."""

    def handle(number: int, frame: Any) -> None:
        """Stops the server."""

    before = signal.signal(signal.SIGTERM, handle)
    yield handle
    signal.signal(signal.SIGTERM, before)


class Life:
    """A lifespan as servers call it."""

    def __init__(self) -> None:
        self.answers: list[str] = []
        self._send, self._receive = anyio.create_memory_object_stream[dict[str, str]](10)

    def say(self, what: str) -> None:
        self._send.send_nowait({"type": f"lifespan.{what}"})

    async def receive(self) -> dict[str, str]:
        return await self._receive.receive()

    async def send(self, message: Any) -> None:
        self.answers.append(message["type"])

    def close(self) -> None:
        self._send.close()
        self._receive.close()


@pytest.fixture
async def life() -> AsyncIterator[Life]:
    life = Life()
    yield life
    life.close()


async def endless() -> AsyncIterator[str]:
    yield "a"
    await anyio.sleep_forever()


async def wrapped(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await EventStream(endless())(scope, receive, send)
        return
    for _ in range(2):
        message = await receive()
        await send({"type": f"{message['type']}.complete"})


@pytest.mark.parametrize("app", [endless, wrapped])
async def test_a_signal_between_startup_and_shutdown_ends_the_streams(
    app: Any, life: Life, of_the_server: Callable[..., None]
) -> None:
    """S1, S7."""
    middleware = SSEMiddleware(app)
    async with anyio.create_task_group() as group:
        group.start_soon(middleware, SCOPE, life.receive, life.send)
        await turns()
        assert signal.getsignal(signal.SIGTERM) is of_the_server
        life.say("startup")
        await until(lambda: life.answers == ["lifespan.startup.complete"])
        assert signal.getsignal(signal.SIGTERM) is not of_the_server
        async with serving(middleware) as server:
            await until(lambda: server.sent)
            signal.raise_signal(signal.SIGTERM)
            await until(lambda: server.is_complete)
            assert server.body.startswith(b"data: a\n\n: the server is stopping")
        life.say("shutdown")
    assert life.answers[1:] == ["lifespan.shutdown.complete"]
    assert signal.getsignal(signal.SIGTERM) is of_the_server


@pytest.mark.parametrize("app", [endless, wrapped])
async def test_without_a_signal_the_handlers_are_put_back_at_the_shutdown(
    app: Any, life: Life, of_the_server: Callable[..., None]
) -> None:
    """S7."""
    life.say("startup")
    life.say("shutdown")
    await SSEMiddleware(app)(SCOPE, life.receive, life.send)
    assert life.answers == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert signal.getsignal(signal.SIGTERM) is of_the_server


async def test_the_answer_to_a_shutdown_waits_for_streams_that_are_open(life: Life) -> None:
    """S7: a server that asks while there are some lets them leave so."""
    middleware, servers = SSEMiddleware(endless, drain=10), [FakeServer() for _ in range(30)]
    async with anyio.create_task_group() as group:
        group.start_soon(middleware, SCOPE, life.receive, life.send)
        life.say("startup")
        for server in servers:
            group.start_soon(middleware, {**REQUEST}, server.receive, server.send)
        await until(lambda: all(server.sent for server in servers))
        life.say("shutdown")
        await turns()
        assert life.answers == ["lifespan.startup.complete"]
        await anyio.sleep(9)
        assert len(life.answers) == 2
        assert all(server.is_complete for server in servers)


REQUEST = {
    "type": "http",
    "asgi": {"version": "3.0", "spec_version": "2.3"},
    "http_version": "1.1",
    "method": "GET",
    "path": "/",
    "query_string": b"",
    "headers": [],
}


async def test_an_application_that_starts_again_takes_streams_again(life: Life) -> None:
    """S6: as a server that reloads, or a test that runs the same application twice."""
    middleware = SSEMiddleware(endless)
    for _ in range(2):
        async with anyio.create_task_group() as group:
            group.start_soon(middleware, SCOPE, life.receive, life.send)
            life.say("startup")
            await until(lambda: life.answers)
            async with serving(middleware) as server:
                await until(lambda: server.sent)
                assert server.status == 200
            life.say("shutdown")
        life.answers.clear()


async def test_an_application_that_knows_no_lifespan_is_drained_all_the_same(
    of_the_server: Callable[..., None],
) -> None:
    """S1: the server goes on without a lifespan, as Django's application wants it."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http", "only HTTP"
        await EventStream(endless())(scope, receive, send)

    middleware = SSEMiddleware(app)
    nobody = FakeServer()
    with pytest.raises(AssertionError, match="only HTTP"):
        await middleware(SCOPE, nobody.receive, nobody.send)
    async with serving(middleware) as server:
        await until(lambda: server.sent)
        signal.raise_signal(signal.SIGTERM)
        await until(lambda: server.is_complete)
    assert signal.getsignal(signal.SIGTERM) is of_the_server


@pytest.mark.parametrize("how", ["failed", "raised", "cancelled", "returned"])
async def test_a_startup_that_comes_to_nothing_leaves_no_handler(
    how: str, life: Life, of_the_server: Callable[..., None]
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        if how == "failed":
            await send({"type": "lifespan.startup.failed"})
            await anyio.sleep_forever()
        elif how != "returned":
            await send({"type": "lifespan.startup.complete"})
            if how == "raised":
                raise ValueError("no")
            await anyio.sleep_forever()

    life.say("startup")
    with anyio.move_on_after(1):
        try:
            await SSEMiddleware(app)(SCOPE, life.receive, life.send)
        except ValueError:
            assert how == "raised"
    assert signal.getsignal(signal.SIGTERM) is of_the_server


@pytest.mark.parametrize("app", [endless, wrapped])
async def test_where_the_drain_is_off_no_signal_is_touched(
    app: Any, life: Life, of_the_server: Callable[..., None]
) -> None:
    middleware = SSEMiddleware(app, drain=None)
    async with anyio.create_task_group() as group:
        group.start_soon(middleware, SCOPE, life.receive, life.send)
        life.say("startup")
        await until(lambda: life.answers)
        assert signal.getsignal(signal.SIGTERM) is of_the_server
        life.say("shutdown")
    assert life.answers == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_a_framework_s_own_lifespan_can_listen(of_the_server: Callable[..., None]) -> None:
    drain = Drain()
    middleware = SSEMiddleware(endless, drain=drain)
    with drain.listening():
        assert signal.getsignal(signal.SIGTERM) is not of_the_server
        async with serving(middleware) as server:
            await until(lambda: server.sent)
            signal.raise_signal(signal.SIGTERM)
            await until(lambda: server.is_complete)
    assert signal.getsignal(signal.SIGTERM) is of_the_server


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
def test_a_signal_reaches_the_event_loop_of_its_lifespan_only(anyio_backend: str) -> None:
    """S6: the same application in another thread goes on."""
    middleware, open_, over = SSEMiddleware(endless), threading.Event(), threading.Event()
    seen: list[bytes] = []

    async def elsewhere() -> None:
        async with serving(middleware) as server:
            await until(lambda: server.sent)
            open_.set()
            while not over.is_set():
                await anyio.sleep(0.001)
            seen.append(server.body)

    async def here() -> None:
        life = Life()
        async with anyio.create_task_group() as group:
            group.start_soon(middleware, SCOPE, life.receive, life.send)
            life.say("startup")
            await until(lambda: life.answers)
            async with serving(middleware) as server:
                await until(lambda: server.sent)
                signal.raise_signal(signal.SIGTERM)
                await until(lambda: server.is_complete)
            life.say("shutdown")
        life.close()

    thread = threading.Thread(target=lambda: anyio.run(elsewhere, backend=anyio_backend))
    thread.start()
    assert open_.wait(10)
    anyio.run(here, backend=anyio_backend)
    over.set()
    thread.join()
    assert seen == [b"data: a\n\n"]
