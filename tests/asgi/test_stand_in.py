"""An event that the server takes at once is written in the handler's turn, and in the name of the request's task."""

from __future__ import annotations

import asyncio
import contextvars
import sys
import weakref
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from sseware import SSEMiddleware
from sseware.asgi._on_asyncio import _CurrentTasks, current_tasks
from sseware.items import Finish
from tests.asgi.fakes import FakeServer, answer, request, serving, turns, until

pytestmark = pytest.mark.anyio

here: contextvars.ContextVar[str] = contextvars.ContextVar("here", default="nowhere")


async def waiting(count: int = 4) -> AsyncIterator[str]:
    """Waits for a turn of the event loop before each text, so that each is written alone."""
    here.set("in the handler")
    for i in range(count):
        await anyio.lowlevel.checkpoint()
        await anyio.lowlevel.checkpoint()
        yield str(i)


class Server(FakeServer):
    """A server whose ``send`` is wrapped."""

    def __init__(self, wrap: Callable[[Any], Any]) -> None:
        super().__init__()
        self._wrap = wrap

    async def send(self, message: Any) -> None:
        async with self._wrap(message):
            await super().send(message)


def bodies(server: FakeServer) -> list[bytes]:
    return [message["body"] for message in server.sent[1:]]


async def test_every_message_is_sent_by_the_task_and_in_the_context_of_the_request() -> None:
    seen: list[tuple[int, str]] = []
    token = here.set("at the request")
    server = FakeServer()

    async def send(message: Any) -> None:
        seen.append((anyio.get_current_task().id, here.get()))
        await server.send(message)

    try:
        await SSEMiddleware(lambda: waiting())(request(), server.receive, send)
    finally:
        here.reset(token)
    assert bodies(server)[1:4] == [b"data: 1\n\n", b"data: 2\n\n", b"data: 3\n\n"]
    assert set(seen) == {(anyio.get_current_task().id, "at the request")}


async def test_what_a_send_sets_in_its_context_is_there_for_the_next(anyio_backend_name: str) -> None:
    count: contextvars.ContextVar[int] = contextvars.ContextVar("count", default=0)
    counts: list[int] = []
    server = FakeServer()

    async def send(message: Any) -> None:
        count.set(count.get() + 1)
        if message["type"] == "http.response.body":
            counts.append(count.get())
        await server.send(message)

    await SSEMiddleware(lambda: waiting(6))(request(), server.receive, send)
    if sys.version_info >= (3, 12) or anyio_backend_name == "trio":
        assert counts == list(range(2, len(counts) + 2))
    else:
        # There the context of a task cannot be had: what is sent in the handler's turn has a copy to itself.
        assert counts[1:-1] == list(range(2, len(counts)))


@pytest.mark.parametrize("anyio_backend", [("asyncio", {})], ids=["asyncio"])
async def test_an_event_that_is_taken_at_once_wakes_no_second_task(monkeypatch: pytest.MonkeyPatch) -> None:
    count = 50
    turns = 0
    loop = asyncio.get_running_loop()
    call_soon = loop.call_soon

    def counted(*args: Any, **kwargs: Any) -> asyncio.Handle:
        nonlocal turns
        turns += 1
        return call_soon(*args, **kwargs)

    async def handler() -> AsyncIterator[str]:
        for _ in range(count):
            await asyncio.sleep(0)
            yield "x"

    monkeypatch.setattr(loop, "call_soon", counted)
    server = await answer(SSEMiddleware(handler))
    monkeypatch.undo()
    assert bodies(server)[1:-1] == [b"data: x\n\n"] * (len(bodies(server)) - 2)
    assert len(bodies(server)) >= count
    assert turns < 1.5 * count


@pytest.mark.parametrize(
    ("tick", "fillings"),
    [pytest.param(0.0, 4, id="where no time passes"), pytest.param(0.002, 1, id="where each takes long")],
)
@pytest.mark.parametrize("anyio_backend", [("asyncio", {})], ids=["asyncio"])
async def test_a_handler_that_never_awaits_lets_others_run_after_a_millisecond_or_four_fillings(
    monkeypatch: pytest.MonkeyPatch, tick: float, fillings: int
) -> None:
    """G3: a filling is as many items as the outbox holds."""
    loop = asyncio.get_running_loop()
    now, outbox, others = loop.time(), 8, 0
    turned: list[int] = []

    def clock() -> float:
        nonlocal now
        now += tick
        return now

    async def other() -> None:
        nonlocal others
        while True:
            others += 1
            await asyncio.sleep(0)

    async def handler() -> AsyncIterator[str]:
        for _ in range(outbox * 20):
            turned.append(others)
            yield "x"

    monkeypatch.setattr(loop, "time", clock)
    beside = asyncio.create_task(other())
    server = await answer(SSEMiddleware(handler, outbox=(outbox, 65536)))
    beside.cancel()
    monkeypatch.undo()
    assert b"".join(bodies(server)).count(b"data: x\n\n") == outbox * 20
    assert max(body.count(b"data:") for body in bodies(server)) == outbox
    in_a_turn = [turned.count(turn) for turn in sorted(set(turned))]
    assert max(in_a_turn) == outbox * fillings


@pytest.mark.parametrize("anyio_backend", [("asyncio", {})], ids=["asyncio"])
async def test_the_current_task_is_set_by_what_asyncio_gives_to_those_who_make_tasks() -> None:
    """Where it is no dict any more: since Python 3.14."""
    loop, here = asyncio.get_running_loop(), asyncio.current_task()
    other = asyncio.create_task(asyncio.sleep(0))
    tasks = _CurrentTasks()
    assert here is not None
    assert tasks[loop] is current_tasks[loop] is here
    for each in (other, here):
        tasks[loop] = each
        assert tasks[loop] is current_tasks[loop] is asyncio.current_task() is each
    await other


class Holding:
    """Holds things over a ``send`` that must be left by whoever entered them."""

    def __init__(self) -> None:
        self.entered = 0
        self.left = 0

    async def __aenter__(self) -> None:
        self._scope = anyio.CancelScope()
        self._scope.__enter__()
        self._token = here.set("in send")
        self.entered += 1

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        here.reset(self._token)
        self._scope.__exit__(kind, exc, trace)
        self.left += 1


async def test_a_send_that_waits_is_finished_where_it_was_begun() -> None:
    """What it has entered is left in the task, and in the context, that entered it."""
    holding = Holding()
    server = Server(lambda _: holding)

    async def handler() -> AsyncIterator[str]:
        with anyio.CancelScope():
            async for text in waiting(3):
                server.stall()
                yield text
                for _ in range(3):
                    await anyio.lowlevel.checkpoint()
                server.resume()

    await answer(SSEMiddleware(handler), server=server)
    assert b"".join(bodies(server)).endswith(b"data: 0\n\ndata: 1\n\ndata: 2\n\n")
    assert holding.entered == holding.left == len(server.sent)


async def test_a_send_that_stalls_is_given_up_as_ever() -> None:
    holding = Holding()
    server = Server(lambda _: holding)
    ended = []

    async def handler() -> AsyncIterator[str]:
        try:
            yield "first"
            await anyio.lowlevel.checkpoint()
            server.stall()
            yield "stalled"
            await anyio.sleep_forever()
        finally:
            ended.append(anyio.current_time())

    began = anyio.current_time()
    await answer(SSEMiddleware(handler, send_timeout=5), server=server)
    assert ended == [began + 5]
    assert holding.entered == holding.left


async def test_a_request_that_is_cancelled_ends_a_send_that_was_begun_for_it() -> None:
    holding = Holding()
    server = Server(lambda _: holding)
    scope = anyio.CancelScope()

    async def handler() -> AsyncIterator[str]:
        yield "first"
        await anyio.lowlevel.checkpoint()
        server.stall()
        yield "stalled"
        await anyio.lowlevel.checkpoint()
        scope.cancel()
        await anyio.sleep_forever()

    with scope:
        await answer(SSEMiddleware(handler), server=server)
    assert scope.cancelled_caught
    assert holding.entered == holding.left


@pytest.mark.parametrize("error", [OSError("gone"), RuntimeError("gone")], ids=repr)
async def test_a_send_that_fails_ends_the_stream_and_closes_the_handler(error: Exception) -> None:
    server = FakeServer()
    closed = []

    async def handler() -> AsyncIterator[str]:
        try:
            yield "first"
            await anyio.lowlevel.checkpoint()
            server.fails = error
            yield "fails"
            await anyio.sleep_forever()
        finally:
            closed.append(len(server.sent))

    await answer(SSEMiddleware(handler), server=server)
    assert closed == [len(server.sent)]


async def test_what_is_no_exception_is_raised_to_the_caller() -> None:
    class Stop(BaseException):
        """Not an `Exception`."""

    server = FakeServer()

    async def handler() -> AsyncIterator[str]:
        yield "first"
        await anyio.lowlevel.checkpoint()
        server.fails = Stop()
        yield "fails"
        await anyio.sleep_forever()

    with pytest.raises(Stop):
        await SSEMiddleware(handler)(request(), server.receive, server.send)


async def test_nothing_is_written_once_the_client_has_left() -> None:
    async def handler() -> AsyncIterator[str]:
        yield "first"
        try:
            await anyio.sleep_forever()
        except anyio.get_cancelled_exc_class():
            yield "too late"
            raise

    async with serving(SSEMiddleware(handler)) as server:
        await until(lambda: b"first" in b"".join(bodies(server)))
        before = list(server.sent)
        server.disconnect()
    assert server.sent == before


@pytest.mark.parametrize("anyio_backend", [("asyncio", {})], ids=["asyncio"])
async def test_nothing_of_an_event_is_kept_once_it_was_taken() -> None:
    """What many streams keep until their next events is in no cache by then."""
    calls: list[weakref.ref[Any]] = []

    class Watched(FakeServer):
        """Tells what its calls have become."""

        def send(self, message: Any) -> Any:
            call = super().send(message)
            calls.append(weakref.ref(call))
            return call

    async def handler() -> AsyncIterator[str]:
        async for text in waiting():
            yield text
        await anyio.sleep_forever()

    async with serving(SSEMiddleware(handler), server=Watched()) as server:
        await until(lambda: b"data: 3\n\n" in bodies(server))
        await turns()
        assert [call() for call in calls[-3:]] == [None] * 3


async def test_the_last_event_leaves_with_the_end_though_the_handler_cleans_up_first() -> None:
    async def handler() -> AsyncIterator[Any]:
        try:
            async for text in waiting(2):
                yield text
            yield Finish()
        finally:
            await turns()

    server = await answer(SSEMiddleware(handler))
    *_, before, last = server.sent
    assert (before["body"], last["more_body"]) == (b"data: 0\n\n", False)
    assert last["body"].startswith(b"data: 1\n\n")
