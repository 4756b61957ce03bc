"""What a stream needs of its event loop is the same on asyncio and on Trio."""

from __future__ import annotations

import asyncio
import contextvars
import functools
from collections.abc import Awaitable, Generator
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from sseware.asgi._runtime import Task, Timer, current_runtime
from tests.asgi.fakes import FakeServer, turns, until

pytestmark = pytest.mark.anyio

VARIABLE = contextvars.ContextVar("variable", default="default")
MESSAGE = {"type": "http.response.body", "body": b"a", "more_body": True}


async def sent_within(call: Awaitable[None], seconds: float | None) -> bool:
    """Sends as `Sender` does: what has ended when it was begun is not waited for."""
    runtime = current_runtime()
    rest = runtime.begin(call)
    return rest is None or await runtime.finish_within(rest, runtime.deadline(seconds))


async def test_the_clock_is_that_of_the_event_loop() -> None:
    runtime = current_runtime()
    start = runtime.now()
    await anyio.sleep(60)
    assert runtime.now() - start == 60


async def test_a_task_runs_on_its_own_in_a_copy_of_the_callers_context() -> None:
    seen: list[str] = []

    async def main() -> None:
        seen.append(VARIABLE.get())
        VARIABLE.set("inside")

    VARIABLE.set("outside")
    task = current_runtime().spawn(main, "a task")
    assert not task.done()
    await turns()
    assert task.done()
    assert (seen, VARIABLE.get()) == (["outside"], "outside")


async def test_a_task_may_be_made_of_anything_that_can_be_awaited() -> None:
    ended: list[str] = []

    class Later:
        """Has an ``__await__``, and nothing else."""

        def __await__(self) -> Generator[Any, Any, None]:
            yield from anyio.lowlevel.checkpoint().__await__()
            ended.append("it")

    current_runtime().spawn(Later, "a task")
    await until(lambda: ended)


async def test_a_task_is_cancelled_by_the_exception_of_its_event_loop() -> None:
    caught: list[BaseException] = []
    runtime = current_runtime()

    async def main() -> None:
        try:
            await anyio.sleep_forever()
        except BaseException as exc:
            caught.append(exc)
            raise

    task = runtime.spawn(main, "a task")
    await turns()
    task.cancel()
    await turns()
    assert task.done()
    assert [type(exc) for exc in caught] == [runtime.cancelled]


async def test_an_abandoned_task_holds_nobody_up() -> None:
    ended = anyio.Event()

    async def main() -> None:
        try:
            await anyio.sleep_forever()
        except BaseException:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(1000)
            ended.set()
            raise

    task = current_runtime().spawn(main, "stubborn")
    await turns()
    task.cancel()
    await anyio.sleep(1)
    assert not task.done()
    await ended.wait()  # the test would leave it behind


async def test_a_timer_rings_once_at_its_time() -> None:
    runtime = current_runtime()
    start, rang = runtime.now(), list[float]()
    runtime.call_later(15, lambda: rang.append(runtime.now() - start))
    await anyio.sleep(60)
    assert rang == [15]


async def test_a_timer_that_is_cancelled_does_not_ring() -> None:
    rang: list[int] = []
    timer = current_runtime().call_later(15, lambda: rang.append(1))
    await anyio.sleep(14)
    timer.cancel()
    await anyio.sleep(60)
    assert rang == []


async def test_a_timer_that_is_cancelled_at_its_very_time_does_not_ring() -> None:
    runtime, rang, timers = current_runtime(), list[int](), list[Timer]()

    def ring(mine: int) -> None:
        rang.append(mine)
        timers[1 - mine].cancel()

    timers += [runtime.call_later(15, functools.partial(ring, i)) for i in range(2)]
    await anyio.sleep(60)
    assert len(rang) == 1


async def test_a_turn_lets_the_others_run() -> None:
    runtime, order = current_runtime(), list[str]()

    async def other() -> None:
        order.append("other")

    runtime.spawn(other, "other")
    for _ in range(3):
        await runtime.turn()
    order.append("mine")
    assert order == ["other", "mine"]


async def test_a_wake_up_that_comes_first_is_not_lost() -> None:
    wake = current_runtime().wake_up()
    wake()
    wake()
    await wake.wait()
    with anyio.move_on_after(1) as scope:
        await wake.wait()
    assert scope.cancelled_caught, "two calls are one"


async def test_a_wake_up_wakes_whoever_waits() -> None:
    wake, woken = current_runtime().wake_up(), list[int]()

    async def sleeper() -> None:
        for i in range(2):
            await wake.wait()
            woken.append(i)

    async with anyio.create_task_group() as group:
        group.start_soon(sleeper)
        await turns()
        assert woken == []
        wake()
        await turns()
        assert woken == [0]
        wake()
    assert woken == [0, 1]


async def test_a_wake_up_survives_a_sleeper_that_was_cancelled() -> None:
    wake = current_runtime().wake_up()
    for _ in range(2):
        with anyio.move_on_after(1):
            await wake.wait()
        wake()
        await wake.wait()


async def test_one_waits_for_tasks_until_they_have_ended() -> None:
    runtime = current_runtime()
    start = runtime.now()
    tasks = [runtime.spawn(lambda s=s: anyio.sleep(s), "sleeper") for s in (3, 7)]  # type: ignore[misc]
    await runtime.wait_ended(tasks, 10)
    assert all(task.done() for task in tasks)
    assert runtime.now() - start == 7
    await runtime.wait_ended(tasks, 10)
    assert runtime.now() - start == 7


async def test_one_does_not_wait_for_ever() -> None:
    runtime = current_runtime()
    start = runtime.now()
    task = runtime.spawn(anyio.sleep_forever, "sleeper")
    await runtime.wait_ended([task], 10)
    assert runtime.now() - start == 10
    task.cancel()
    await runtime.wait_ended([task], 10)
    assert runtime.now() - start == 10


async def test_one_who_is_cancelled_waits_all_the_same_and_is_cancelled_then() -> None:
    """G15."""
    runtime = current_runtime()
    start = runtime.now()
    task = runtime.spawn(lambda: anyio.sleep(5), "sleeper")
    with anyio.CancelScope() as scope:
        scope.cancel()
        await runtime.wait_ended([task], 10)
        await anyio.lowlevel.checkpoint()
    assert scope.cancelled_caught
    assert task.done()
    assert runtime.now() - start == 5


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
@pytest.mark.parametrize("times", [1, 3])
async def test_task_cancel_does_not_cut_the_wait_short_and_is_raised_once(times: int) -> None:
    """G15."""
    runtime = current_runtime()
    start, after = runtime.now(), list[str]()
    sleeper = runtime.spawn(lambda: anyio.sleep(5), "sleeper")

    async def waiter() -> None:
        try:
            await runtime.wait_ended([sleeper], 10)
        finally:
            after.append("cleaned up")
            await asyncio.sleep(1)
            after.append("and may await")

    waiting = asyncio.create_task(waiter())
    for _ in range(times):
        await turns(3)
        waiting.cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    assert after == ["cleaned up", "and may await"]
    assert runtime.now() - start == 6


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
async def test_a_send_that_does_not_block_has_ended_when_it_was_begun() -> None:
    server = FakeServer()
    assert current_runtime().begin(server.send(MESSAGE)) is None
    assert server.sent == [MESSAGE]


async def test_a_send_without_a_limit_may_take_its_time() -> None:
    server = FakeServer()
    server.stall()
    current_runtime().call_later(3600, server.resume)
    assert await sent_within(server.send(MESSAGE), None)
    assert server.sent == [MESSAGE]


async def test_a_send_that_does_not_block_is_taken_at_once() -> None:
    server = FakeServer()
    assert await sent_within(server.send(MESSAGE), 30)
    assert server.sent == [MESSAGE]


async def test_a_send_that_blocks_for_a_while_is_taken() -> None:
    server = FakeServer(turns=3)
    server.stall()
    current_runtime().call_later(29, server.resume)
    assert await sent_within(server.send(MESSAGE), 30)
    assert server.sent == [MESSAGE]


async def test_a_send_that_blocks_for_too_long_is_broken_off() -> None:
    """C3, C4."""
    server, runtime = FakeServer(), current_runtime()
    server.stall()
    start = runtime.now()
    assert not await sent_within(server.send(MESSAGE), 30)
    assert runtime.now() - start == 30
    server.resume()
    await turns()
    assert server.sent == []


async def test_what_send_raises_leaves_it_as_it_is() -> None:
    """C2."""
    for server in (FakeServer(), FakeServer(turns=3)):
        server.fails = ConnectionResetError("gone")
        with pytest.raises(ConnectionResetError, match="gone"):
            await sent_within(server.send(MESSAGE), 30)


async def test_a_timeout_of_the_server_is_not_taken_for_ours() -> None:
    server = FakeServer(turns=3)
    server.fails = TimeoutError("the server's own")
    with pytest.raises(TimeoutError, match="the server's own"):
        await sent_within(server.send(MESSAGE), 30)


async def test_a_send_that_enters_a_cancel_scope_of_its_own_may_block() -> None:
    """C3: as hypercorn's on Trio, and every send through an anyio stream with a deadline."""
    server, taken = FakeServer(), list[bool]()
    server.stall()

    async def send(message: Any) -> None:
        with anyio.CancelScope(shield=True), anyio.fail_after(100):
            await server.send(message)

    async def main() -> None:
        taken.append(await sent_within(send(MESSAGE), 300))

    async with anyio.create_task_group() as group:
        group.start_soon(main)
        await turns()
        server.resume()
    assert taken == [True]
    # The task's scopes are in order: another one can be used.
    with anyio.move_on_after(1) as scope:
        await anyio.sleep_forever()
    assert scope.cancelled_caught


async def test_whoever_cancels_a_blocked_send_cancels_it() -> None:
    """C4."""
    server = FakeServer()
    server.stall()
    with anyio.move_on_after(1) as scope:
        await sent_within(server.send(MESSAGE), 30)
    assert scope.cancelled_caught
    assert server.sent == []


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
async def test_a_blocked_send_that_nobody_awaits_any_more_is_closed() -> None:
    server = FakeServer()
    server.stall()
    closed: list[str] = []

    async def send(message: Any) -> None:
        try:
            await server.send(message)
        finally:
            closed.append("closed")

    coroutine = sent_within(send(MESSAGE), 30)
    coroutine.send(None)  # up to its first suspension
    coroutine.close()
    assert closed == ["closed"]


class Bare:
    """What a send returns that is an iterator and no more (granian's): it cannot be sent to, thrown into, closed."""

    def __init__(self, waiter: asyncio.Future[None]) -> None:
        self._waiters = iter([waiter])

    def __await__(self) -> Any:
        return self

    def __next__(self) -> Any:
        waiter = next(self._waiters)
        waiter._asyncio_future_blocking = True  # as a task wants it of what it waits for
        return waiter


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
async def test_a_send_that_is_a_bare_iterator_may_block_and_be_broken_off() -> None:
    """C2, C3: over granian a stream with a full buffer ended in an AttributeError."""
    loop = asyncio.get_running_loop()
    waiter: asyncio.Future[None] = loop.create_future()
    loop.call_later(1, waiter.set_result, None)
    assert await sent_within(Bare(waiter), 30)
    assert not await sent_within(Bare(loop.create_future()), 30)
    forsaken = sent_within(Bare(loop.create_future()), 30)
    forsaken.send(None)  # up to its first suspension
    forsaken.close()


@pytest.mark.parametrize("name", ["asyncio", "trio"])
def test_two_event_loops_one_after_the_other_are_two(name: str) -> None:
    async def main() -> None:
        runtime, done = current_runtime(), list[Task]()
        wake = runtime.wake_up()
        runtime.call_later(0.001, wake)

        async def sleep() -> None:
            await wake.wait()

        done.append(runtime.spawn(sleep, "sleeper"))
        await runtime.wait_ended(done, 10)
        assert done[0].done()

    for _ in range(2):
        anyio.run(main, backend=name)
