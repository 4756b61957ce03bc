"""What of a request a negotiation, and a dialect, may know."""

from __future__ import annotations

from typing import Any

import pytest

from sseware import SSEMiddleware
from sseware.asgi._respond import request_of
from sseware.dialects import Plain, Registry, StreamContext, hookimpl
from sseware.negotiation import Decision, Request
from tests.asgi.fakes import answer, request

pytestmark = pytest.mark.anyio


async def test_a_negotiation_sees_method_path_query_and_accept() -> None:
    scope = request("POST", "/a b", query="x=%20", accept="text/event-stream")
    assert request_of(scope) == Request("POST", "/a b", "x=%20", "text/event-stream")


async def test_a_request_may_have_no_accept_and_no_query() -> None:
    scope = request()
    del scope["query_string"]
    assert request_of(scope) == Request("GET", "/", "", None)


async def test_bytes_that_are_no_ascii_do_no_harm() -> None:
    scope = request()
    scope["query_string"] = b"\xff"
    scope["headers"] = [(b"accept", b"\xff/\xfe")]
    assert request_of(scope) == Request("GET", "/", "\xff", "\xff/\xfe")


async def test_a_dialect_sees_what_it_may() -> None:
    seen: list[StreamContext] = []

    class Curious(Plain, frozen=True):
        def open(self, context: StreamContext) -> Any:
            seen.append(context)
            return super().open(context)

    scope = request("POST", "/x", query="debug=true", accept="*/*", http_version="2")
    await answer(SSEMiddleware(lambda: ["a"], dialect=Curious(), debug=True), scope)
    (context,) = seen
    assert (context.method, context.path, context.query, context.accept) == (
        "POST",
        "/x",
        "debug=true",
        "*/*",
    )
    assert (context.http_version, context.debug) == ("2", True)
    assert context.elapsed() >= 0


async def test_a_client_may_choose_among_the_dialects_that_are_allowed() -> None:
    """T5."""
    app = SSEMiddleware(lambda: ["a"], dialect="plain", dialects=["husk"])
    server = await answer(app, request(accept="text/event-stream;dialect=husk"))
    assert server.body.startswith(b"event: stdout\n")
    server = await answer(app, request(query="dialect=husk&stream=1"))
    assert server.body.startswith(b"event: stdout\n")
    server = await answer(app, request(query="dialect=machpay"))
    assert server.status == 406


async def test_a_plugin_may_decide() -> None:
    class Plugin:
        @hookimpl
        def sseware_negotiate(self, request: Request, offers: Any) -> Decision | None:
            if request.path == "/buffered":
                return Decision("buffered", offers[0].dialect, "the path says so", None)
            return None

    app = SSEMiddleware(
        lambda: ["a"], registry=Registry(plugins={"paths": Plugin()}, installed=False), dialect="plain"
    )
    server = await answer(app, request(path="/buffered", accept="text/event-stream"))
    assert server.headers["content-type"].startswith("application/json")
    server = await answer(app, request("HEAD", path="/buffered"))
    assert "content-type" not in server.headers
    assert (await answer(app)).headers["content-type"].startswith("text/event-stream")
