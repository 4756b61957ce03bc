"""`sseware.kernels.run`: however a run ends, no process of it stays behind."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import time
import warnings
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import anyio
import pytest

from sseware.items import Finish, Text
from sseware.kernels import KernelItem, run
from tests.kernels.patience import PATIENCE, at_best, in_turn, wait_until

pytestmark = pytest.mark.anyio


def shell(script: str, **options: Any) -> AsyncGenerator[KernelItem, None]:
    return run(["sh", "-c", script], **options)


async def collect(items: AsyncGenerator[KernelItem, None]) -> list[KernelItem]:
    async with aclosing(items):
        return [item async for item in items]


async def take_text(items: AsyncGenerator[KernelItem, None]) -> str:
    item = await anext(items)
    assert isinstance(item, Text)
    return item.text


IGNORES_SIGTERM = (
    "trap '' TERM; (trap '' TERM; while :; do sleep 1; done) & echo $$ $!; while :; do sleep 1; done"
)


async def test_closing_kills_the_group_within_100_ms(runs: Callable[[int], bool]) -> None:
    """D6."""

    async def close() -> float:
        items = shell(IGNORES_SIGTERM)
        pids = [int(pid) for pid in (await take_text(items)).split()]
        assert len(pids) == 2
        assert all(map(runs, pids))
        start = time.monotonic()
        await items.aclose()
        await wait_until(lambda: not any(map(runs, pids)))
        return time.monotonic() - start

    await at_best(0.1, close)


async def test_a_cancelled_wait_kills_the_group_within_100_ms(runs: Callable[[int], bool]) -> None:
    async def cancel() -> float:
        items = shell(IGNORES_SIGTERM)
        pids = [int(pid) for pid in (await take_text(items)).split()]
        cancelled_at = 0.0
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(take_text, items)
            await anyio.sleep(0.02)
            cancelled_at = time.monotonic()
            tasks.cancel_scope.cancel()
        await wait_until(lambda: not any(map(runs, pids)))
        return time.monotonic() - cancelled_at

    await at_best(0.1, cancel)


async def test_an_edge_of_cancellation_does_so_too(
    runs: Callable[[int], bool], anyio_backend_name: str
) -> None:
    if anyio_backend_name != "asyncio":
        pytest.skip("only asyncio cancels by edges")

    async def cancel() -> float:
        items = shell(IGNORES_SIGTERM)
        pids = [int(pid) for pid in (await take_text(items)).split()]
        task = asyncio.ensure_future(collect(items))
        await asyncio.sleep(0.02)
        start = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await wait_until(lambda: not any(map(runs, pids)))
        return time.monotonic() - start

    await at_best(0.1, cancel)


@pytest.mark.parametrize("after", [0, 1, 2, 3])
async def test_a_cancellation_at_any_step_of_a_run_leaves_nothing(after: int) -> None:
    # no_trace does the looking.
    with anyio.CancelScope() as scope:
        script = "echo 1; read turn; echo 2 >&2; read turn; echo 3; sleep 1000"
        async with aclosing(in_turn(script)) as items:
            if not after:
                scope.cancel()
            async for _ in items:
                after -= 1
                if after <= 0:
                    scope.cancel()
    assert scope.cancelled_caught


async def test_what_the_consumer_raises_ends_the_run(runs: Callable[[int], bool]) -> None:
    pid = 0
    with pytest.raises(ZeroDivisionError):
        async with aclosing(shell("echo $$; exec sleep 1000")) as items:
            async for item in items:
                assert isinstance(item, Text)
                pid = int(item.text)
                raise ZeroDivisionError
    assert not runs(pid)


async def test_what_was_never_started_is_closed_without_a_trace() -> None:
    await shell("sleep 1000").aclose()


async def test_what_was_forgotten_is_killed_as_well(
    runs: Callable[[int], bool], anyio_backend_name: str
) -> None:
    items = shell("echo $$; exec sleep 1000")
    pid = int(await take_text(items))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # Trio's, about the forgotten generator
        del items
        gc.collect()
        await wait_until(lambda: not runs(pid))


async def test_a_process_in_the_background_is_killed_when_its_run_ends(runs: Callable[[int], bool]) -> None:
    items = await collect(shell("sleep 1000 >/dev/null 2>&1 & echo $!"))
    assert items[-1] == Finish()
    assert isinstance(items[0], Text)
    pid = int(items[0].text)
    await wait_until(lambda: not runs(pid))


async def test_with_grace_a_process_that_is_closed_may_clean_up(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    items = shell(
        f"trap 'echo clean > {mark}; exit 0' TERM; echo ready; while :; do sleep 0.01; done",
        kill_grace=PATIENCE,
    )
    assert await take_text(items) == "ready\n"
    await items.aclose()
    assert mark.read_text() == "clean\n"


async def test_a_process_that_is_killed_from_outside_is_told_and_reaped(runs: Callable[[int], bool]) -> None:
    """D6."""
    items = shell("echo $$; exec sleep 1000")
    pid = int(await take_text(items))
    os.kill(pid, signal.SIGKILL)
    assert await collect(items) == [
        Finish(False, None, {"error": "kernel killed by signal SIGKILL", "status": 500})
    ]
    with pytest.raises(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


async def test_nothing_is_open_where_it_yields() -> None:
    # Each step in a scope of its own, each in a task of its own: PEP 789.
    items = in_turn("echo 1; read turn; echo 2; read turn; echo 3")
    seen: list[KernelItem] = []

    async def step() -> None:
        with anyio.fail_after(PATIENCE):
            seen.append(await anext(items))

    for _ in range(3):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(step)

    async def close() -> None:
        await items.aclose()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(close)
    assert seen == [Text("1\n"), Text("2\n"), Text("3\n")]


async def test_a_timeout_around_each_step_does_not_reach_the_next() -> None:
    items = in_turn("for i in 1 2 3; do echo $i; read turn; done")
    seen: list[KernelItem] = []
    async with aclosing(items):
        while not seen or seen[-1] != Finish():
            with anyio.move_on_after(PATIENCE) as scope:
                seen.append(await anext(items))
            scope.cancel()
    assert seen == [Text("1\n"), Text("2\n"), Text("3\n"), Finish()]
