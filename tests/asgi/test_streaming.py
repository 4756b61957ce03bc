"""The decorator: a function that yields becomes a handler, with the looks that it had."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from sseware import EventStream, SSEMiddleware, streaming
from sseware.asgi._streaming import streamed_of
from sseware.errors import ConfigurationError, HandlerTypeError, UnknownDialect
from tests.asgi.fakes import FakeServer, answer, body, request

if TYPE_CHECKING:
    from decimal import Decimal

pytestmark = pytest.mark.anyio

STREAM = b"data: a fox\n\n"


@streaming(dialect="plain")
async def story(name: str, *, kind: str = "a") -> AsyncIterator[str]:
    """Tells a story."""
    yield f"{kind} {name}"


async def answered(endpoint: Any, *args: Any, **kwargs: Any) -> FakeServer:
    return await answer(await endpoint(*args, **kwargs))


async def test_a_call_makes_a_response() -> None:
    response = await story("fox")
    assert isinstance(response, EventStream)
    assert (await answer(response)).body == STREAM


async def test_each_call_makes_a_response_of_its_own() -> None:
    assert (await answered(story, "fox")).body == STREAM
    assert (await answered(story, "fox", kind="the")).body == b"data: the fox\n\n"


async def test_it_needs_no_options() -> None:
    @streaming
    async def bare() -> AsyncIterator[str]:
        yield "a fox"

    assert (await answered(bare)).body == STREAM


async def test_the_options_are_those_of_the_response() -> None:
    @streaming(retry=1, headers={"x-a": "1"})
    async def bare() -> AsyncIterator[str]:
        yield "a fox"

    server = await answered(bare)
    assert (server.headers["x-a"], server.body) == ("1", b"retry: 1000\n\n" + STREAM)


async def test_what_is_not_given_is_the_middlewares() -> None:
    def listed() -> list[str]:
        return ["a fox"]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await (await streaming(listed)())(scope, receive, send)

    server = await answer(SSEMiddleware(app, dialect="husk"), request(query="stream=1"))
    assert server.body.startswith(b"event: stdout\ndata: a fox\n\n")


def sync_generator() -> Iterator[str]:
    yield "a fox"


async def coroutine() -> AsyncIterator[str]:
    return story_of("fox")


async def story_of(name: str) -> AsyncIterator[str]:
    yield f"a {name}"


class Callable:
    async def __call__(self) -> AsyncIterator[str]:
        yield "a fox"


@pytest.mark.parametrize(
    "handler",
    [
        pytest.param(sync_generator, id="a-sync-generator-function"),
        pytest.param(coroutine, id="a-coroutine-that-returns-a-generator"),
        pytest.param(functools.partial(story_of, "fox"), id="a-partial-of-a-generator-function"),
        pytest.param(Callable(), id="an-object-whose-call-is-a-generator-function"),
        pytest.param(lambda: ["a fox"], id="a-function-that-returns-a-list"),
        pytest.param(lambda: story_of("fox"), id="a-function-that-returns-a-generator"),
    ],
)
async def test_a_handler_is(handler: Any) -> None:
    endpoint = streaming(dialect="plain")(handler)
    assert inspect.iscoroutinefunction(endpoint)
    assert (await answered(endpoint)).body == STREAM


async def test_a_function_that_may_block_is_called_in_a_thread() -> None:
    @streaming
    def where() -> list[str]:
        return [threading.current_thread().name]

    name = (await answered(where)).body.decode()
    assert threading.current_thread().name not in name


@pytest.mark.parametrize("given", [3, story_of("fox"), FakeServer])
def test_what_is_no_function_is_refused(given: Any) -> None:
    with pytest.raises(HandlerTypeError, match="streaming decorates a function that yields"):
        streaming(dialect="plain")(given)


@pytest.mark.parametrize("given", [3, "text", {"a": 1}, None])
async def test_a_handler_that_returns_what_does_not_yield_is_a_typed_error(given: Any) -> None:
    async def asynchronous() -> Any:
        return given

    def synchronous() -> Any:
        return given

    with pytest.raises(HandlerTypeError, match="want an async generator"):
        await answered(streaming(synchronous))
    with pytest.raises(HandlerTypeError, match="want an async generator"):
        await answered(streaming(asynchronous))


def test_a_wrong_option_is_told_where_it_stands() -> None:
    with pytest.raises(ConfigurationError, match="keepalive"):
        streaming(keepalive=-1)
    with pytest.raises(UnknownDialect):
        streaming(dialect="no-such")


def test_it_keeps_the_looks_of_the_handler() -> None:
    assert (story.__name__, story.__qualname__, story.__doc__) == ("story", "story", "Tells a story.")
    assert story.__module__ == __name__
    parameters = inspect.signature(story).parameters
    assert {name: (each.annotation, each.default) for name, each in parameters.items()} == {
        "name": (str, inspect.Parameter.empty),
        "kind": (str, "a"),
    }


def test_it_does_not_pass_for_a_generator_function() -> None:
    assert not hasattr(story, "__wrapped__")
    assert not inspect.isasyncgenfunction(inspect.unwrap(story))
    assert inspect.signature(story).return_annotation is inspect.Signature.empty
    assert story.__annotations__["return"] is EventStream


def test_an_annotation_that_means_nothing_yet_stays_a_text() -> None:
    async def later(known: int, amount: Decimal, bare) -> AsyncIterator[str]:  # type: ignore[no-untyped-def]  # on purpose
        yield ""

    endpoint = streaming(later)
    assert endpoint.__annotations__ == {"known": int, "amount": "Decimal", "return": EventStream}


def test_it_is_known_what_was_decorated() -> None:
    streamed = streamed_of(story)
    assert streamed is not None
    assert (streamed.handler.__name__, streamed.options) == ("story", {"dialect": "plain"})
    assert streamed_of(story_of) is None


def test_decorators_of_others_below_it_leave_no_trace() -> None:
    @functools.wraps(story_of)
    def logged(name: str) -> Any:
        return story_of(name)

    endpoint = streaming(logged)
    assert not hasattr(endpoint, "__wrapped__")
    assert list(inspect.signature(endpoint).parameters) == ["name"]


class TestAsAnASGIApplication:
    """Called with scope, receive and send it is an application, as door 1 makes one."""

    async def test_it_answers(self) -> None:
        @streaming(dialect="husk")
        async def shout(scope: Any, receive: Any) -> AsyncIterator[str]:
            yield (await receive())["body"].decode().upper()

        app: Any = shout
        server = FakeServer(*body(b"hello"))
        assert (await answer(app, request("POST"), server=server)).body == b"HELLO"
        assert (await answer(app, request("POST"), server=FakeServer(*body(b"x")))).body == b"X"

    async def test_it_answers_a_lifespan(self) -> None:
        @streaming
        async def nothing() -> AsyncIterator[str]:
            yield ""

        app: Any = nothing
        server = FakeServer({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})
        await answer(app, {"type": "lifespan"}, server=server)
        assert [each["type"] for each in server.sent] == [
            "lifespan.startup.complete",
            "lifespan.shutdown.complete",
        ]

    async def test_a_handler_with_other_parameters_is_a_typed_error(self) -> None:
        @streaming
        async def needs(a: int, b: int, c: int, d: int) -> AsyncIterator[str]:
            yield ""

        app: Any = needs
        with pytest.raises(HandlerTypeError):
            await answer(app)
