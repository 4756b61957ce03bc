"""Cancels a scenario at checkpoint 1, 2, ... n, until it ends before it can be cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from itertools import count
from typing import Any, Literal, TypeAlias

import anyio
import anyio.lowlevel

from ..asgi._runtime import current_runtime
from ..errors import ConfigurationError
from .errors import TaskLeft

__all__ = ["cancel_everywhere"]

_Scenario: TypeAlias = Callable[[], Coroutine[Any, Any, object]]
_GRACE = 5
"""Turns of the event loop in which the tasks of a scenario may end, after it has ended itself."""


async def cancel_everywhere(
    scenario: _Scenario,
    *,
    by: Literal["scope", "task"] = "scope",
    at: Literal["checkpoint", "turn"] = "checkpoint",
    most: int = 1000,
) -> AsyncIterator[int]:
    """Runs a scenario again and again, and cancels it one checkpoint later each time, until it is not cancelled.

    After each run it checks that no task is left. Everything else is the caller's to check, in the body of the loop.

    >>> import anyio
    >>> opened = []
    >>> async def scenario():
    ...     opened.append("a")
    ...     try:
    ...         await anyio.sleep(0)
    ...         await anyio.sleep(0)
    ...     finally:
    ...         opened.pop()
    >>> async def test():
    ...     async for number in cancel_everywhere(scenario):
    ...         assert not opened, f"cancelled at checkpoint {number}, it does not clean up"
    ...     return number
    >>> anyio.run(test)
    2

    Args:
        scenario: What is run; it must make everything anew each time, and not take real time.
        by: By a cancel scope around it, or (on asyncio) by ``task.cancel()``.
        at: Where its own task waits for the n-th time, or after n turns of the event loop: then tasks that it has
            started may be anywhere.
        most: How many runs there may be.

    Yields:
        At which checkpoint (or after how many turns) it was cancelled, from 0 on, after each run; the last run came
        to its end.

    Raises:
        TaskLeft: A task was left behind; the message says after which run, and names it.
        AssertionError: The scenario has not come to its end in that many runs.
    """
    if by not in ("scope", "task") or at not in ("checkpoint", "turn"):
        raise ConfigurationError(
            f"by must be 'scope' or 'task' and at 'checkpoint' or 'turn', got {by!r} and {at!r}"
        )
    if by == "task" and current_runtime().cancelled is not asyncio.CancelledError:
        raise ConfigurationError("by='task' is asyncio's; on Trio tasks are cancelled by scopes")
    run = _by_scope if by == "scope" else _by_task
    for number in range(most):
        before = {task.id for task in anyio.get_running_tasks()}
        cancelled = await run(scenario, number, at)
        await _check_none_left(before, f"{at} {number}")
        yield number
        if not cancelled:
            return
    raise AssertionError(f"the scenario did not come to its end in {most} runs; does it end at all?")


async def _by_scope(scenario: _Scenario, number: int, at: str) -> bool:
    with anyio.CancelScope() as scope:
        if at == "checkpoint":
            await _Counted(scenario(), number, scope.cancel)
        else:
            async with anyio.create_task_group() as group:
                group.start_soon(_cancel_after, number, scope.cancel)
                await scenario()
                group.cancel_scope.cancel()
    return scope.cancelled_caught


async def _by_task(scenario: _Scenario, number: int, at: str) -> bool:
    async def counted() -> None:
        await _Counted(scenario(), number, task.cancel)

    canceller = None
    if at == "checkpoint":
        task = asyncio.create_task(counted())
    else:
        task = asyncio.create_task(scenario())  # type: ignore[arg-type] # what it returns is not looked at
        canceller = asyncio.create_task(_cancel_after(number, task.cancel))
    try:
        await asyncio.wait([task, *([canceller] if canceller else [])])
    except asyncio.CancelledError:
        task.cancel()
        raise
    if task.cancelled():
        return True
    await task
    return False


async def _cancel_after(turns: int, cancel: Callable[[], object]) -> None:
    for _ in range(turns):
        await anyio.lowlevel.checkpoint()
    cancel()


class _Counted:
    """A coroutine that cancels itself when it waits for the n-th time."""

    def __init__(
        self, coroutine: Coroutine[Any, Any, object], number: int, cancel: Callable[[], object]
    ) -> None:
        self._coroutine = coroutine
        self._number = number
        self._cancel = cancel

    def __await__(self) -> Generator[Any, Any, object]:
        resume: Callable[[Any], Any] = self._coroutine.send
        value: Any = None
        for number in count():
            try:
                awaited = resume(value)
            except StopIteration as ended:
                return ended.value
            if number == self._number:
                self._cancel()
            try:
                value = yield awaited
                resume = self._coroutine.send
            except BaseException as exc:
                value, resume = exc, self._coroutine.throw
        raise AssertionError("there is no last number")


async def _check_none_left(before: set[int], when: str) -> None:
    for _ in range(_GRACE):
        await anyio.lowlevel.checkpoint()
    left = [task for task in anyio.get_running_tasks() if task.id not in before]
    if left:
        names = ", ".join(str(task.name) for task in left)
        raise TaskLeft(f"cancelled at {when}, the scenario left {len(left)} tasks behind: {names}")
