"""A response that negotiates by itself, with the options of the middleware around it."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sseware import EventStream, SSEMiddleware
from sseware.dialects import Plain
from sseware.errors import ConfigurationError, HandlerReused, HandlerTypeError, UnknownDialect
from tests.asgi.fakes import FakeServer, answer, request

pytestmark = pytest.mark.anyio


async def words() -> AsyncIterator[str]:
    yield "a"


def below(**options: Any) -> Any:
    """Makes an application that answers with a stream."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await EventStream(["a"], **options)(scope, receive, send)

    return app


async def test_it_answers_alone() -> None:
    server = await answer(EventStream(words()))
    assert (server.status, server.body) == (200, b"data: a\n\n")
    server = await answer(EventStream(["a"]), request(accept="application/json"))
    assert server.headers["content-type"].startswith("application/json")


async def test_its_options_are_checked_at_once() -> None:
    with pytest.raises(ConfigurationError):
        EventStream([], keepalive=-1)
    with pytest.raises(UnknownDialect):
        EventStream([], dialect="no-such")
    with pytest.raises(HandlerTypeError):
        EventStream("text")


def test_its_signature_is_that_of_its_construction() -> None:
    assert list(inspect.signature(EventStream).parameters) == ["content", "options"]


async def test_it_serves_once() -> None:
    """G13."""
    response = EventStream(["a"])
    await answer(response)
    server = FakeServer()
    with pytest.raises(HandlerReused, match="an EventStream answers one request"):
        await response(request(), server.receive, server.send)
    assert server.sent == []


async def test_it_has_the_options_of_the_middleware() -> None:
    own = Plain(name="own", default="buffered")
    server = await answer(SSEMiddleware(below(), dialect=own, headers={"x-a": "1"}))
    assert server.headers["content-type"].startswith("application/json")
    assert server.headers["x-a"] == "1"


async def test_its_own_options_come_first() -> None:
    app = SSEMiddleware(below(headers={"x-a": "own"}, retry=1), headers={"x-a": "1"}, status_code=201)
    server = await answer(app)
    assert server.headers["x-a"] == "own"
    assert server.status == 201
    assert server.body.startswith(b"retry: 1000\n\n")


@pytest.mark.parametrize("scope", [request("HEAD"), request(accept="image/png")])
async def test_a_handler_that_is_not_needed_is_closed(scope: Any) -> None:
    """H9, G16."""
    generator = words()
    await answer(EventStream(generator), scope)
    with pytest.raises(HandlerReused):
        EventStream(generator)


async def test_an_option_that_clashes_with_the_middlewares_closes_its_handler() -> None:
    generator = words()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await EventStream(generator)(scope, receive, send)

    def choose(scope: Any) -> str:
        raise LookupError("no dialect for this one")

    with pytest.raises(LookupError, match="no dialect for this one"):
        await answer(SSEMiddleware(app, dialect=choose))
    with pytest.raises(HandlerReused):
        EventStream(generator)
