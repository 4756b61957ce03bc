"""Where a coroutine waits is found through generators, awaitables and tasks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator
from typing import Any

import anyio
import pytest

from sseware.testing._frames import Place, tasks_below, waiting_places

pytestmark = pytest.mark.anyio


async def generator() -> AsyncIterator[int]:
    yield 1
    await anyio.sleep_forever()


async def consumer() -> None:
    async for _ in generator():
        pass


class Awaitable:
    def __await__(self) -> Generator[Any, Any, None]:
        return consumer().__await__()


class Delegates:
    def __await__(self) -> Generator[Any, Any, None]:
        yield from consumer().__await__()


async def awaits(what: Any) -> None:
    await what


async def starts() -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(consumer)


@pytest.mark.parametrize(
    ("make", "want"),
    [
        pytest.param(consumer, ["consumer", "generator"], id="through-an-async-generator"),
        pytest.param(
            lambda: awaits(Awaitable()), ["awaits", "consumer", "generator"], id="through-an-awaitable"
        ),
        pytest.param(
            lambda: awaits(Delegates()),
            ["awaits", "Delegates.__await__", "consumer", "generator"],
            id="through-a-generator",
        ),
    ],
)
async def test_places_are_told_from_the_outside_in(make: Any, want: list[str]) -> None:
    coroutine, places = make(), list[Place]()
    async with anyio.create_task_group() as group:
        group.start_soon(awaits, coroutine)
        await anyio.wait_all_tasks_blocked()
        places += waiting_places(coroutine)
        group.cancel_scope.cancel()
    own = [place for place in places if place.own]
    assert [place.function for place in own] == want
    assert all(place.file == __file__ for place in own)
    assert not places[-1].own  # where the event loop's library waits
    assert str(own[0]).startswith(f"{want[0]} ({__file__}:")


async def test_the_tasks_below_a_task_are_found() -> None:
    below: list[list[Place]] = []
    async with anyio.create_task_group() as group:
        group.start_soon(starts)
        await anyio.wait_all_tasks_blocked()
        below += (waiting_places(each) for each in tasks_below(anyio.get_current_task().id))
        group.cancel_scope.cancel()
    own = [[place.function for place in places if place.own] for places in below]
    assert own == [["starts"], ["consumer", "generator"]]


async def test_what_has_ended_waits_nowhere() -> None:
    async def nothing() -> None:
        pass

    coroutine = nothing()
    await coroutine
    assert waiting_places(coroutine) == []
    assert waiting_places(7) == []
