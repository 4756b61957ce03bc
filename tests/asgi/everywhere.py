"""What a test may not leave behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.lowlevel

from sseware.asgi._runtime import current_runtime


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
