"""What a handler gives, as one kind of thing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from sseware.asgi._source import Source, discard, open_source
from sseware.errors import HandlerReused, HandlerTypeError

pytestmark = pytest.mark.anyio


class Log(list[str]):
    """What a handler has done."""

    async def words(self) -> AsyncIterator[str]:
        try:
            yield "a"
            yield "b"
        except ValueError:
            yield "caught"
        finally:
            self.append("closed")

    def sync_words(self) -> Iterator[str]:
        try:
            yield "a"
            yield "b"
        finally:
            self.append("closed")


class Bare:
    """An async iterator that has nothing but the protocol."""

    def __init__(self) -> None:
        self._left = iter("ab")

    def __aiter__(self) -> Bare:
        return self

    async def __anext__(self) -> str:
        for letter in self._left:
            return letter
        raise StopAsyncIteration


class Wrapped:
    """An async iterable whose iterator is a generator."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def __aiter__(self) -> AsyncIterator[str]:
        return self._log.words()


class Thorough(Bare):
    """An async iterator that can be closed and thrown into, and is no generator."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = False

    async def athrow(self, exc: BaseException) -> str:
        return f"caught {exc!r}"

    async def aclose(self) -> None:
        self.closed = True


async def awaited(content: object) -> object:
    return content


async def collect(source: Source) -> list[object]:
    source.enter()
    values = []
    try:
        while True:
            values.append(await anext(source.values))
    except StopAsyncIteration:
        return values
    finally:
        await source.close()


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: Log().words(), id="an-async-generator"),
        pytest.param(lambda: Bare(), id="an-async-iterator"),
        pytest.param(lambda: Wrapped(Log()), id="an-async-iterable"),
        pytest.param(lambda: Log().sync_words(), id="a-generator"),
        pytest.param(lambda: ["a", "b"], id="a-list"),
        pytest.param(lambda: ("a", "b"), id="a-tuple"),
        pytest.param(lambda: dict.fromkeys("ab").keys(), id="an-iterable"),
        pytest.param(lambda: map(str, "ab"), id="an-iterator"),
        pytest.param(lambda: awaited(Log().words()), id="a-coroutine-of-an-async-generator"),
        pytest.param(lambda: awaited(Log().sync_words()), id="a-coroutine-of-a-generator"),
        pytest.param(lambda: awaited(["a", "b"]), id="a-coroutine-of-a-list"),
        pytest.param(lambda: awaited(awaited(["a", "b"])), id="a-coroutine-of-a-coroutine"),
    ],
)
async def test_a_handler_may_give(make: Callable[[], Any]) -> None:
    """G12."""
    assert await collect(open_source(make())) == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(
            "abc", r"want an async generator.* got 'abc' \(str\); yield from a generator", id="text"
        ),
        pytest.param(b"abc", "bytes", id="bytes"),
        pytest.param({"a": 1}, "dict", id="a-dict"),
        pytest.param(None, "NoneType", id="none"),
        pytest.param(7, "int", id="a-number"),
        pytest.param(Log().words, "call the function and pass its generator", id="a-function"),
    ],
)
async def test_what_yields_nothing_is_refused(content: Any, message: str) -> None:
    """G12."""
    with pytest.raises(HandlerTypeError, match=message):
        open_source(content)


async def test_a_coroutine_that_returns_what_yields_nothing_is_refused_when_it_is_awaited() -> None:
    source = open_source(awaited("abc"))
    source.enter()
    with pytest.raises(HandlerTypeError):
        await anext(source.values)
    await source.close()


@pytest.mark.parametrize("made", [Log.words, Log.sync_words, lambda log: awaited(log.words())])
async def test_closing_runs_the_handlers_finally(made: Callable[[Log], Any]) -> None:
    log = Log()
    source = open_source(made(log))
    source.enter()
    await anext(source.values)
    await source.close()
    assert log == ["closed"]


@pytest.mark.parametrize("made", [Log.words, Log.sync_words, lambda log: awaited(log.words())])
async def test_what_was_never_begun_is_closed_without_running(made: Callable[[Log], Any]) -> None:
    """G8, G16."""
    log = Log()
    content = made(log)
    await discard(open_source(content))
    assert log == []
    with pytest.raises(HandlerReused):
        open_source(content)


async def test_a_future_that_was_not_awaited_is_left_alone() -> None:
    class Later:
        def __await__(self) -> Any:
            raise AssertionError("it was awaited")

    source = open_source(Later())
    source.enter()
    assert source.depart()
    await source.close()


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
async def test_a_future_of_asyncio_is_awaited_and_not_iterated() -> None:
    future = asyncio.get_running_loop().create_future()
    future.set_result(["a"])
    assert await collect(open_source(future)) == ["a"]


async def test_what_is_thrown_arrives_where_the_handler_stands() -> None:
    """G4."""
    source = open_source(Log().words())
    source.enter()
    await anext(source.values)
    assert await source.throw(ValueError()) == "caught"
    await source.close()


async def test_what_is_thrown_into_an_awaited_handler_arrives_there() -> None:
    source = open_source(awaited(Log().words()))
    source.enter()
    await anext(source.values)
    assert await source.throw(ValueError()) == "caught"
    await source.close()


@pytest.mark.parametrize(
    "content",
    [pytest.param(Bare(), id="bare"), pytest.param([1], id="list"), pytest.param(range(3), id="sync")],
)
async def test_what_cannot_be_thrown_into_raises_it(content: Any) -> None:
    source = open_source(content)
    with pytest.raises(ValueError, match="mine"):
        await source.throw(ValueError("mine"))


async def test_an_awaited_handler_that_is_not_there_yet_raises_it() -> None:
    source = open_source(awaited([]))
    with pytest.raises(ValueError, match="mine"):
        await source.throw(ValueError("mine"))
    await source.close()


async def test_an_iterator_that_can_do_more_is_asked_to() -> None:
    iterator = Thorough()
    source = open_source(iterator)
    assert await source.throw(ValueError()) == "caught ValueError()"
    await source.close()
    assert iterator.closed


async def test_an_iterator_that_can_do_nothing_is_left_alone() -> None:
    """G12."""
    await open_source(Bare()).close()


async def test_an_iterator_is_not_asked_for_another_one() -> None:
    """G12."""

    class Steps:
        left = 2

        async def __anext__(self) -> int:
            if not self.left:
                raise StopAsyncIteration
            self.left -= 1
            return self.left

    class Readings:
        asked = 0

        def __aiter__(self) -> Steps:
            self.asked += 1
            return Steps()

    readings = Readings()
    assert [value async for value in open_source(readings).values] == [1, 0]
    assert readings.asked == 1


async def test_a_list_that_is_closed_gives_no_more() -> None:
    source = open_source(["a", "b"])
    await anext(source.values)
    await source.close()
    with pytest.raises(StopAsyncIteration):
        await anext(source.values)


@pytest.mark.parametrize("made", [Log.words, Log.sync_words, lambda log: awaited(log.words())])
async def test_a_generator_that_another_began_since_is_refused_and_not_closed(
    made: Callable[[Log], Any],
) -> None:
    """G13."""
    log = Log()
    content = made(log)
    first, second = open_source(content), open_source(content)
    first.enter()
    assert await anext(first.values) == "a"
    with pytest.raises(HandlerReused):
        second.enter()
    await discard(second)
    assert log == []
    assert await anext(first.values) == "b"
    await first.close()
    assert log == ["closed"]


async def test_a_coroutine_whose_generator_was_begun_elsewhere_is_refused() -> None:
    """G13."""
    log = Log()
    generator = log.words()
    await anext(generator)
    source = open_source(awaited(generator))
    source.enter()
    with pytest.raises(HandlerReused):
        await anext(source.values)
    await source.close()
    assert log == []
    await generator.aclose()  # type: ignore[attr-defined]  # it is a generator


async def test_every_source_of_the_event_loop_can_be_cancelled() -> None:
    for content in (Log().words(), Bare(), ["a"], awaited(["a"])):
        source = open_source(content)
        assert source.depart()
        await discard(source)
