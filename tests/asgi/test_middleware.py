"""The middleware: a handler is an application, or an application's responses get their defaults."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from sseware import EventStream, SSEMiddleware
from sseware.errors import ConfigurationError, HandlerTypeError
from tests.asgi.fakes import FakeServer, Message, answer, request, turns

pytestmark = pytest.mark.anyio


async def words() -> AsyncIterator[str]:
    yield "a"


async def test_a_handler_is_an_application() -> None:
    app = SSEMiddleware(words)
    for _ in range(2):
        server = await answer(app)
        assert (server.status, server.body, server.is_complete) == (200, b"data: a\n\n", True)


async def test_a_handler_sees_the_scope_and_the_request() -> None:
    seen: list[Any] = []

    async def handler(scope: Any, receive: Any) -> AsyncIterator[str]:
        seen.append(scope)
        seen.append(await receive())
        yield "a"

    scope = request(path="/x")
    await answer(SSEMiddleware(handler), scope)
    assert seen == [scope, {"type": "http.request", "body": b"", "more_body": False}]


async def test_what_is_neither_a_handler_nor_an_application_is_refused_at_once() -> None:
    with pytest.raises(HandlerTypeError):
        SSEMiddleware("words")  # type: ignore[arg-type]  # that is the point
    with pytest.raises(ConfigurationError):
        SSEMiddleware(words, keepalive=0)


@pytest.mark.parametrize("kind", ["lifespan", "websocket", "of-the-future"])
async def test_what_is_no_request_reaches_a_wrapped_application_as_it_is(kind: str) -> None:
    """H12."""
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append({key: value for key, value in scope.items() if key != "sseware"})
        seen.append(await receive())
        await send(answered)

    scope, message, answered = (
        {"type": kind},
        {"type": f"{kind}.startup"},
        {"type": f"{kind}.startup.complete"},
    )
    server = FakeServer(message)
    await SSEMiddleware(app)(scope, server.receive, server.send)
    assert seen == [scope, message]
    assert seen[1] is message
    assert server.sent[0] is answered
    assert scope == {"type": kind}, "it is the server's"


async def test_a_handler_lives_through_a_lifespan() -> None:
    server = FakeServer({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})
    await SSEMiddleware(words)({"type": "lifespan"}, server.receive, server.send)
    assert server.sent == [{"type": "lifespan.startup.complete"}, {"type": "lifespan.shutdown.complete"}]


async def test_a_handler_refuses_a_websocket() -> None:
    server = FakeServer({"type": "websocket.connect"})
    await SSEMiddleware(words)({"type": "websocket"}, server.receive, server.send)
    assert server.sent == [
        {"type": "websocket.close", "code": 1003, "reason": "this handler streams over HTTP"}
    ]


async def test_a_handler_has_nothing_to_say_to_what_it_does_not_know() -> None:
    server = FakeServer()
    await SSEMiddleware(words)({"type": "of-the-future"}, server.receive, server.send)
    assert server.sent == []


async def test_an_application_that_does_not_answer_is_told_so() -> None:
    """H11: our state is intact, and the next request works."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/":
            await EventStream(words())(scope, receive, send)

    wrapped = SSEMiddleware(app)
    with pytest.raises(RuntimeError, match="returned without having sent"):
        await answer(wrapped, request(path="/silent"))
    assert (await answer(wrapped)).is_complete


async def test_an_application_whose_client_left_need_not_answer() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    server = FakeServer()
    server.disconnect()
    await answer(SSEMiddleware(app), server=server)


@pytest.mark.parametrize("after", ["start", "body"])
async def test_an_application_that_answers_twice_is_told_so(after: str) -> None:
    """H11."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await EventStream(["a"])(scope, receive, send)
        if after == "start":
            await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"more"})

    server = FakeServer()
    with pytest.raises(RuntimeError, match=r"twice|after the end"):
        await answer(SSEMiddleware(app), server=server)
    assert server.body == b"data: a\n\n"


async def test_an_application_that_sends_into_its_own_stream_is_told_so() -> None:
    """H11."""
    faults = list[str]()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async def words() -> AsyncIterator[str]:
            yield "a"
            await turns()
            try:
                await send({"type": "http.response.body", "body": b"id: forged\n\n", "more_body": True})
            except RuntimeError as exc:
                faults.append(str(exc))
            yield "b"

        await EventStream(words())(scope, receive, send)

    server = await answer(SSEMiddleware(app))
    assert server.body == b"data: a\n\ndata: b\n\n"
    assert server.is_complete
    assert faults == ["the application sent http.response.body while a stream of its own is being sent"]


@pytest.mark.parametrize("wrapped", [False, True])
async def test_whoever_stands_between_the_middleware_and_a_stream_sees_all_of_it(wrapped: bool) -> None:
    seen = list[Any]()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async def watched(message: Any) -> None:
            seen.append(message)
            await send(message)

        async def words() -> AsyncIterator[str]:
            for word in "abc":
                yield word
                await turns()

        await EventStream(words())(scope, receive, watched if wrapped else send)

    server = await answer(SSEMiddleware(app))
    assert server.body == b"data: a\n\ndata: b\n\ndata: c\n\n"
    assert len(server.sent) >= 5
    assert len(seen) == (len(server.sent) if wrapped else 0)


async def test_a_stream_after_a_head_that_was_sent_already_is_told_so() -> None:
    """H11."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await EventStream(["a"])(scope, receive, send)

    server = FakeServer()
    with pytest.raises(RuntimeError, match=r"sent http.response.start twice"):
        await answer(SSEMiddleware(app), server=server)
    assert len(server.sent) == 1


async def test_two_middlewares_are_one_in_the_other() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await EventStream(["a"])(scope, receive, send)

    inner = SSEMiddleware(app, dialect="plain", headers={"x-a": "inner"})
    server = await answer(SSEMiddleware(inner, headers={"x-a": "outer"}))
    assert server.headers["x-a"] == "inner"
    assert server.headers["vary"] == "Accept"


async def test_extensions_pass() -> None:
    """H13."""
    hint: Message = {"type": "http.response.early_hint", "links": []}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(hint)
        await EventStream(["a"])(scope, receive, send)

    server = await answer(SSEMiddleware(app))
    assert server.sent[0] is hint
