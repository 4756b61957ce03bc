"""An application's task: what it raises is kept, where it waits is told, and it ends, whatever it does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from sseware.testing._app_task import AppTask

pytestmark = pytest.mark.anyio


def ignore() -> None:
    """Does nothing."""


async def ended(main: Callable[[], Any]) -> AppTask:
    """Runs it to its end."""
    task = AppTask(main, ignore)
    assert await task.wait(60)
    return task


async def test_one_that_returns() -> None:
    task = await ended(anyio.lowlevel.checkpoint)
    assert (task.done, task.finished, task.cancelled, task.exception) == (True, True, False, None)
    task.cancel()
    assert not task.cancelled
    assert task.places() == []


@pytest.mark.parametrize("exc", [ValueError("boom"), SystemExit(3), GeneratorExit()])
async def test_what_it_raises_is_kept(exc: BaseException) -> None:
    async def main() -> None:
        await anyio.lowlevel.checkpoint()
        raise exc

    task = await ended(main)
    assert task.exception is exc
    assert task.finished


async def test_a_cancellation_that_is_its_own_is_kept(anyio_backend_name: str) -> None:
    if anyio_backend_name == "trio":
        pytest.skip("on Trio nobody can make one")

    async def main() -> None:
        raise asyncio.CancelledError

    task = await ended(main)
    assert isinstance(task.exception, asyncio.CancelledError)
    assert task.finished


def test_an_interrupt_goes_to_whoever_runs_the_event_loop() -> None:
    async def main() -> None:
        def interrupt() -> None:
            raise KeyboardInterrupt

        async def app() -> None:
            interrupt()

        AppTask(app, ignore)
        await asyncio.sleep(10)

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(main())


async def test_it_tells_its_end_once() -> None:
    calls: list[bool] = []
    task = AppTask(anyio.lowlevel.checkpoint, lambda: calls.append(True))
    await task.wait(1)
    await task.get_rid()
    assert calls == [True]


async def test_the_end_of_the_wait_is_in_time() -> None:
    async def main() -> None:
        await anyio.sleep(5)

    assert await AppTask(main, ignore).wait(5)


async def test_one_that_is_cancelled_has_not_finished() -> None:
    task = AppTask(anyio.sleep_forever, ignore)
    await anyio.wait_all_tasks_blocked()
    assert not await task.wait(1)
    assert [place.own for place in task.places()][-1:] == [False]  # only libraries wait
    await task.get_rid()
    assert (task.done, task.finished, task.cancelled, task.exception) == (True, False, True, None)


async def test_one_that_was_not_begun_waits_nowhere() -> None:
    task = AppTask(anyio.sleep_forever, ignore)
    assert task.places() == []
    await task.get_rid()


async def test_one_that_waits_for_a_task_of_another_is_named_by_that() -> None:
    # A task that no parent knows: the event loop's own, as the middleware starts them.
    async def handler() -> None:
        await anyio.sleep_forever()

    inner: list[AppTask] = []

    async def main() -> None:
        inner.append(AppTask(handler, ignore))
        await anyio.sleep_forever()

    # A coroutine of the library is all that the outer one shows.
    task = AppTask(main, ignore)
    await anyio.wait_all_tasks_blocked()
    assert task.places()[-1].function.endswith("main")
    (started,) = inner
    await started.get_rid()
    await task.get_rid()


@pytest.mark.parametrize("everything", [True, False])
async def test_one_that_refuses_to_end_is_left_behind(everything: bool) -> None:
    refused = BaseException if everything else anyio.get_cancelled_exc_class()

    async def main() -> None:
        while True:
            try:
                await anyio.sleep(1)
            except refused:
                pass

    task = AppTask(main, ignore)
    await anyio.wait_all_tasks_blocked()
    await task.get_rid()
    assert task.done
    assert not task.finished
