"""What is a handler, what is an application, and what is neither."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from sseware import SSEMiddleware
from sseware.asgi._handlers import as_handler, is_asgi_app
from sseware.errors import HandlerTypeError


async def of_both(scope: Any, receive: Any) -> AsyncIterator[str]:
    yield "a"


async def of_scope(scope: Any) -> AsyncIterator[str]:
    yield "a"


async def of_nothing() -> AsyncIterator[str]:
    yield "a"


def sync(scope: Any) -> Iterator[str]:
    yield "a"


async def generator_of_three(scope: Any, receive: Any, extra: Any = None) -> AsyncIterator[str]:
    yield "a"


async def app(scope: Any, receive: Any, send: Any) -> None:
    pass


async def of_four(scope: Any, receive: Any, send: Any, more: Any) -> AsyncIterator[str]:
    yield "a"


async def more_than_app(scope: Any, receive: Any, send: Any, more: Any) -> None:
    pass


class App:
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        pass


class CallableHandler:
    async def __call__(self, scope: Any, receive: Any) -> AsyncIterator[str]:
        yield "a"


class ThreefoldHandler:
    async def __call__(self, scope: Any, receive: Any, extra: Any = None) -> AsyncIterator[str]:
        yield "a"


class Endpoint:
    """Starlette's HTTPEndpoint is one: a class of three, awaited."""

    def __init__(self, scope: Any, receive: Any, send: Any) -> None:
        pass


@pytest.mark.parametrize("given", [app, App(), Endpoint, functools.partial(more_than_app, more=1)])
def test_a_callable_of_three_is_an_application(given: Any) -> None:
    assert is_asgi_app(given)


@pytest.mark.parametrize(
    "given",
    [
        of_both,
        of_scope,
        sync,
        CallableHandler(),
        generator_of_three,
        ThreefoldHandler(),
        functools.partial(generator_of_three),
    ],
)
def test_what_yields_is_none_however_much_it_takes(given: Any) -> None:
    assert not is_asgi_app(given)


@pytest.mark.parametrize(
    ("given", "arity"),
    [
        pytest.param(of_both, 2, id="scope-and-receive"),
        pytest.param(of_scope, 1, id="scope"),
        pytest.param(of_nothing, 0, id="nothing"),
        pytest.param(sync, 1, id="sync"),
        pytest.param(CallableHandler(), 2, id="an-object"),
        pytest.param(functools.partial(of_both, {}), 1, id="a-partial"),
        pytest.param(lambda: [1, 2], 0, id="a-lambda"),
        pytest.param(generator_of_three, 2, id="an-optional-third"),
    ],
)
def test_a_handler_is_called_with_as_much_as_it_takes(given: Any, arity: int) -> None:
    assert as_handler(given).arity == arity


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param("words", r"want a generator function .* got 'words' \(str\)$", id="text"),
        pytest.param(None, "got None", id="none"),
        pytest.param(App, "got <class", id="a-class"),
        pytest.param(of_nothing(), "pass the function, not what it returns", id="an-async-generator"),
        pytest.param(sync({}), "pass the function, not what it returns", id="a-generator"),
        pytest.param(
            of_four, r"a handler takes \(scope, receive\), \(scope\) or nothing, got .*more", id="four"
        ),
        pytest.param(min, "a handler takes .* got <built-in function min>", id="no-signature"),
    ],
)
def test_what_is_neither_is_refused_at_once(given: Any, message: str) -> None:
    with pytest.raises(HandlerTypeError, match=message):
        SSEMiddleware(given)


def test_opening_a_handler_runs_nothing_of_it() -> None:
    def explode(scope: Any) -> Iterator[str]:
        raise AssertionError("it ran")
        yield "a"

    as_handler(explode).open({}, lambda: None)  # type: ignore[arg-type,return-value]  # nobody receives


class EachItsOwn:
    """Has its ``__call__`` in a slot of each object, as Sentry's middleware does."""

    __slots__ = ("__call__",)

    def __init__(self, function: Any) -> None:
        self.__call__ = function


def test_an_object_with_a_call_of_its_own_is_what_that_is() -> None:
    assert is_asgi_app(EachItsOwn(app))
    assert not is_asgi_app(EachItsOwn(of_both))
    assert as_handler(EachItsOwn(of_both)).arity == 2
