"""Sync handlers: each step in a worker thread, of a limiter of our own."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import anyio
import anyio.to_thread
import pytest

from sseware.asgi import _threads
from sseware.asgi._threads import ThreadSource
from sseware.errors import HandlerReused
from tests.asgi.fakes import turns, until

pytestmark = pytest.mark.anyio

VARIABLE = contextvars.ContextVar("variable", default="default")


class Blocked:
    """A sync handler that stands in its first step until it is released."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.release = threading.Event()
        self.closed_in: list[str] = []

    def words(self) -> Iterator[str]:
        try:
            self.entered.set()
            assert self.release.wait(10)
            yield "a"
            yield "b"
        finally:
            self.closed_in.append(threading.current_thread().name)


async def test_each_step_runs_in_a_worker_thread() -> None:
    """G9."""

    def names() -> Iterator[str]:
        try:
            yield threading.current_thread().name
        finally:
            closed_in.append(threading.current_thread().name)

    closed_in: list[str] = []
    source = ThreadSource(names())
    source.enter()
    mine = threading.current_thread().name
    assert await anext(source.values) != mine
    await source.close()
    assert closed_in != [mine]


async def test_all_steps_share_a_copy_of_the_context_in_which_the_first_was_taken() -> None:
    def values() -> Iterator[str]:
        yield VARIABLE.get()
        VARIABLE.set("set by the first step")
        yield "-"
        yield VARIABLE.get()

    VARIABLE.set("of the request")
    source = ThreadSource(values())
    got = [await anext(source.values) for _ in range(3)]
    assert got == ["of the request", "-", "set by the first step"]
    assert VARIABLE.get() == "of the request"
    await source.close()


async def test_the_end_is_the_end_whatever_is_returned() -> None:
    """G11."""

    def words() -> Iterator[str]:
        yield "a"
        return "ignored"  # type: ignore[return-value]  # a generator may

    source = ThreadSource(words())
    assert await anext(source.values) == "a"
    for _ in range(2):
        with pytest.raises(StopAsyncIteration):
            await anext(source.values)


@pytest.mark.parametrize("stop", [StopIteration, StopAsyncIteration])
async def test_a_stray_stop_is_an_error_and_no_end(stop: type[Exception]) -> None:
    """G11: as PEP 479 has it."""

    def words() -> Iterator[str]:
        yield "a"
        raise stop

    source = ThreadSource(words())
    await anext(source.values)
    with pytest.raises(RuntimeError, match=r"StopIteration|StopAsyncIteration"):
        await anext(source.values)
    await source.close()


async def test_an_iterable_without_a_close_is_left_alone() -> None:
    source = ThreadSource(range(3))
    assert await anext(source.values) == 0
    await source.close()


async def test_an_iterable_that_was_never_begun_is_closed_itself() -> None:
    class Rows:
        closed = False

        def __iter__(self) -> Iterator[str]:
            raise AssertionError("it was begun")

        def close(self) -> None:
            self.closed = True

    rows = Rows()
    await ThreadSource(rows).close()
    assert rows.closed


async def test_an_iterator_that_is_empty_is_closed_all_the_same() -> None:
    class Empty(list[str]):
        closed = False

        def __iter__(self) -> Iterator[str]:
            return self

        def __next__(self) -> str:
            raise StopIteration

        def close(self) -> None:
            self.closed = True

    empty = Empty()
    source = ThreadSource(empty)
    with pytest.raises(StopAsyncIteration):
        await anext(source.values)
    await source.close()
    assert empty.closed


async def test_a_generator_that_was_begun_is_refused() -> None:
    """G13."""
    generator = iter(lambda: "a", None)
    ThreadSource(generator)
    begun = Blocked().words()
    begun.close()  # type: ignore[attr-defined]  # it is a generator
    with pytest.raises(HandlerReused):
        ThreadSource(begun)


async def test_a_step_that_runs_cannot_be_cancelled_and_its_handler_is_closed_after_it() -> None:
    """G9."""
    blocked = Blocked()
    source = ThreadSource(blocked.words())

    async def step() -> None:
        assert await anext(source.values) == "a"
        await source.close()

    async with anyio.create_task_group() as group:
        group.start_soon(step)
        await until(blocked.entered.is_set)
        assert source.depart() is False
        assert source.depart() is False
        blocked.release.set()
    assert blocked.closed_in
    assert source.depart() is True, "no step runs"


async def test_a_step_that_waits_for_its_turn_can_be_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    """G10."""
    monkeypatch.setattr(_threads, "_STEPS", 1)
    blocked, other = Blocked(), ThreadSource(iter(["x"]))
    source = ThreadSource(blocked.words())
    async with anyio.create_task_group() as group:
        group.start_soon(source.__anext__)
        await until(blocked.entered.is_set)
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as inner:
                inner.start_soon(other.__anext__)
                await anyio.sleep(0)
                assert other.depart() is True
                scope.cancel()
        blocked.release.set()
    await source.close()
    assert await anext(other.values) == "x"


async def test_a_handler_that_was_cancelled_while_it_waited_for_its_turn_is_closed() -> None:
    """G9: on Trio a cancelled task stays cancelled."""
    handler = Blocked()
    handler.release.set()
    source = ThreadSource(handler.words())
    await anext(source.values)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await source.close()
    assert handler.closed_in


class Crowd:
    """Sync handlers that all stand in their first step."""

    def __init__(self, count: int) -> None:
        self.handlers = [Blocked() for _ in range(count)]
        self.sources = [ThreadSource(handler.words()) for handler in self.handlers]

    @property
    def entered(self) -> list[int]:
        """Which of them have got a thread; Trio starts tasks in any order."""
        return [i for i, handler in enumerate(self.handlers) if handler.entered.is_set()]

    def depart(self) -> None:
        for i in self.entered:
            self.sources[i].depart()

    def release(self) -> None:
        for handler in self.handlers:
            handler.release.set()

    @asynccontextmanager
    async def standing(self) -> AsyncIterator[None]:
        try:
            async with anyio.create_task_group() as group:
                for source in self.sources:
                    group.start_soon(source.__anext__)
                try:
                    yield
                finally:
                    self.release()
        finally:
            for source in self.sources:
                await source.close()


async def test_steps_whose_clients_have_left_do_not_use_up_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """G10."""
    monkeypatch.setattr(_threads, "_STEPS", 3)
    crowd, another = Crowd(3), Crowd(1)
    async with crowd.standing():
        await until(lambda: len(crowd.entered) == 3)
        async with another.standing():
            await turns()
            assert another.entered == [], "there are no more than three"
            crowd.depart()
            await until(lambda: another.entered)


async def test_the_limit_is_what_it_was_when_those_steps_have_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """G10."""
    monkeypatch.setattr(_threads, "_STEPS", 2)
    for _ in range(2):
        crowd = Crowd(2)
        async with crowd.standing():
            await until(lambda: len(crowd.entered) == 2)  # it is awaited here
            crowd.depart()
    crowd = Crowd(5)
    async with crowd.standing():
        await until(lambda: len(crowd.entered) == 2)
        await turns()
        assert len(crowd.entered) == 2
        crowd.handlers[crowd.entered[0]].release.set()
        await until(lambda: len(crowd.entered) == 3)


async def test_there_is_a_limit_to_departed_steps_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """G10."""
    monkeypatch.setattr(_threads, "_STEPS", 2)
    monkeypatch.setattr(_threads, "_DEPARTED", 1)
    crowd = Crowd(5)
    async with crowd.standing():
        await until(lambda: len(crowd.entered) == 2)
        crowd.depart()
        await until(lambda: len(crowd.entered) == 3)
        crowd.depart()
        await turns()
        assert len(crowd.entered) == 3


async def test_the_threads_that_everybody_shares_are_not_ours() -> None:
    """G10."""
    crowd = Crowd(50)
    async with crowd.standing():
        await until(lambda: len(crowd.entered) == 50)
        assert anyio.to_thread.current_default_thread_limiter().borrowed_tokens == 0


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
async def test_a_step_that_the_event_loop_does_not_wait_for_is_not_closed_under_its_feet() -> None:
    blocked = Blocked()
    source = ThreadSource(blocked.words())
    cancel: list[Callable[[], object]] = []

    async def step() -> None:
        import asyncio

        task = asyncio.current_task()
        assert task is not None
        cancel.append(task.cancel)
        try:
            await anext(source.values)
        finally:
            await source.close()

    async with anyio.create_task_group() as group:
        group.start_soon(step)
        await until(blocked.entered.is_set)
        cancel[0]()
    assert blocked.closed_in == []
    blocked.release.set()
