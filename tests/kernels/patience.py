"""What keeps real processes in step with a test, however busy the machine is."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from typing import Any, Final

import anyio

from sseware.kernels import KernelItem, run

__all__ = ["PATIENCE", "at_best", "given_time", "in_turn", "wait_until"]

PATIENCE: Final = 60.0
"""Seconds that nothing here takes, unless it takes for ever."""


async def in_turn(script: str, **options: Any) -> AsyncGenerator[KernelItem, None]:
    """Runs a script each ``read`` of which waits until the item before has been taken, and another is asked for."""
    turns, lines = anyio.create_memory_object_stream[bytes](100)
    async with turns, lines, aclosing(run(["sh", "-c", script], input=lines, **options)) as items:
        async for item in items:
            yield item
            with suppress(anyio.BrokenResourceError):
                turns.send_nowait(b"\n")


async def given_time(scenario: Callable[[float], Awaitable[None]], *seconds: float) -> None:
    """Tries a scenario with more and more seconds until it holds: a process may be late, a wrong one is always."""
    for some in seconds[:-1]:
        with suppress(AssertionError):
            await scenario(some)
            return
    await scenario(seconds[-1])


async def at_best(limit: float, scenario: Callable[[], Awaitable[float]], attempts: int = 8) -> None:
    """Fails where the seconds of a scenario are too many each time; others only ever add to them."""
    seen: list[float] = []
    for attempt in range(attempts):
        seen.append(await scenario())
        if seen[-1] < limit:
            return
        await anyio.sleep(0.05 * attempt)  # the machine is busy
    raise AssertionError(f"{min(seen):.3f} s, and should be < {limit} s; tried {attempts} times")


async def wait_until(condition: Callable[[], object]) -> None:
    """Waits for what processes and threads bring about."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "the condition was never met"
        await anyio.sleep(0.002)
