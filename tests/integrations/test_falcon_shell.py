"""Falcon: responders, methods and functions, and what is set on the response."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import falcon
import pytest
from falcon.asgi import App, Request, Response

import sseware
from sseware.errors import ConfigurationError, HandlerTypeError
from sseware.integrations.falcon import EventStream, streaming
from sseware.testing._clock import virtual_backend
from tests.asgi.fakes import FakeServer, answer, request

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> Any:
    """Falcon runs on asyncio."""
    return virtual_backend("asyncio")


class Server(FakeServer):
    @property
    def chunks(self) -> list[bytes]:
        return [each.get("body", b"") for each in self.sent if each["type"] == "http.response.body"]


async def asked(app: Any, path: str = "/", **more: Any) -> Server:
    server = Server()
    await answer(app, request(path=path, scheme="http", **more), server=server)
    return server


async def words() -> AsyncIterator[str]:
    yield "Once "
    yield "upon "


STREAM = b"data: Once \n\ndata: upon \n\n"


def app_of(responder: Any) -> Any:
    app = App()
    app.add_route("/", type("Resource", (), {"on_get": responder})())
    return app


async def test_the_typed_door_decorates_a_method() -> None:
    @streaming(dialect="plain")
    async def on_get(self: Any, req: Request, resp: Response) -> AsyncIterator[str]:
        yield f"{type(self).__name__} {req.path}"

    assert (await asked(app_of(on_get))).body == b"data: Resource /\n\n"


async def test_a_sink_is_a_function() -> None:
    app: Any = App()

    @streaming
    async def sink(req: Request, resp: Response, **params: Any) -> AsyncIterator[str]:
        yield req.path

    app.add_sink(sink)
    assert (await asked(app, "/deep")).body == b"data: /deep\n\n"


async def test_what_is_set_on_the_response_replaces_ours_and_vary_is_merged() -> None:
    async def on_get(self: Any, req: Request, resp: Response) -> None:
        resp.set_header("cache-control", "no-cache")
        resp.set_header("vary", "Cookie")
        resp.set_cookie("a", "1", secure=False, http_only=False)
        stream = EventStream(words(), status_code=201, headers=[("set-cookie", "b=2"), ("x-a", "1")])
        await stream.respond(req, resp)

    server = await asked(app_of(on_get))
    assert (server.status, server.body) == (201, STREAM)
    assert server.headers["cache-control"] == "no-cache"
    assert server.headers["vary"] == "Cookie, Accept"
    assert "a=1" in server.headers["set-cookie"]
    assert "b=2" in server.headers["set-cookie"]
    assert server.headers["x-a"] == "1"


async def test_middleware_of_falcons_sees_the_begun_response() -> None:
    seen: list[Any] = []

    class Notes:
        async def process_response(self, req: Any, resp: Any, resource: Any, succeeded: bool) -> None:
            seen.append((resp.status_code, succeeded, resp.content_type))

    @streaming(dialect="plain")
    async def on_get(self: Any, req: Request, resp: Response) -> AsyncIterator[str]:
        yield "a"

    app = app_of(on_get)
    app.add_middleware(Notes())
    assert (await asked(app)).body == b"data: a\n\n"
    assert seen == [(200, True, "text/event-stream; charset=utf-8")]


async def test_an_error_of_falcons_has_its_own_body() -> None:
    @sseware.streaming(dialect="plain")
    async def on_get(self: Any, req: Request, resp: Response) -> AsyncIterator[str]:
        raise falcon.HTTPTooManyRequests(title="slow down", retry_after=7)
        yield ""

    server = await asked(app_of(on_get))
    assert (server.status, server.headers["retry-after"], server.body) == (
        429,
        "7",
        b'{"title": "slow down"}',
    )


async def test_a_responder_that_yields_nothing_that_yields_is_a_typed_error() -> None:
    seen: list[Exception] = []

    async def note(req: Any, resp: Any, exc: Exception, params: Any) -> None:
        seen.append(exc)
        resp.status = 500

    @streaming(dialect="plain")
    async def on_get(self: Any, req: Request, resp: Response) -> Any:
        return resp

    app = app_of(on_get)
    app.add_error_handler(HandlerTypeError, note)
    assert (await asked(app)).status == 500
    assert len(seen) == 1


async def test_a_call_without_req_and_resp_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="want the arguments of a responder"):
        await streaming(words)()
