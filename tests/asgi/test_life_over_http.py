"""FAULTS, section 3: what an answer is to HTTP, and to the middleware around and below it."""

from __future__ import annotations

import time
import zlib
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import anyio
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from sseware import EventStream, SSEMiddleware, StreamError
from sseware.dialects import Plain
from sseware.items import File
from tests.asgi.fakes import FakeServer, answer, body, request, serving, turns, until

pytestmark = pytest.mark.anyio


async def words(scope: Any, receive: Any) -> AsyncIterator[str]:
    yield "Once "
    yield "upon "


APP = SSEMiddleware(words)


@pytest.mark.parametrize(
    ("accept", "query", "content_type"),
    [
        pytest.param(None, "", "text/event-stream; charset=utf-8", id="no-accept"),
        pytest.param("*/*", "", "text/event-stream; charset=utf-8", id="anything"),
        pytest.param("text/event-stream", "", "text/event-stream; charset=utf-8", id="a-stream"),
        pytest.param("application/json", "", "application/json; charset=utf-8", id="one-body"),
        pytest.param(
            "text/event-stream;q=0.1, application/json", "", "application/json; charset=utf-8", id="q"
        ),
        pytest.param("text/event-stream;q=0, */*", "", "application/json; charset=utf-8", id="anything-else"),
        pytest.param(";;;,,\x00garbage", "", "text/event-stream; charset=utf-8", id="garbage"),
    ],
)
async def test_a_client_gets_what_it_accepts(accept: str | None, query: str, content_type: str) -> None:
    """H1."""
    server = await answer(APP, request(accept=accept, query=query))
    assert (server.status, server.headers["content-type"]) == (200, content_type)


async def test_several_accept_fields_are_one() -> None:
    """H1: RFC 9110, section 5.3."""
    scope = request()
    scope["headers"] = [(b"accept", b"text/event-stream;q=0.1"), (b"accept", b"application/json")]
    assert (await answer(APP, scope)).headers["content-type"].startswith("application/json")


async def test_a_client_that_accepts_nothing_that_there_is_is_told_what_there_is() -> None:
    """H1, H2."""
    server = await answer(APP, request(accept="image/png"))
    assert server.status == 406
    assert server.headers["content-type"] == "application/json"
    assert b'"error":"not acceptable"' in server.body
    assert int(server.headers["content-length"]) == len(server.body)


@pytest.mark.parametrize("accept", ["x/y," * 10_000, "a" * 65_536, "text/*;q=0.5," * 5_000])
async def test_an_accept_that_is_an_attack_is_answered_in_no_time(accept: str) -> None:
    """H1, A8."""
    start = time.process_time()
    await answer(APP, request(accept=accept))
    assert time.process_time() - start < 2


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("accept", ["text/event-stream", "application/json", "image/png"])
@pytest.mark.parametrize("app", [APP, SSEMiddleware(words, headers={"vary": "Origin"})])
async def test_every_answer_varies_by_accept(app: Any, accept: str, method: str) -> None:
    """H2."""
    server = await answer(app, request(method, accept=accept))
    assert "Accept" in server.headers["vary"]


async def test_what_the_application_varies_by_is_kept() -> None:
    """H2."""
    for vary, want in (("Origin", "Origin, Accept"), ("*", "*")):
        server = await answer(SSEMiddleware(words, headers={"vary": vary}))
        assert server.headers["vary"] == want


async def test_a_failure_varies_too() -> None:
    """H2."""

    async def failing() -> AsyncIterator[str]:
        raise StreamError("no", status=503)
        yield "a"

    assert (await answer(SSEMiddleware(failing))).headers["vary"] == "Accept"


async def test_a_stream_has_the_head_that_it_must_have() -> None:
    """H3, H4, H5."""
    server = await answer(SSEMiddleware(words, headers={"content-length": "3", "X-Own": "yes"}))
    assert server.headers == {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-store, no-transform",
        "x-content-type-options": "nosniff",
        "x-accel-buffering": "no",
        "x-own": "yes",
        "vary": "Accept",
    }


async def test_a_buffered_answer_has_its_length() -> None:
    """H5."""
    server = await answer(
        SSEMiddleware(words, headers={"content-length": "3"}), request(accept="application/json")
    )
    assert int(server.headers["content-length"]) == len(server.body)


@pytest.mark.parametrize("http_version", ["1.0", "1.1", "2", "3"])
async def test_a_connection_field_of_a_dialect_appears_on_http_1_1_only(http_version: str) -> None:
    """HUSK sends connection: keep-alive; HTTP/2 forbids it."""

    class Kept(Plain, frozen=True):
        stream_headers: ClassVar = (("connection", "keep-alive"), ("cache-control", "no-cache"))

    app = SSEMiddleware(words, dialect=Kept())
    server = await answer(app, request(http_version=http_version))
    assert ("connection" in server.headers) is (http_version == "1.1")
    assert server.headers["cache-control"] == "no-cache"
    assert "content-length" not in server.headers


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("text/event-stream", "text/event-stream; charset=utf-8"),
        ("application/json", "application/json; charset=utf-8"),
    ],
)
async def test_head_answers_the_head_and_never_runs_the_handler(accept: str, content_type: str) -> None:
    """H9."""
    ran: list[str] = []

    async def handler() -> AsyncIterator[str]:
        ran.append("entered")
        yield "a"

    for app in (SSEMiddleware(handler), EventStream(handler())):
        server = await answer(app, request("HEAD", accept=accept))
        assert (server.status, server.headers["content-type"]) == (200, content_type)
        assert "content-length" not in server.headers
        assert server.body == b""
        assert server.is_complete
    assert ran == []


async def test_head_that_accepts_nothing_is_refused_without_a_body() -> None:
    """H9."""
    server = await answer(APP, request("HEAD", accept="image/png"))
    assert (server.status, server.body) == (406, b"")


async def test_a_failure_without_a_body_has_none() -> None:
    """H10: a status that HTTP gives no body."""

    async def handler() -> AsyncIterator[str]:
        raise StreamError("nothing new", status=304)
        yield "a"

    server = await answer(SSEMiddleware(handler))
    assert (server.status, server.body) == (304, b"")
    assert "content-length" not in server.headers


@pytest.mark.parametrize("status", [204, 304])
async def test_an_answer_of_a_wrapped_application_that_has_no_body_gets_none(status: int) -> None:
    """H10."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body"})

    async with serving(SSEMiddleware(app, keepalive=1)) as server:
        await anyio.sleep(100)
        assert len(server.sent) == 2
        assert server.headers == {}


async def test_a_file_is_one_body_whatever_was_asked() -> None:
    """H14."""

    async def handler() -> AsyncIterator[Any]:
        yield File(b"bytes", name="a.bin", media_type="x/y")

    server = await answer(SSEMiddleware(handler, dialect="husk"), request(query="stream=1"))
    assert (server.status, server.body) == (200, b"bytes")
    assert server.headers["content-type"] == "x/y"
    assert server.headers["content-disposition"] == 'inline; filename="a.bin"'
    assert server.headers["content-length"] == "5"
    assert server.headers["vary"] == "Accept"


async def test_a_file_may_take_its_time_after_the_head_timeout() -> None:
    """H14: once it is there, the answer is decided."""

    async def handler() -> AsyncIterator[Any]:
        yield File(b"bytes")
        await anyio.sleep(30)

    start = anyio.current_time()
    server = await answer(SSEMiddleware(handler))
    assert (server.status, server.body) == (200, b"bytes")
    assert anyio.current_time() - start == 30


async def test_a_file_for_a_client_that_has_left_is_not_sent() -> None:
    async def handler() -> AsyncIterator[Any]:
        yield File(b"bytes")
        await anyio.sleep_forever()

    async with serving(SSEMiddleware(handler)) as server:
        await anyio.sleep(7)
    assert server.sent == []


async def test_a_handler_reads_its_request_while_it_streams() -> None:
    """C8, H16."""

    async def echo(scope: Any, receive: Any) -> AsyncIterator[bytes]:
        while (message := await receive())["type"] == "http.request":
            yield message["body"]
            if not message["more_body"]:
                return

    server = FakeServer(*body(b"one", b"two", b"three"))
    await answer(SSEMiddleware(echo), request("POST"), server=server)
    assert server.body == b"data: one\n\ndata: two\n\ndata: three\n\n"
    assert server.overlaps == 0


async def test_a_body_that_is_not_read_stops_nothing() -> None:
    """H16: hypercorn stops the application in send where ten messages lie unread."""
    server = FakeServer(*body(*[b"x" * 1000] * 50))
    await answer(SSEMiddleware(lambda: ["a"]), request("POST"), server=server)
    assert server.body == b"data: a\n\n"


async def test_a_request_whose_body_never_comes_is_answered() -> None:
    """Uvicorn's HTTP/2 never delivers ``http.request`` for a GET without a body."""
    server = FakeServer()
    server.incoming.clear()
    await answer(SSEMiddleware(lambda: ["a"]), server=server)
    assert server.body == b"data: a\n\n"


async def test_gzip_outside_holds_no_event_back() -> None:
    """H7."""

    async def handler() -> AsyncIterator[str]:
        for letter in "abc":
            yield letter
            await anyio.sleep(1)

    app = GZipMiddleware(SSEMiddleware(handler), minimum_size=1)
    server, text = FakeServer(), b""
    unzip = zlib.decompressobj(31)
    start = anyio.current_time()
    await answer(app, request(headers={"accept-encoding": "gzip"}), server=server)
    zipped = server.headers.get("content-encoding") == "gzip"
    seen: list[float] = []
    for moment, message in zip(server.times[1:], server.sent[1:], strict=True):
        before = text
        text += unzip.decompress(message["body"]) if zipped else message["body"]
        seen += [moment - start] * (text.count(b"data: ") - before.count(b"data: "))
    assert text == b"data: a\n\ndata: b\n\ndata: c\n\n"
    assert seen == [0, 1, 2]


@pytest.mark.parametrize("where", ["outside", "inside"])
async def test_a_BaseHTTPMiddleware_lets_events_and_the_disconnect_pass(where: str) -> None:
    """H8."""
    closed: list[str] = []

    async def words() -> AsyncIterator[str]:
        try:
            yield "a"
            await anyio.sleep_forever()
        finally:
            closed.append("closed")

    async def endpoint(request: Request) -> Any:
        return EventStream(words())

    async def dispatch(request: Request, call_next: Any) -> Any:
        return await call_next(request)

    base = Middleware(BaseHTTPMiddleware, dispatch=dispatch)
    ours = Middleware(SSEMiddleware, keepalive=20)
    order = [base, ours] if where == "outside" else [ours, base]
    app = Starlette(routes=[Route("/", endpoint)], middleware=order)
    start = anyio.current_time()
    async with serving(app) as server:
        await anyio.sleep(30)
        assert server.body.startswith(b"data: a\n\n")
        assert server.times[-1] - start == 20, "the options of the middleware arrive"
        server.disconnect()
        await turns(50)
        assert closed == ["closed"]


async def test_what_is_no_stream_passes_untouched() -> None:
    """H6, H15: an encoding, an entity tag, a length."""

    async def plain(request: Request) -> Any:
        return PlainTextResponse("text", headers={"etag": '"1"', "content-encoding": "identity"})

    app = Starlette(routes=[Route("/", plain)])
    bare, wrapped = await answer(app), await answer(SSEMiddleware(app))
    assert bare.sent == wrapped.sent


async def test_a_stream_below_a_wrapped_application_that_reads_first() -> None:
    """C8."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        first = await receive()

        async def rest() -> AsyncIterator[bytes]:
            yield first["body"]
            yield (await receive())["body"]

        await EventStream(rest())(scope, receive, send)

    server = FakeServer(*body(b"one", b"two"))
    await answer(SSEMiddleware(app), request("POST"), server=server)
    assert server.body == b"data: one\n\ndata: two\n\n"
    assert server.overlaps == 0


async def test_a_disconnect_while_a_buffered_answer_is_made_closes_its_handler() -> None:
    """G1: buffered."""
    closed: list[float] = []

    async def handler() -> AsyncIterator[str]:
        try:
            yield "a"
            await anyio.sleep_forever()
        finally:
            closed.append(anyio.current_time())

    async with serving(SSEMiddleware(handler), request(accept="application/json")) as server:
        await anyio.sleep(3)
        now = anyio.current_time()
        server.disconnect()
        await until(lambda: closed)
        assert closed == [now]
    assert server.sent == []


@pytest.mark.parametrize("fails", [OSError("gone"), RuntimeError("gone")])
async def test_a_client_that_is_gone_when_a_buffered_answer_is_sent_is_no_error(fails: Exception) -> None:
    """C2."""
    server = FakeServer()
    server.fails = fails
    await answer(APP, request(accept="application/json"), server=server)
    assert server.sent == []


async def test_a_client_that_does_not_read_a_buffered_answer_is_given_up() -> None:
    """C3."""
    server, start = FakeServer(), anyio.current_time()
    server.stall()
    await answer(APP, request(accept="application/json"), server=server)
    assert anyio.current_time() - start == 30
