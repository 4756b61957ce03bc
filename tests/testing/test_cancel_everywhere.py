"""A scenario is cancelled at each checkpoint, and what it leaves behind is found."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import anyio
import anyio.lowlevel
import pytest

from sseware.errors import ConfigurationError
from sseware.testing import cancel_everywhere
from sseware.testing.errors import TaskLeft

pytestmark = pytest.mark.anyio


def ways(backend: Any) -> list[Literal["scope", "task"]]:
    return ["scope", "task"] if backend[0] == "asyncio" else ["scope"]


async def test_it_is_cancelled_once_at_each_of_its_checkpoints(anyio_backend: Any) -> None:
    reached: list[int] = []

    async def scenario() -> None:
        reached.append(0)
        for step in range(1, 5):
            await anyio.lowlevel.checkpoint()
            reached[-1] = step

    for by in ways(anyio_backend):
        reached.clear()
        numbers = [number async for number in cancel_everywhere(scenario, by=by)]
        # The last run was not cancelled.
        per_checkpoint = len(numbers) // 4
        assert reached[-1] == 4
        assert sorted(set(reached)) == [0, 1, 2, 3, 4]
        assert reached == sorted(reached)
        assert len(numbers) == 4 * per_checkpoint + 1


async def test_after_turns_the_tasks_of_a_scenario_may_be_anywhere(anyio_backend: Any) -> None:
    states: set[tuple[int, int]] = set()

    async def scenario() -> None:
        state = [0, 0]

        async def other() -> None:
            for _ in range(3):
                await anyio.lowlevel.checkpoint()
                state[1] += 1

        try:
            async with anyio.create_task_group() as group:
                group.start_soon(other)
                for _ in range(3):
                    await anyio.lowlevel.checkpoint()
                    state[0] += 1
        finally:
            states.add((state[0], state[1]))

    for by in ways(anyio_backend):
        last = [number async for number in cancel_everywhere(scenario, by=by, at="turn")][-1]
        assert last >= 2
    assert (3, 3) in states
    assert len(states) > 1


@pytest.mark.parametrize("at", ["checkpoint", "turn"])
async def test_a_task_that_is_left_behind_is_named(
    at: Literal["checkpoint", "turn"], anyio_backend: Any
) -> None:
    if anyio_backend[0] == "trio":
        pytest.skip("Trio has no task without a parent, but those of the system")
    left: list[asyncio.Task[None]] = []

    async def forgotten() -> None:
        await anyio.sleep_forever()

    async def scenario() -> None:
        await anyio.lowlevel.checkpoint()
        left.append(asyncio.create_task(forgotten(), name="the forgotten one"))
        await anyio.lowlevel.checkpoint()
        left.pop().cancel()

    with pytest.raises(
        TaskLeft, match=rf"cancelled at {at} \d, the scenario left 1 tasks behind: the forgotten"
    ):
        async for _ in cancel_everywhere(scenario, at=at):
            pass
    left.pop().cancel()


async def test_a_scenario_that_swallows_its_cancellation_ends_the_search() -> None:
    async def scenario() -> None:
        try:
            await anyio.lowlevel.checkpoint()
        except BaseException:  # that is the point
            return

    numbers = [number async for number in cancel_everywhere(scenario)]
    assert numbers in ([0], [0, 1])


async def test_a_scenario_without_an_end_is_an_error() -> None:
    async def scenario() -> None:
        while True:
            await anyio.lowlevel.checkpoint()

    with pytest.raises(AssertionError, match="did not come to its end in 10 runs"):
        async for _ in cancel_everywhere(scenario, most=10):
            pass


@pytest.mark.parametrize("at", ["checkpoint", "turn"])
async def test_what_a_scenario_raises_is_raised(
    at: Literal["checkpoint", "turn"], anyio_backend: Any
) -> None:
    async def scenario() -> None:
        await anyio.lowlevel.checkpoint()
        raise ZeroDivisionError

    for by in ways(anyio_backend):
        with pytest.raises((ZeroDivisionError, ExceptionGroup)):
            async for _ in cancel_everywhere(scenario, by=by, at=at):
                pass


async def test_whoever_is_cancelled_while_it_runs_is_cancelled(anyio_backend: Any) -> None:
    async def scenario() -> None:
        outer.cancel()
        await anyio.sleep_forever()

    for by in ways(anyio_backend):
        with anyio.CancelScope() as outer:
            async for number in cancel_everywhere(scenario, by=by, at="turn"):
                assert number == 0, "the first one ends before it has begun"
        assert outer.cancelled_caught


@pytest.mark.parametrize("wrong", [{"by": "fiat"}, {"at": "dawn"}])
async def test_a_way_that_does_not_exist_is_refused(wrong: Any) -> None:
    with pytest.raises(
        ConfigurationError, match="by must be 'scope' or 'task' and at 'checkpoint' or 'turn'"
    ):
        async for _ in cancel_everywhere(anyio.sleep_forever, **wrong):
            pass


async def test_tasks_of_trio_are_cancelled_by_scopes(anyio_backend: Any) -> None:
    if anyio_backend[0] == "asyncio":
        pytest.skip("asyncio has task.cancel()")
    with pytest.raises(ConfigurationError, match="by='task' is asyncio's"):
        async for _ in cancel_everywhere(anyio.sleep_forever, by="task"):
            pass
