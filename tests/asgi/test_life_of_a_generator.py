"""FAULTS, section 4: what a handler can rely on, whatever its client, its server and its own code do."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import logging
import threading
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Literal

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

from sseware import EventStream, SSEMiddleware
from sseware.errors import HandlerReused
from sseware.items import File
from sseware.testing import cancel_everywhere
from tests.asgi.everywhere import no_task_is_left
from tests.asgi.fakes import FakeServer, answer, request, serving, turns, until

pytestmark = pytest.mark.anyio

VARIABLE = contextvars.ContextVar("variable", default="default")
GOOD_END = b'event: finish\ndata: {"ok":true,"exit_code":0,"result":null}\n\n'


class Log(list[str]):
    """What a handler has done, in which task, with what in its context."""

    def __init__(self) -> None:
        super().__init__()
        self.tasks: list[int] = []
        self.context: list[str] = []

    def note(self, what: str) -> None:
        self.append(what)
        self.tasks.append(anyio.get_current_task().id)
        self.context.append(VARIABLE.get())

    async def idle(self) -> AsyncIterator[str]:
        self.note("entered")
        try:
            yield "a"
            await anyio.sleep_forever()
        finally:
            self.note("finally")

    async def busy(self) -> AsyncIterator[str]:
        self.note("entered")
        try:
            while True:
                yield "a"
        finally:
            self.note("finally")


@pytest.fixture
def no_gc() -> Iterator[None]:
    """Nothing may depend on the garbage collector."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_gc")
async def test_a_disconnect_reaches_an_idle_handler_at_once_in_its_own_task_and_context() -> None:
    """G1."""
    log = Log()
    VARIABLE.set("of the request")
    async with serving(SSEMiddleware(log.idle)) as server:
        await until(lambda: server.chunks)
        now = anyio.current_time()
        server.disconnect()
        await turns()
        assert log == ["entered", "finally"]
        assert anyio.current_time() == now
    assert len(set(log.tasks)) == 1
    assert log.context == ["of the request"] * 2


@pytest.mark.usefixtures("no_gc")
async def test_a_disconnect_reaches_a_handler_whose_reader_has_stalled() -> None:
    """G2."""
    log, server = Log(), FakeServer()
    async with serving(SSEMiddleware(log.busy), server=server):
        await until(lambda: server.chunks)
        server.stall()
        await turns()
        server.disconnect()
        await turns()
        assert log == ["entered", "finally"], "it does not wait for send"
    assert len(set(log.tasks)) == 1


@pytest.mark.parametrize("app", [SSEMiddleware, lambda handler: SSEMiddleware(handler, dialect="husk")])
async def test_a_handler_that_never_awaits_lets_others_run_and_ends_when_its_client_leaves(app: Any) -> None:
    """G3: over a server whose send returns at once, after the client has left, too."""
    log, laps = Log(), 0
    for accept in ("text/event-stream", "application/json, text/plain"):
        log.clear()
        async with serving(app(log.busy), request(accept=accept)) as server:
            for _ in range(100):
                await anyio.lowlevel.checkpoint()
                laps += 1
            server.disconnect()
            await turns()
            assert log == ["entered", "finally"]
    assert laps == 200


async def test_a_timeout_over_yields_reaches_a_handler_whose_reader_is_slow() -> None:
    """G4: the pattern of MachPay's documents; truncated in silence by every peer."""

    async def handler() -> AsyncIterator[str]:
        try:
            with anyio.fail_after(10):
                while True:
                    yield "x" * 30_000
        except TimeoutError:
            yield "timed out"

    server = FakeServer()
    async with serving(SSEMiddleware(handler), server=server):
        await until(lambda: server.chunks)
        server.stall()
        await anyio.sleep(20)
        server.resume()
        await until(lambda: server.is_complete)
    assert server.body.endswith(b"data: timed out\n\n")


async def test_a_task_group_over_yields_leaves_no_stray_cancellation() -> None:
    """G4."""

    async def handler() -> AsyncIterator[str]:
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, 0.1)
            for letter in "abc":
                yield letter
                await anyio.sleep(0.05)
        await anyio.lowlevel.checkpoint()
        yield "after"

    server = await answer(SSEMiddleware(handler))
    assert server.body.endswith(b"data: c\n\ndata: after\n\n")


async def test_a_handler_may_await_in_its_finally() -> None:
    """G5."""
    log = Log()

    async def handler() -> AsyncIterator[str]:
        try:
            while True:
                yield "a"
        finally:
            await anyio.sleep(3)
            log.note("closed")

    server = FakeServer()
    start = anyio.current_time()
    async with serving(SSEMiddleware(handler), server=server):
        await until(lambda: server.chunks)
        server.stall()
        await turns()
    assert log == ["closed"]
    assert anyio.current_time() - start == 3


async def test_a_handler_that_cannot_be_cancelled_holds_its_request_for_a_while_and_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """G6."""
    release = anyio.Event()

    async def stubborn() -> AsyncIterator[str]:
        yield "a"
        with anyio.CancelScope(shield=True):
            while not release.is_set():
                try:
                    await release.wait()
                except BaseException:  # that is the point
                    continue
        yield "b"

    app = SSEMiddleware(stubborn, cleanup_timeout=2)
    start = anyio.current_time()
    with caplog.at_level(logging.ERROR, "sseware"):
        async with serving(app) as server:
            await until(lambda: server.chunks)
    assert anyio.current_time() - start == 2
    assert caplog.messages == ["the handler did not end within 2 s of being closed; it is abandoned"]
    assert (await answer(SSEMiddleware(lambda: ["b"]))).is_complete
    release.set()
    await turns()


@pytest.mark.parametrize("what", ["yields", "raises"])
async def test_a_finally_that_misbehaves_is_logged_and_the_answer_ends(
    what: str, caplog: pytest.LogCaptureFixture
) -> None:
    """G7."""

    async def handler() -> AsyncIterator[Any]:
        try:
            while True:
                yield "a"
        finally:
            if what == "raises":
                raise RuntimeError("in the finally")
            yield "b"

    server = FakeServer()
    with caplog.at_level(logging.ERROR, "sseware"):
        async with serving(SSEMiddleware(handler), server=server):
            await until(lambda: server.chunks)
    assert caplog.messages == ["the handler failed while it was closed"]


async def test_a_handler_whose_client_has_left_already_is_closed_without_running() -> None:
    """G8."""
    log = Log()
    server = FakeServer({"type": "http.disconnect"})
    async with no_task_is_left():
        await answer(SSEMiddleware(log.idle), server=server)
    # Trio starts tasks in any order.
    assert log in ([], ["entered", "finally"])
    assert server.sent == []


async def test_dependencies_of_a_handler_that_never_ran_are_released() -> None:
    """G8: what was opened before the generator is the caller's to close, and the call returns."""
    log = list[str]()

    async def handler() -> AsyncIterator[str]:
        await anyio.sleep_forever()
        yield "a"

    async def app(scope: Any, receive: Any, send: Any) -> None:
        log.append("opened")
        try:
            await EventStream(handler())(scope, receive, send)
        finally:
            log.append("released")

    await answer(SSEMiddleware(app), server=FakeServer({"type": "http.disconnect"}))
    assert log == ["opened", "released"]


@pytest.mark.usefixtures("no_gc")
async def test_a_sync_handler_is_closed_between_its_steps() -> None:
    """G9."""
    closed_in: list[str] = []
    steps = 0

    def handler() -> Iterator[str]:
        nonlocal steps
        try:
            while True:
                steps += 1
                yield "a"
        finally:
            closed_in.append(threading.current_thread().name)

    server = FakeServer()
    async with serving(SSEMiddleware(handler), server=server):
        await until(lambda: server.chunks)
        server.disconnect()
        seen = steps
        await until(lambda: closed_in)
        assert steps - seen <= 2
    assert closed_in != [threading.current_thread().name]


async def test_departed_clients_of_a_blocked_sync_handler_starve_nobody() -> None:
    """G10: 45 of them delay every sync endpoint by 18 s on the peers."""
    release = threading.Event()
    entered = []

    def blocked() -> Iterator[str]:
        entered.append(1)
        release.wait(30)
        yield "a"

    app = SSEMiddleware(blocked, cleanup_timeout=0.001)
    servers, other = [FakeServer() for _ in range(120)], FakeServer()
    async with anyio.create_task_group() as group:
        for server in servers:
            group.start_soon(app, request(), server.receive, server.send)
        await until(lambda: len(entered) >= 100)
        assert await anyio.to_thread.run_sync(lambda: "a sync endpoint") == "a sync endpoint"
        for server in servers:
            server.disconnect()
        await turns()
        group.start_soon(SSEMiddleware(lambda: iter(["b"])), request(), other.receive, other.send)
        await until(lambda: other.sent)
        release.set()
    assert other.body == b"data: b\n\n"


async def test_a_sync_handler_that_raises_StopIteration_has_failed() -> None:
    """G11: as PEP 479 has it."""

    def handler() -> Iterator[str]:
        yield "a"
        raise StopIteration

    server = await answer(SSEMiddleware(handler))
    assert server.body == (
        b'data: a\n\nevent: error\ndata: {"message":"internal error","code":"internal_error","status":500}\n\n'
    )


async def test_a_coroutine_may_return_what_yields() -> None:
    """G12."""

    async def handler() -> list[str]:
        await anyio.lowlevel.checkpoint()
        return ["a"]

    assert (await answer(SSEMiddleware(handler))).body == b"data: a\n\n"


async def test_one_generator_serves_one_response() -> None:
    """G13."""
    log = Log()
    generator = log.idle()
    app = SSEMiddleware(lambda: generator)
    async with serving(app) as first:
        await until(lambda: first.chunks)
        second = await answer(app)
        assert second.status == 500
        assert log == ["entered"], "the first one goes on"
    assert log == ["entered", "finally"]


async def test_one_generator_in_two_event_streams_serves_the_first() -> None:
    """G13."""
    log = Log()
    generator = log.idle()
    one, two = EventStream(generator), EventStream(generator)
    async with serving(one) as server:
        await until(lambda: server.chunks)
        with pytest.raises(HandlerReused):
            await answer(two)
        assert log == ["entered"]
    assert log == ["entered", "finally"]


async def test_a_group_around_the_close_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    """G14."""

    async def handler() -> AsyncIterator[str]:
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep_forever)
            while True:
                yield "a"

    server = FakeServer()
    async with serving(SSEMiddleware(handler), server=server):
        await until(lambda: server.chunks)
        server.stall()
        await turns()
    assert caplog.messages == []


class Counted:
    """A handler that pauses by turns, awaits in its finally, and counts how often it is entered and closed."""

    def __init__(self, first: object = "a") -> None:
        self.entered: list[int] = []
        self.closed: list[int] = []
        self.interrupted = 0
        self.at_end = False
        self._first = first

    async def __call__(self) -> AsyncIterator[object]:
        self.entered.append(anyio.get_current_task().id)
        try:
            await anyio.lowlevel.checkpoint()
            yield self._first
            for _ in range(5):
                await anyio.lowlevel.checkpoint()
                yield "b"
            self.at_end = True
        finally:
            try:
                await anyio.lowlevel.checkpoint()
            except BaseException:
                self.interrupted += 1
                raise
            finally:
                self.closed.append(anyio.get_current_task().id)


@pytest.mark.parametrize(
    "first",
    [
        pytest.param("a", id="a-stream"),
        pytest.param(File(b"bytes"), id="a-file-first"),
        pytest.param(object(), id="a-failure-first"),
    ],
)
@pytest.mark.parametrize("accept", ["text/event-stream", "application/json"])
@pytest.mark.parametrize("at", ["checkpoint", "turn"])
@pytest.mark.parametrize("how", ["scope", "task"])
async def test_whoever_is_cancelled_cleans_up_and_is_cancelled_once(
    how: Literal["scope", "task"],
    at: Literal["checkpoint", "turn"],
    accept: str,
    first: object,
    anyio_backend: Any,
) -> None:
    """G15: wherever the caller waits, and at every turn."""
    if how == "task" and anyio_backend[0] == "trio":
        how = "scope"
    handlers: list[Counted] = []
    servers: list[FakeServer] = []

    async def scenario() -> None:
        handlers.append(Counted(first))
        servers.append(FakeServer(turns=1))
        await SSEMiddleware(handlers[-1])(request(accept=accept), servers[-1].receive, servers[-1].send)

    last = 0
    async for number in cancel_everywhere(scenario, by=how, at=at):
        last = number
        if len(handlers) <= number:
            continue  # it was cancelled before it began
        handler, server = handlers[-1], servers[-1]
        assert handler.closed == handler.entered, "closed once, in its own task"
        if anyio_backend[0] == "asyncio":
            assert handler.at_end or not handler.interrupted, "cancelled once; its finally may await"
        assert server.overlaps == 0
        ends = [message.get("more_body") is False for message in server.sent]
        assert ends.count(True) <= 1
        assert ends.index(True) == len(ends) - 1 if any(ends) else True
        assert server.body.count(GOOD_END) == 0
    assert last > (2 if at == "checkpoint" else 5)
    assert servers[-1].is_complete


async def test_a_sync_handler_is_closed_when_whoever_called_is_cancelled() -> None:
    """G15, G9."""
    closed: list[str] = []

    def handler() -> Iterator[str]:
        try:
            while True:
                yield "a"
        finally:
            closed.append("closed")

    server = FakeServer()
    with anyio.CancelScope() as scope:
        async with serving(SSEMiddleware(handler), server=server):
            await until(lambda: server.chunks)
            scope.cancel()
            await anyio.lowlevel.checkpoint()
    assert scope.cancelled_caught
    assert closed == ["closed"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("accept", ["text/event-stream", "application/json", "image/png"])
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda log: log.idle(), id="async"),
        pytest.param(lambda log: iter(log), id="sync"),
        pytest.param(lambda log: _later(log), id="coroutine"),
    ],
)
async def test_nothing_is_left_for_the_garbage_collector(
    make: Callable[[Log], Any], accept: str, method: str
) -> None:
    """G16: no warning of a coroutine that was never awaited, of a generator that was never closed."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        server = FakeServer()
        async with (
            no_task_is_left(),
            serving(EventStream(make(Log())), request(method, accept=accept), server=server),
        ):
            await turns()
        gc.collect()


async def _later(log: Log) -> AsyncIterator[str]:
    return log.idle()


async def test_what_a_wrapped_application_does_after_its_stream_runs_after_its_end() -> None:
    """G17: a background task; after a disconnect, too."""
    order: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await EventStream(["a"] if scope["path"] == "/short" else Log().idle())(scope, receive, send)
        order.append("background")

    server = await answer(SSEMiddleware(app), request(path="/short"))
    assert (server.is_complete, order) == (True, ["background"])
    async with serving(SSEMiddleware(app)) as server:
        await until(lambda: server.chunks)
    assert order == ["background"] * 2


@pytest.mark.parametrize("name", ["asyncio", "trio", "uvloop"])
def test_two_event_loops_one_after_the_other_know_nothing_of_each_other(name: str) -> None:
    """S6."""
    options: dict[str, Any] = {}
    if name == "uvloop":
        pytest.importorskip("uvloop")
        name, options = "asyncio", {"use_uvloop": True}

    def sync() -> Iterator[str]:
        yield "b"

    apps = [SSEMiddleware(Log().busy), SSEMiddleware(sync), SSEMiddleware(lambda: ["a"])]

    async def main() -> None:
        for app in apps:
            async with serving(app) as server:
                await until(lambda: server.chunks)  # it is awaited here

    for _ in range(2):
        anyio.run(main, backend=name, backend_options=options)


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
async def test_a_shutdown_that_cancels_every_task_ends_every_stream() -> None:
    """G15: as asyncio.run does at its end."""
    log = Log()
    server = FakeServer()

    async def main() -> None:
        await SSEMiddleware(log.idle)(request(), server.receive, server.send)

    task = asyncio.create_task(main())
    await until(lambda: server.chunks)
    for each in asyncio.all_tasks():
        if each is task or each.get_name().startswith("sseware"):
            each.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert log == ["entered", "finally"]
