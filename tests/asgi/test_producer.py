"""The handler's task: it opens the handler, pulls from it, and closes it; nobody else touches it."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from sseware.asgi._producer import Producer
from sseware.asgi._runtime import Runtime, current_runtime
from sseware.asgi._source import open_source
from sseware.errors import HandlerReused
from tests.asgi.fakes import turns, until

pytestmark = pytest.mark.anyio


class ListSink:
    """Takes values; ``room`` says after how many the handler has to wait."""

    def __init__(self, runtime: Runtime, room: int = 1000) -> None:
        self.values: list[object] = []
        self.failures: list[Exception] = []
        self.calls: list[str] = []
        self.ended = False
        self.put_text: Callable[[str], bool] | None = None
        self.refuses: Exception | None = None
        self.fails_to_finish: Exception | None = None
        self._room = room
        self._wake = runtime.wake_up()

    def put(self, value: object) -> bool:
        if self.refuses is not None:
            raise self.refuses
        self.values.append(value)
        self.ended = value == "end"
        return len(self.values) < self._room and not self.ended

    async def wait_room(self) -> None:
        await self._wake.wait()

    def carry(self, main: Callable[[], Coroutine[Any, Any, None]]) -> Coroutine[Any, Any, None]:
        """Does nothing more than to run it: what was put is there."""
        return main()

    def release(self) -> None:
        self._wake()

    def finish(self) -> None:
        self.calls.append("finish")
        if self.fails_to_finish is not None:
            raise self.fails_to_finish

    def fail(self, exc: Exception) -> None:
        self.calls.append("fail")
        self.failures.append(exc)

    def close(self) -> None:
        self.calls.append("close")


class Handled:
    """A handler's content, run by a producer into a list."""

    def __init__(self, content: Any, room: int = 1000) -> None:
        self.runtime = current_runtime()
        self.sink = ListSink(self.runtime, room)
        self.producer = Producer(open_source(content), self.sink, self.runtime)

    def start(self) -> Handled:
        self.producer.start()
        return self

    async def ended(self, seconds: float = 5.0) -> Handled:
        task = self.producer.task
        await self.runtime.wait_ended([] if task is None else [task], seconds)
        return self

    async def leave(self, seconds: float = 5.0) -> Handled:
        self.producer.leave()
        await self.ended(seconds)
        self.producer.give_up(seconds)
        return self


class Log(list[str]):
    """What a handler has done, and in which task."""

    def __init__(self) -> None:
        super().__init__()
        self.tasks: list[object] = []

    def note(self, what: str) -> None:
        self.append(what)
        self.tasks.append(anyio.get_current_task().id)

    async def words(self, *, pause: bool = False) -> AsyncIterator[str]:
        self.note("entered")
        try:
            while True:
                if pause:
                    await anyio.sleep_forever()
                yield "a"
        finally:
            self.note("finally")

    async def slow_to_close(self, seconds: float, *, pause: bool = False) -> AsyncIterator[str]:
        try:
            yield "a"
            if pause:
                await anyio.sleep_forever()
            yield "b"
        finally:
            await anyio.sleep(seconds)
            self.note("closed")


async def test_what_a_handler_yields_is_put_and_then_it_is_finished() -> None:
    it = await Handled(["a", "b"]).start().ended()
    assert it.sink.values == ["a", "b"]
    assert it.sink.calls == ["finish", "close"]
    assert it.producer.task is not None


async def test_texts_go_the_shorter_way_once_there_is_one_and_nothing_else_does() -> None:
    class Name(str):
        """What has a class of its own may say anything of itself."""

    it, short = Handled(["a", "b", Name("c"), b"d", "e"]), list[str]()

    def put(value: object) -> bool:
        it.sink.put_text = put_text
        it.sink.values.append(value)
        return True

    def put_text(text: str) -> bool:
        short.append(text)
        return len(short) < 2

    it.sink.put = put  # type: ignore[method-assign]  # it opens the way, as a sink does
    it.start()
    await until(lambda: len(short) == 2)
    assert it.sink.calls == [], "there is no room for the last one"
    it.sink.release()
    await it.ended()
    assert short == ["b", "e"]
    assert it.sink.values == ["a", Name("c"), b"d"]
    assert it.sink.calls == ["finish", "close"]


async def test_what_comes_after_the_end_is_not_taken() -> None:
    log = Log()

    async def words() -> AsyncIterator[str]:
        try:
            yield "end"
            yield "more"
        finally:
            log.note("finally")

    it = await Handled(words()).start().ended()
    assert it.sink.values == ["end"]
    assert log == ["finally"]


async def test_an_exception_is_the_sinks_to_tell() -> None:
    exc = ValueError("no")

    async def words() -> AsyncIterator[str]:
        yield "a"
        raise exc

    it = await Handled(words()).start().ended()
    assert it.sink.failures == [exc]
    assert it.sink.calls == ["fail", "close"]


async def test_a_group_of_one_is_told_as_that_one() -> None:
    """X9."""
    exc = ValueError("no")

    async def words() -> AsyncIterator[str]:
        yield "a"
        raise ExceptionGroup("a task group", [exc])

    assert (await Handled(words()).start().ended()).sink.failures == [exc]


async def test_an_item_that_is_refused_closes_the_handler() -> None:
    log = Log()
    it = Handled(log.words())
    it.sink.refuses = ValueError("refused")
    await it.start().ended()
    assert it.sink.failures == [it.sink.refuses]
    assert log == ["entered", "finally"]


async def test_a_dialect_that_cannot_finish_is_a_failure() -> None:
    """X5."""
    it = Handled(["a"])
    it.sink.fails_to_finish = ZeroDivisionError()
    await it.start().ended()
    assert it.sink.calls == ["finish", "fail", "close"]


async def test_whoever_leaves_at_a_yield_has_the_handler_closed_there() -> None:
    """G2: in its own task, without the garbage collector."""
    log = Log()
    gc.disable()
    try:
        it = Handled(log.words(), room=2).start()
        await turns()
        assert it.sink.values == ["a", "a"]
        await it.leave()
    finally:
        gc.enable()
    assert log == ["entered", "finally"]
    assert len(set(log.tasks)) == 1
    assert it.sink.calls == ["close"]
    assert it.sink.failures == []


async def test_whoever_leaves_at_an_await_has_the_handler_cancelled_there() -> None:
    """G1."""
    log = Log()
    it = Handled(log.words(pause=True)).start()
    await turns()
    await it.leave()
    assert log == ["entered", "finally"]
    assert len(set(log.tasks)) == 1
    assert it.sink.calls == ["close"]


async def test_whoever_leaves_first_of_all_has_the_handler_closed_without_running() -> None:
    """G8."""
    log = Log()
    generator = log.words()
    it = Handled(generator).start()
    await it.leave()
    assert log == []
    with pytest.raises(HandlerReused):
        open_source(generator)


async def test_leaving_before_the_start_counts() -> None:
    """G8."""
    log = Log()
    it = Handled(log.words())
    it.producer.leave()
    await it.start().ended()
    assert log == []


async def test_a_value_is_let_go_of_before_the_handler_goes_on() -> None:
    class Value:
        """Can be referred to weakly."""

    gone: list[bool] = []

    async def handler() -> AsyncIterator[object]:
        value = Value()
        told = weakref.ref(value)
        yield value
        del value
        await turns()
        gone.append(told() is None)

    it = Handled(handler())
    it.sink.put = lambda value: True  # type: ignore[method-assign]
    await it.start().ended()
    assert gone == [True]


async def test_leaving_twice_is_leaving_once() -> None:
    log = Log()
    it = Handled(log.slow_to_close(3, pause=True)).start()
    await turns()
    it.producer.leave()
    await turns()
    await it.leave()
    if it.runtime.cancelled is asyncio.CancelledError:
        assert log == ["closed"], "asyncio cancels by edges; a second one would have cut it short"


async def test_leaving_after_the_end_is_nothing() -> None:
    it = await Handled(["a"]).start().ended()
    await it.leave()
    assert it.sink.calls == ["finish", "close"]


async def test_a_handler_closed_at_a_yield_may_await_in_its_finally() -> None:
    """G5."""
    log = Log()
    it = Handled(log.slow_to_close(4), room=1).start()
    await turns()
    await it.leave()
    assert log == ["closed"]


async def test_the_sink_is_closed_before_the_handlers_clean_up() -> None:
    """The client does not wait for it."""
    log = Log()

    async def words() -> AsyncIterator[str]:
        try:
            yield "end"
        finally:
            await anyio.sleep(3)
            log.note("closed")

    it = Handled(words()).start()
    await turns()
    assert it.sink.calls == ["finish", "close"]
    assert log == []
    await it.ended()
    assert log == ["closed"]


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
async def test_on_asyncio_a_cancelled_handler_may_await_in_its_finally() -> None:
    """G5."""
    log = Log()
    it = Handled(log.slow_to_close(4, pause=True)).start()
    await turns()
    await it.leave()
    assert log == ["closed"]


@pytest.mark.parametrize("anyio_backend", ["trio"], indirect=True)
async def test_on_trio_a_cancelled_handler_may_await_behind_a_shield() -> None:
    """G5."""
    log = Log()

    async def words() -> AsyncIterator[str]:
        try:
            await anyio.sleep_forever()
            yield "a"
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(4)
            log.note("closed")

    it = Handled(words()).start()
    await turns()
    await it.leave()
    assert log == ["closed"]


async def test_a_handler_that_swallows_its_cancellation_is_closed_at_its_next_yield_without_room() -> None:
    """G6."""
    log = Log()

    async def words() -> AsyncIterator[str]:
        try:
            try:
                await anyio.sleep_forever()
            except BaseException:
                log.note("swallowed")
            yield "a"
            log.note("went on")
        finally:
            log.note("finally")

    handled = Handled(words(), room=1).start()
    await turns()
    start = anyio.current_time()
    await handled.leave()
    assert log == ["swallowed", "finally"]
    assert anyio.current_time() == start, "it did not wait for room"


async def test_a_handler_that_swallows_its_cancellation_is_abandoned_and_told_of_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """G6."""
    released = anyio.Event()

    async def words() -> AsyncIterator[str]:
        while not released.is_set():
            with anyio.CancelScope(shield=True):
                try:
                    await released.wait()
                except BaseException:  # that is the point
                    continue
        yield "a"

    start = anyio.current_time()
    it = Handled(words()).start()
    await turns()
    with caplog.at_level(logging.ERROR, "sseware"):
        await it.leave(5)
    assert anyio.current_time() - start == 5
    assert caplog.messages == ["the handler did not end within 5 s of being closed; it is abandoned"]
    released.set()
    await it.ended()


async def test_a_finally_that_takes_too_long_is_cancelled() -> None:
    """G6."""
    log = Log()
    it = Handled(log.slow_to_close(1000), room=1).start()
    start = anyio.current_time()
    await turns()
    await it.leave(5)
    await it.ended()
    assert anyio.current_time() - start == 5
    assert it.producer.task is not None
    assert it.producer.task.done()
    assert log == []


@pytest.mark.parametrize("room", [1, 1000])
async def test_a_finally_that_raises_is_logged_and_hides_nothing(
    room: int, caplog: pytest.LogCaptureFixture
) -> None:
    """G7."""

    async def words() -> AsyncIterator[str]:
        try:
            yield "a"
            await anyio.sleep_forever()
        finally:
            raise LookupError("in the finally")

    it = Handled(words(), room).start()
    await turns()
    with caplog.at_level(logging.ERROR, "sseware"):
        await it.leave()
    assert it.sink.failures == []
    assert caplog.messages == ["the handler failed while it was closed"]
    assert "LookupError: in the finally" in caplog.text


async def test_a_finally_that_yields_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """G7."""

    async def words() -> AsyncIterator[str]:
        try:
            yield "a"
        finally:
            yield "b"

    it = Handled(words(), room=1).start()
    await turns()
    with caplog.at_level(logging.ERROR, "sseware"):
        await it.leave()
    assert caplog.messages == ["the handler failed while it was closed"]
    assert "async generator ignored GeneratorExit" in caplog.text


async def test_a_task_group_that_wraps_the_close_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    """G14, G4."""
    log = Log()

    async def words() -> AsyncIterator[str]:
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep_forever)
            try:
                while True:
                    yield "a"
            finally:
                log.note("finally")

    it = Handled(words(), room=2).start()
    await turns()
    await it.leave()
    assert log == ["finally"]
    assert caplog.messages == []
    assert it.producer.crash is None


async def test_what_a_task_group_adds_to_the_close_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """G14."""

    async def child() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            raise LookupError("in the child")

    async def words() -> AsyncIterator[str]:
        async with anyio.create_task_group() as group:
            group.start_soon(child)
            await anyio.lowlevel.checkpoint()
            while True:
                yield "a"

    it = Handled(words(), room=2).start()
    await turns()
    await it.leave()
    assert caplog.messages == ["the handler failed while it was closed"]
    assert "LookupError: in the child" in caplog.text
    assert it.producer.crash is None


async def test_a_task_group_in_a_cancelled_handler_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    """G1, G4."""

    async def words() -> AsyncIterator[str]:
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep_forever)
            await anyio.sleep_forever()
            yield "a"

    it = Handled(words()).start()
    await turns()
    await it.leave()
    assert (caplog.messages, it.sink.failures, it.producer.crash) == ([], [], None)


@pytest.mark.parametrize("kind", ["scope", "timeout"])
async def test_a_deadline_that_is_held_over_a_yield_is_the_handlers_to_see(kind: str) -> None:
    """G4: PEP 789."""
    log = Log()

    async def words() -> AsyncIterator[str]:
        try:
            with anyio.fail_after(10):
                while True:
                    yield "a"
        except TimeoutError:
            log.note("timed out")
            yield "late"
            yield "later"

    async def words_of_asyncio() -> AsyncIterator[str]:
        try:
            async with asyncio.timeout(10):
                while True:
                    yield "a"
        except TimeoutError:
            log.note("timed out")
            yield "late"
            yield "later"

    start = anyio.current_time()
    on_asyncio = current_runtime().cancelled is asyncio.CancelledError
    it = Handled(words_of_asyncio() if kind == "timeout" and on_asyncio else words(), room=2).start()
    await turns()
    assert it.sink.values == ["a", "a"]
    await anyio.sleep(20)
    assert log == ["timed out"]
    assert it.sink.values == ["a", "a", "late"], "it waits for room again"
    it.sink.release()
    await turns()
    assert it.sink.values == ["a", "a", "late", "later"]
    it.sink.release()
    await it.ended()
    assert it.sink.calls == ["finish", "close"]
    assert anyio.current_time() - start == 20


async def test_a_deadline_that_the_handler_does_not_catch_is_its_failure() -> None:
    """G4."""

    async def words() -> AsyncIterator[str]:
        with anyio.fail_after(10):
            while True:
                yield "a"

    it = Handled(words(), room=2).start()
    await anyio.sleep(20)
    assert [type(exc) for exc in it.sink.failures] == [TimeoutError]


async def test_a_child_that_fails_while_its_handler_stands_at_a_yield_is_the_handlers_failure() -> None:
    """G4."""

    async def child() -> None:
        await anyio.sleep(10)
        raise LookupError("in the child")

    async def words() -> AsyncIterator[str]:
        async with anyio.create_task_group() as group:
            group.start_soon(child)
            while True:
                yield "a"

    it = Handled(words(), room=2).start()
    await anyio.sleep(20)
    assert [type(exc) for exc in it.sink.failures] == [LookupError]


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
async def test_an_iterator_that_cannot_be_told_of_its_deadline_fails() -> None:
    """On Trio a scope cannot be left open like that."""

    class Held:
        def __aiter__(self) -> Held:
            return self

        async def __anext__(self) -> str:
            asyncio.get_running_loop().call_later(10, task.cancel)
            return "a"

    it = Handled(Held(), room=1).start()
    task: Any = it.producer.task
    await anyio.sleep(20)
    assert [str(exc) for exc in it.sink.failures] == [
        "the handler was cancelled, by something that it awaited or by a shutdown"
    ]


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
async def test_a_handler_that_is_cancelled_by_what_it_awaits_has_failed() -> None:
    """X6: a stream that was cut short never ends well."""

    async def words() -> AsyncIterator[str]:
        yield "a"
        raise asyncio.CancelledError

    it = await Handled(words()).start().ended()
    (failure,) = it.sink.failures
    assert isinstance(failure, RuntimeError)
    assert isinstance(failure.__cause__, asyncio.CancelledError)


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
async def test_a_handler_that_is_cancelled_as_its_client_leaves_is_closed_at_its_yield() -> None:
    """As a shutdown may do."""
    log = Log()
    it = Handled(log.words(), room=1).start()
    await turns()
    it.producer.leave()
    assert it.producer.task is not None
    it.producer.task.cancel()
    await it.ended()
    assert log == ["entered", "finally"]
    assert it.sink.failures == []


@pytest.mark.parametrize("where", ["body", "finally"])
async def test_what_is_no_exception_is_for_the_caller(where: str) -> None:
    async def words() -> AsyncIterator[str]:
        try:
            yield "a"
            if where == "body":
                raise KeyboardInterrupt
            await anyio.sleep_forever()
        finally:
            if where == "finally":
                raise SystemExit(3)

    it = Handled(words(), room=1 if where == "finally" else 1000).start()
    await turns()
    await it.leave()
    assert isinstance(it.producer.crash, KeyboardInterrupt | SystemExit)
    assert it.sink.failures == []


async def test_a_generator_that_another_response_runs_is_refused_and_left_to_it() -> None:
    """G13."""
    log = Log()
    generator = log.words()
    first, second = Handled(generator, room=1), Handled(generator)
    first.start()
    await turns()
    await second.start().ended()
    assert [type(exc) for exc in second.sink.failures] == [HandlerReused]
    assert second.sink.calls == ["fail", "close"]
    await second.leave()
    assert log == ["entered"]
    await first.leave()
    assert log == ["entered", "finally"]


async def test_a_sync_handler_is_closed_in_a_thread_after_its_step() -> None:
    """G9."""
    entered, release = threading.Event(), threading.Event()
    closed_in: list[str] = []

    def words() -> Iterator[str]:
        try:
            entered.set()
            release.wait(10)
            yield "a"
            yield "b"
        finally:
            closed_in.append(threading.current_thread().name)

    it = Handled(words()).start()
    await until(entered.is_set)
    it.producer.leave()
    await turns()
    assert closed_in == []
    release.set()
    await it.ended()
    assert it.sink.values == ["a"]
    assert closed_in
    assert closed_in != [threading.current_thread().name]


async def test_a_sync_handler_at_its_yield_is_closed_there() -> None:
    """G9."""
    closed_in: list[str] = []

    def words() -> Iterator[str]:
        try:
            while True:
                yield "a"
        finally:
            closed_in.append(threading.current_thread().name)

    it = Handled(words(), room=2).start()
    await until(lambda: len(it.sink.values) == 2)
    await it.leave()
    assert it.sink.values == ["a", "a"]
    assert len(closed_in) == 1


async def test_a_sync_handler_that_is_blocked_is_abandoned_and_closed_later(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """G10, G6."""
    entered, release = threading.Event(), threading.Event()
    closed: list[str] = []

    def words() -> Iterator[str]:
        try:
            entered.set()
            release.wait(10)
            yield "a"
        finally:
            closed.append("closed")

    it = Handled(words()).start()
    await until(entered.is_set)
    it.producer.leave()
    with caplog.at_level(logging.ERROR, "sseware"):
        it.producer.give_up(5)
    assert caplog.messages == ["the handler did not end within 5 s of being closed; it is abandoned"]
    release.set()
    await it.ended()
    assert closed == ["closed"]


async def test_nothing_is_given_up_where_nothing_was_started() -> None:
    it = Handled(["a"])
    it.producer.give_up(5)
    assert it.sink.calls == []
