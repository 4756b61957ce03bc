"""The numbers that the toolkit holds: what it costs to connect, and what a minute of virtual time costs.

Processor time, and the best of some runs: the machine is shared.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest

from sseware import SSEMiddleware
from sseware.testing import VirtualClock, connect
from tests.testing.apps import says


async def best(what: Callable[[], Awaitable[None]], runs: int) -> float:
    """How many milliseconds something takes at best."""
    found = []
    for _ in range(runs):
        began = time.process_time()
        await what()
        found.append(time.process_time() - began)
    return min(found) * 1000


@pytest.mark.parametrize(("backend", "most"), [("asyncio", 2), ("trio", 3)])
def test_a_stream_of_three_events_in_process(backend: Any, most: float) -> None:
    app = says(b"data: 1\n\n", b"data: 2\n\n", b"data: 3\n\n")

    async def once() -> None:
        async with connect(app) as stream:
            assert len(await stream.drain()) == 3

    assert anyio.run(best, once, 100, backend=backend) <= most


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_fifty_virtual_seconds_of_keepalives(backend: Any) -> None:
    async def silent(scope: Any, receive: Any) -> Any:
        yield "hello"
        await anyio.sleep(50)

    app = SSEMiddleware(silent, dialect="plain")

    async def once() -> None:
        async with connect(app) as stream:
            await stream.next()
            await stream.quiet(50 - 0.001)
            assert [round(comment.at, 6) for comment in stream.comments] == [15, 30, 45]

    assert VirtualClock().run(best, once, 10, backend=backend) < 50
