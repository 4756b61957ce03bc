"""Starlette: routes, class endpoints, and what its users expect of a response."""

from __future__ import annotations

import contextvars
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask, BackgroundTasks
from starlette.endpoints import HTTPEndpoint
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

import sseware
from sseware import SSEMiddleware
from sseware.errors import ConfigurationError, HandlerTypeError
from sseware.integrations.starlette import EventStream, streaming
from tests.asgi.fakes import FakeServer, answer, body, request, serving, until

pytestmark = pytest.mark.anyio

user = contextvars.ContextVar("user", default="nobody")


async def words() -> AsyncIterator[str]:
    yield "Once "
    yield "upon "


STREAM = b"data: Once \n\ndata: upon \n\n"


def app_of(endpoint: Any, **options: Any) -> Starlette:
    return Starlette(routes=[Route("/", endpoint, methods=["GET", "POST"])], **options)


class TestWhatAnEndpointMayBe:
    async def test_a_decorated_function(self) -> None:
        @streaming(dialect="plain")
        async def story(request: Request) -> AsyncIterator[str]:
            yield request.query_params["word"]

        assert (await answer(app_of(story), request(query="word=fox"))).body == b"data: fox\n\n"

    async def test_a_decorated_sync_function(self) -> None:
        @streaming(dialect="plain")
        def story(request: Request) -> Iterator[str]:
            yield request.method

        assert (await answer(app_of(story))).body == b"data: GET\n\n"

    async def test_a_method_of_a_class_endpoint(self) -> None:
        class Story(HTTPEndpoint):
            @streaming(dialect="plain")
            async def get(self, request: Request) -> AsyncIterator[str]:
                yield type(self).__name__

            @sseware.streaming(dialect="plain")
            async def post(self, request: Request) -> AsyncIterator[str]:
                yield (await request.body()).decode()

        assert (await answer(app_of(Story))).body == b"data: Story\n\n"
        server = FakeServer(*body(b"he", b"llo"))
        scope = request("POST", headers={"content-length": "5"})
        assert (await answer(app_of(Story), scope, server=server)).body == b"data: hello\n\n"

    @pytest.mark.parametrize("make", [EventStream, sseware.EventStream], ids=["typed", "front-door"])
    async def test_a_function_that_returns_an_event_stream(self, make: Any) -> None:
        async def endpoint(request: Request) -> Response:
            response = make(words(), dialect="plain")
            assert isinstance(response, Response)
            return response

        assert (await answer(app_of(endpoint))).body == STREAM

    async def test_a_sync_function_that_returns_an_event_stream(self) -> None:
        def endpoint(request: Request) -> Response:
            return EventStream(words(), dialect="plain")

        assert (await answer(app_of(endpoint))).body == STREAM


class TestTheResponse:
    def test_the_front_doors_is_a_response_of_starlettes(self) -> None:
        response: Any = sseware.EventStream([])
        assert type(response) is EventStream
        assert isinstance(response, sseware.EventStream)

    async def test_header_fields_may_be_set_until_it_is_called(self) -> None:
        response = EventStream(words(), headers={"X-A": "1"})
        assert response.headers["x-a"] == "1"
        response.headers["x-a"] = "2"
        response.headers["cache-control"] = "no-cache"
        response.set_cookie("seen", "1")
        response.set_cookie("liked", "2")
        server = await answer(response)
        assert server.headers["x-a"] == "2"
        assert server.headers["cache-control"] == "no-cache"
        assert server.headers["set-cookie"].count("SameSite") == 2
        assert server.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert server.body == STREAM

    async def test_header_fields_may_be_taken_away_or_replaced_as_a_whole(self) -> None:
        response = EventStream(words(), headers={"x-a": "1"})
        del response.headers["x-a"]
        assert "x-a" not in (await answer(response)).headers
        response = EventStream(words(), headers={"x-a": "1"})
        response.raw_headers = [(b"x-b", b"2")]
        headers = (await answer(response)).headers
        assert ("x-a" in headers, headers["x-b"]) == (False, "2")

    async def test_who_only_looks_at_header_fields_changes_none(self) -> None:
        async def endpoint(request: Request) -> Response:
            response = EventStream(words())
            assert "x-a" not in response.headers
            return response

        app = SSEMiddleware(app_of(endpoint), headers={"x-a": "middleware"})
        assert (await answer(app)).headers["x-a"] == "middleware"

    async def test_header_fields_are_those_of_a_buffered_answer_too(self) -> None:
        response = EventStream(words(), dialect="husk")
        response.set_cookie("seen", "1")
        server = await answer(response)
        assert (server.body, "seen=1" in server.headers["set-cookie"]) == (b"Once upon ", True)

    async def test_a_header_field_that_http_cannot_carry_is_refused(self) -> None:
        response = EventStream(words())
        response.headers["x-a"] = "a\r\nset-cookie: b"
        server = FakeServer()
        with pytest.raises(ConfigurationError, match="headers"):
            await answer(response, server=server)
        assert server.sent == []

    async def test_the_status_may_be_set_until_it_is_called(self) -> None:
        response = EventStream(words(), status_code=201)
        assert response.status_code == 201
        response.status_code = 202
        assert (await answer(response)).status == 202

    async def test_what_is_set_comes_before_the_middlewares(self) -> None:
        async def endpoint(request: Request) -> Response:
            response = EventStream(words())
            response.headers["x-b"] = "own"
            return response

        app = SSEMiddleware(app_of(endpoint), dialect="husk", status_code=203)
        server = await answer(app, request(query="stream=1"))
        assert (server.status, server.headers["x-b"]) == (203, "own")
        assert server.body.startswith(b"event: stdout")

    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    async def test_a_background_task_runs_after_the_answer(self, method: str) -> None:
        ran: list[int] = []
        server = FakeServer()

        async def later() -> None:
            ran.append(len(server.sent))
            assert server.is_complete

        response = EventStream(words(), background=BackgroundTask(later))
        await answer(response, request(method), server=server)
        assert len(ran) == 1

    async def test_a_background_task_does_not_run_after_a_failure(self) -> None:
        ran: list[str] = []

        async def broken() -> AsyncIterator[str]:
            raise LookupError("no")
            yield ""

        with pytest.raises(LookupError):
            await answer(EventStream(broken(), background=BackgroundTask(ran.append, "ran")))
        assert ran == []

    async def test_several_background_tasks_run_though_the_client_has_left(self) -> None:
        ran: list[str] = []
        tasks = BackgroundTasks()
        tasks.add_task(ran.append, "one")
        tasks.add_task(ran.append, "two")

        async def endless() -> AsyncIterator[str]:
            yield "a"
            await anyio.sleep_forever()

        async with serving(EventStream(endless(), background=tasks)) as server:
            await until(lambda: server.chunks)
        assert ran == ["one", "two"]


class TestFailures:
    async def test_an_http_exception_before_the_first_item_keeps_status_and_headers(self) -> None:
        @streaming(dialect="plain")
        async def story(request: Request) -> AsyncIterator[str]:
            await anyio.sleep(1)
            raise HTTPException(404, "no such story", headers={"x-a": "1"})
            yield ""

        server = await answer(app_of(story))
        assert (server.status, server.headers["x-a"], server.body) == (404, "1", b"no such story")

    async def test_an_exception_handler_of_the_application_answers(self) -> None:
        async def missing(request: Request, exc: Exception) -> Response:
            return PlainTextResponse(f"{exc}", 410)

        @streaming(dialect="husk")
        async def story(request: Request) -> AsyncIterator[str]:
            yield ""  # an empty piece is nothing that could be sent
            raise LookupError("gone")

        app = app_of(story, exception_handlers={LookupError: missing})
        for query in ("", "stream=1"):
            server = await answer(app, request(query=query))
            if not query:
                assert (server.status, server.body) == (410, b"gone")

    async def test_an_http_exception_after_the_first_item_is_told_in_the_stream(self) -> None:
        @streaming(dialect="husk")
        async def story(request: Request) -> AsyncIterator[str]:
            yield "a"
            raise HTTPException(404, "no such word")

        server = await answer(app_of(story), request(query="stream=1"))
        assert server.status == 200
        assert b"no such word" in server.body
        assert server.is_complete

    async def test_a_handler_that_yields_nothing_that_yields_is_a_typed_error(self) -> None:
        @streaming(dialect="plain")
        async def story(request: Request) -> Any:
            return PlainTextResponse("no")

        with pytest.raises(HandlerTypeError, match="PlainTextResponse"):
            await answer(app_of(story))


class WhoAsks:
    """A pure ASGI middleware that sets a context variable."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        user.set("alice")
        scope.setdefault("state", {})["user"] = "bob"
        await self.app(scope, receive, send)


class TestWhatIsAroundTheHandler:
    @pytest.mark.parametrize("query", ["stream=1", ""])
    async def test_context_variables_and_request_state_are_seen(self, query: str) -> None:
        @streaming(dialect="husk")
        async def story(request: Request) -> AsyncIterator[str]:
            yield user.get()
            await anyio.sleep(1)
            yield user.get() + request.state.user

        app = app_of(story, middleware=[Middleware(WhoAsks)])
        server = await answer(app, request(query=query))
        assert server.body.replace(b"event: stdout\ndata: ", b"").startswith(b"alice")
        assert b"alicebob" in server.body

    async def test_what_a_handler_sets_stays_its_own(self) -> None:
        @streaming(dialect="plain")
        async def story(request: Request) -> AsyncIterator[str]:
            user.set("mallory")
            yield user.get()

        seen: list[str] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await app_of(story)(scope, receive, send)
            seen.append(user.get())

        assert (await answer(app)).body == b"data: mallory\n\n"
        assert seen == ["nobody"]

    async def test_the_body_is_read_in_the_handler_once(self) -> None:
        @streaming(dialect="husk")
        async def shout(request: Request) -> AsyncIterator[str]:
            async for chunk in request.stream():
                yield chunk.decode().upper()

        server = FakeServer(*body(b"he", b"llo"))
        app = SSEMiddleware(app_of(shout))
        assert (await answer(app, request("POST"), server=server)).body == b"HELLO"

    async def test_cleanup_runs_when_the_client_leaves(self) -> None:
        seen: list[str] = []

        @streaming(dialect="plain")
        async def story(request: Request) -> AsyncIterator[str]:
            try:
                yield "a"
                await anyio.sleep_forever()
            finally:
                seen.append("closed")

        async with serving(app_of(story)) as server:
            await until(lambda: server.chunks)
            assert seen == []
        assert seen == ["closed"]

    async def test_below_a_mount_paths_are_the_frameworks(self) -> None:
        @streaming(dialect="plain")
        async def story(request: Request) -> AsyncIterator[str]:
            yield f"{request.scope['root_path']} {request.url.path} {request.path_params['name']}"

        app = Starlette(routes=[Mount("/api", routes=[Route("/tell/{name}", story)])])
        server = await answer(app, request(path="/api/tell/fox"))
        assert server.body == b"data: /api /api/tell/fox fox\n\n"
