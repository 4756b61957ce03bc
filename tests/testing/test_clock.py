"""Virtual time: exact, without waiting, and standing still while a worker thread runs."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, Literal

import anyio
import anyio.to_thread
import pytest

from sseware.testing import _clock
from sseware.testing._clock import VirtualTimeLoop, virtual_backend

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    return virtual_backend(request.param)


async def test_an_hour_passes_at_once() -> None:
    began, start = time.perf_counter(), anyio.current_time()
    await anyio.sleep(3600)
    assert anyio.current_time() - start == 3600
    assert time.perf_counter() - began < 30


async def test_timers_ring_in_order_and_at_exact_times() -> None:
    start = anyio.current_time()
    rang: list[float] = []

    async def ring(seconds: float) -> None:
        await anyio.sleep(seconds)
        rang.append(anyio.current_time() - start)

    async with anyio.create_task_group() as group:
        for seconds in (45, 15, 30):
            group.start_soon(ring, seconds)
    assert rang == [15, 30, 45]


async def test_a_deadline_passes_where_nothing_else_happens() -> None:
    with anyio.move_on_after(60) as scope:
        await anyio.Event().wait()
    assert scope.cancelled_caught


async def test_what_is_computed_takes_no_time() -> None:
    start = anyio.current_time()
    for _ in range(100):
        await anyio.lowlevel.checkpoint()
    assert anyio.current_time() == start


@pytest.mark.parametrize("limited", [False, True])
async def test_the_clock_stands_still_while_a_worker_thread_runs(limited: bool) -> None:
    # With a limiter of one's own, too: no limiter is asked.
    limiter = anyio.CapacityLimiter(1) if limited else None
    with anyio.move_on_after(1) as scope:
        await anyio.to_thread.run_sync(time.sleep, 0.05, limiter=limiter, abandon_on_cancel=True)
    assert not scope.cancelled_caught


async def test_it_goes_on_when_the_thread_has_ended() -> None:
    start = anyio.current_time()
    await anyio.to_thread.run_sync(time.sleep, 0.01)
    await anyio.sleep(10)
    assert anyio.current_time() - start == 10


async def test_a_sleeper_wakes_at_its_time_although_a_thread_ran_meanwhile() -> None:
    start, release = anyio.current_time(), threading.Event()
    woken: list[float] = []

    async def sleeper() -> None:
        await anyio.sleep(5)
        woken.append(anyio.current_time() - start)

    async def in_thread(function: Callable[[], object]) -> None:
        await anyio.to_thread.run_sync(function)

    async with anyio.create_task_group() as group:
        group.start_soon(sleeper)
        group.start_soon(in_thread, release.wait)
        await anyio.to_thread.run_sync(time.sleep, 0.02)
        assert woken == []
        release.set()
    assert woken == [5]


async def test_a_ready_socket_comes_before_the_jump() -> None:
    near, far = socket.socketpair()
    with near, far:
        near.setblocking(False)
        far.send(b"x")
        with anyio.move_on_after(60) as scope:
            await anyio.wait_readable(near)
    assert not scope.cancelled_caught


async def test_threads_can_wake_the_loop_where_it_has_no_timer() -> None:
    assert await anyio.to_thread.run_sync(lambda: 7) == 7


def test_an_executor_of_asyncio_counts_as_threads() -> None:
    async def main() -> None:
        with pytest.raises(ZeroDivisionError):
            await asyncio.wait_for(asyncio.to_thread(fail), 1)

    def fail() -> None:
        time.sleep(0.02)
        raise ZeroDivisionError

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(main())


@pytest.mark.parametrize("name", ["asyncio", "trio"])
def test_each_run_begins_anew(name: Literal["asyncio", "trio"]) -> None:
    async def main() -> float:
        await anyio.sleep(7)
        return anyio.current_time()

    times = []
    for _ in range(2):
        backend, options = virtual_backend(name)
        times.append(anyio.run(main, backend=backend, backend_options=options))
    assert times == [7, 7]


def test_a_selector_of_it_does_what_a_selector_does() -> None:
    loop = VirtualTimeLoop()
    near, far = socket.socketpair()
    with near, far:
        loop.add_reader(near, lambda: None)
        loop.add_writer(near, lambda: None)  # modifies
        assert loop.remove_reader(near)
        assert loop.remove_writer(near)  # unregisters
    loop.close()


@pytest.mark.parametrize("name", ["asyncio", "trio"])
def test_a_deadline_ends_also_what_never_rests(name: Literal["asyncio", "trio"], monkeypatch: Any) -> None:
    async def main() -> bool:
        await anyio.sleep(1)
        with anyio.move_on_after(0.2) as scope:
            while True:
                await anyio.lowlevel.checkpoint()
        return scope.cancelled_caught

    monkeypatch.setattr(_clock, "_PATIENCE", 0.05)
    backend, options = virtual_backend(name)
    assert anyio.run(main, backend=backend, backend_options=options)


def test_a_deadline_ends_also_the_wait_for_a_thread_that_does_not_end(monkeypatch: Any) -> None:
    release = threading.Event()

    async def main() -> bool:
        with anyio.move_on_after(0.2) as scope:
            await anyio.to_thread.run_sync(release.wait, abandon_on_cancel=True)
        release.set()
        return scope.cancelled_caught

    monkeypatch.setattr(_clock, "_PATIENCE", 0.05)
    backend, options = virtual_backend("asyncio")
    assert anyio.run(main, backend=backend, backend_options=options)


def test_a_thread_that_ends_between_two_looks_holds_the_clock() -> None:
    """Its result is on its way, though it is at work no more."""
    loop = VirtualTimeLoop()

    def ends_meanwhile() -> bool:
        loop.call_soon_threadsafe(loop.stop)
        return True

    try:
        late: list[float] = []
        loop.call_later(15, lambda: late.append(loop.time()))
        selector = loop._selector  # type: ignore[attr-defined]  # asyncio's own name
        selector._may_jump = ends_meanwhile
        loop.run_forever()
        assert (loop.time(), late) == (0.0, [])
    finally:
        loop.close()
