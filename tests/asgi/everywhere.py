"""Cancels a scenario at turn 1, 2, ... of the event loop, until it ends before it can be cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Literal

import anyio
import anyio.lowlevel

from sseware.asgi._runtime import current_runtime

MOST = 400


async def cancelled_at_every_turn(
    scenario: Callable[[], Coroutine[Any, Any, None]], how: Literal["scope", "task"]
) -> AsyncIterator[int]:
    """Runs a scenario again and again, and cancels it one turn later each time.

    Nothing that takes time can happen before the cancellation: a scenario pauses by turns.

    Args:
        scenario: What is run.
        how: By a cancel scope, or (on asyncio) by ``task.cancel()``.

    Yields:
        After how many turns it was cancelled, each time it has ended; for whatever has to hold then.
    """
    for turn in range(MOST):
        async with no_task_is_left():
            cancelled = await (_by_scope if how == "scope" else _by_task)(scenario, turn)
        yield turn
        if not cancelled:
            return
    raise AssertionError(f"the scenario takes more than {MOST} turns")


async def _by_scope(scenario: Callable[[], Coroutine[Any, Any, None]], turn: int) -> bool:
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as group:
            group.start_soon(_cancel_after, turn, scope.cancel)
            await scenario()
            group.cancel_scope.cancel()
    return scope.cancelled_caught


async def _by_task(scenario: Callable[[], Coroutine[Any, Any, None]], turn: int) -> bool:
    task = asyncio.create_task(scenario())
    canceller = asyncio.create_task(_cancel_after(turn, task.cancel))
    await asyncio.wait([task, canceller])
    assert task.cancelling() <= 1
    if task.cancelled():
        return True
    await task
    return False


async def _cancel_after(turns: int, cancel: Callable[[], object]) -> None:
    for _ in range(turns):
        await anyio.lowlevel.checkpoint()
    cancel()


@asynccontextmanager
async def no_task_is_left() -> AsyncIterator[None]:
    """Fails where the body of the statement has left a task behind, after a few turns' grace."""
    before = living()
    yield
    for _ in range(5):
        await anyio.lowlevel.checkpoint()
    assert living() == before, "a task was left behind"


def living() -> int:
    """How many tasks there are."""
    if current_runtime().cancelled is asyncio.CancelledError:
        return len(asyncio.all_tasks())
    import trio

    return trio.lowlevel.current_statistics().tasks_living
