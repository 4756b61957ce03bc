"""Whether a generator has been begun, on every version of Python."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from sseware.asgi._freshness import check_fresh
from sseware.errors import HandlerReused


async def async_words() -> AsyncIterator[str]:
    yield "a"
    yield "b"


def with_cells() -> Any:
    word = "a"

    async def words(default: str = word) -> AsyncIterator[str]:
        yield word
        yield (lambda: default)()

    return words()


def words() -> Iterator[str]:
    yield "a"


async def coroutine() -> None:
    pass


def step(generator: Any) -> None:
    try:
        generator.__anext__().send(None)
    except StopIteration:
        pass


def end(generator: Any) -> None:
    try:
        generator.aclose().send(None)
    except StopIteration:
        pass


def step_and_leave_running(generator: Any) -> None:
    next(generator)


@pytest.mark.parametrize("make", [async_words, with_cells, words, lambda: [1], lambda: object()])
def test_what_was_not_begun_is_fresh(make: Callable[[], object]) -> None:
    check_fresh(make())


def test_a_coroutine_is_fresh_until_it_was_awaited() -> None:
    given = coroutine()
    check_fresh(given)
    given.close()
    with pytest.raises(HandlerReused, match="make a new one for each response"):
        check_fresh(given)


@pytest.mark.parametrize(
    ("make", "do"),
    [
        pytest.param(async_words, step, id="an-async-generator-begun"),
        pytest.param(with_cells, step, id="a-closure-begun"),
        pytest.param(async_words, end, id="an-async-generator-closed"),
        pytest.param(words, next, id="a-generator-begun"),
        pytest.param(words, list, id="a-generator-at-its-end"),
    ],
)
def test_what_was_begun_is_refused(make: Callable[[], Any], do: Callable[[Any], object]) -> None:
    """G13."""
    generator = make()
    do(generator)
    with pytest.raises(HandlerReused, match="runs or has run"):
        check_fresh(generator)
    close = getattr(generator, "close", None)
    if close is None:
        end(generator)
    else:
        close()


def test_one_that_is_running_is_refused() -> None:
    """G13."""

    def itself() -> Iterator[None]:
        check_fresh(generator)
        yield

    generator = itself()
    with pytest.raises(HandlerReused):
        next(generator)
