"""Who is let in: before a handler runs, over HTTP as over a WebSocket; and every slot is given back."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import pytest

from sseware import EventStream, SSEMiddleware, StreamError
from sseware.asgi import Access, StreamObserver
from sseware.dialects import Plain, StreamContext
from sseware.errors import ConfigurationError
from sseware.items import File
from sseware.testing import cancel_everywhere
from tests.asgi.fakes import FakeServer, answer, request, serving, until

pytestmark = pytest.mark.anyio

APP = "https://app.example"
EVIL = {"origin": "https://evil.example"}


class Handler:
    """A handler that counts how often it was entered."""

    def __init__(self) -> None:
        self.entered = 0

    async def __call__(self) -> AsyncIterator[str]:
        self.entered += 1
        yield "a"


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
@pytest.mark.parametrize("accept", ["text/event-stream", "application/json", "image/png"])
async def test_a_page_that_is_not_listed_is_refused_before_the_handler_runs(method: str, accept: str) -> None:
    """A2."""
    handler = Handler()
    app = SSEMiddleware(handler, access=Access(origins=[APP]))
    server = await answer(app, request(method, headers=EVIL, accept=accept))
    assert (server.status, handler.entered) == (403, 0)
    assert (b"origin" in server.body) == (method != "HEAD")
    assert "access-control-allow-origin" not in server.headers
    assert "Origin" in server.headers["vary"]


@pytest.mark.parametrize("door", ["handler", "response"])
async def test_the_dialect_tells_the_refusal(door: str) -> None:
    access = Access(hosts=["localhost"])

    async def route(scope: Any, receive: Any, send: Any) -> None:
        await EventStream(["a"], dialect="machpay", access=access)(scope, receive, send)

    app = SSEMiddleware(["a"].copy, dialect="machpay", access=access) if door == "handler" else route
    server = await answer(app, request(headers={"host": "evil.example"}))
    assert server.status == 403
    assert server.headers["content-type"].startswith("application/json")
    assert b"HOST_NOT_ALLOWED" in server.body


@pytest.mark.parametrize(
    ("method", "accept", "status"),
    [
        pytest.param("GET", "text/event-stream", 200, id="a-stream"),
        pytest.param("HEAD", "text/event-stream", 200, id="a-head"),
        pytest.param("GET", "application/json", 200, id="a-buffered-answer"),
        pytest.param("GET", "image/png", 406, id="a-refusal"),
    ],
)
@pytest.mark.parametrize("credentials", [False, True])
async def test_a_page_that_is_listed_may_read_every_answer(
    method: str, accept: str, status: int, credentials: bool
) -> None:
    """A2."""
    access = Access(origins=[APP, "https://other.example"], credentials=credentials)
    server = await answer(
        SSEMiddleware(Handler(), access=access), request(method, accept=accept, headers={"origin": APP})
    )
    assert server.status == status
    assert server.headers["access-control-allow-origin"] == APP
    assert server.headers.get("access-control-allow-credentials") == ("true" if credentials else None)
    assert server.headers["vary"] == "Accept, Origin"


async def test_who_has_no_origin_gets_an_answer_that_is_not_stored_for_who_has_one() -> None:
    server = await answer(SSEMiddleware(Handler(), access=Access(origins=[APP], credentials=True)))
    assert server.status == 200
    assert "access-control-allow-origin" not in server.headers
    assert "access-control-allow-credentials" not in server.headers
    assert server.headers["vary"] == "Accept, Origin"


async def test_any_page_may_read_without_credentials_and_its_origin_is_not_reflected() -> None:
    """A2."""
    server = await answer(SSEMiddleware(Handler(), access=Access(origins=["*"])), request(headers=EVIL))
    assert server.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in server.headers
    assert server.headers["vary"] == "Accept"


async def test_what_the_application_says_of_origins_is_replaced() -> None:
    headers = {"access-control-allow-origin": "*", "access-control-allow-credentials": "true"}
    app = SSEMiddleware(Handler(), access=Access(origins=[APP]), headers=headers)
    server = await answer(app, request(headers={"origin": APP}))
    assert server.headers["access-control-allow-origin"] == APP
    assert "access-control-allow-credentials" not in server.headers


async def test_a_browser_that_asks_whether_it_may_ask_is_told() -> None:
    handler = Handler()
    app = SSEMiddleware(handler, access=Access(origins=[APP]))
    asks = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
    allowed = await answer(app, request("OPTIONS", headers={"origin": APP, **asks}))
    assert (allowed.status, allowed.body, handler.entered) == (204, b"", 0)
    assert allowed.headers["access-control-allow-origin"] == APP
    assert "POST" in allowed.headers["access-control-allow-methods"]
    assert "authorization" in allowed.headers["access-control-allow-headers"]
    refused = await answer(app, request("OPTIONS", headers={**EVIL, **asks}))
    assert (refused.status, handler.entered) == (403, 0)
    assert "access-control-allow-methods" not in refused.headers


async def test_an_options_request_that_is_no_such_question_is_the_handlers() -> None:
    handler = Handler()
    await answer(SSEMiddleware(handler, access=Access(origins=[APP])), request("OPTIONS"))
    await answer(SSEMiddleware(handler, access=Access(max_streams=1)), request("OPTIONS", headers=EVIL))
    assert handler.entered == 2


async def test_something_else_than_an_access_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"access must be a sseware.asgi.Access, or None, got 5"):
        SSEMiddleware(Handler(), access=5)  # type: ignore[arg-type]  # that is the point


async def endless() -> AsyncIterator[str]:
    while True:
        yield "a" * 1000
        await anyio.sleep(1)


async def test_who_finds_no_slot_is_told_when_to_come_back_before_the_handler_runs() -> None:
    """B14."""
    handler, access = Handler(), Access(max_streams=1, retry_after=7)
    async with serving(SSEMiddleware(endless, access=access)) as first:
        await until(lambda: first.chunks)
        server = await answer(SSEMiddleware(handler, access=access))
        assert (server.status, handler.entered) == (503, 0)
        assert server.headers["retry-after"] == "7"
        buffered = await answer(SSEMiddleware(handler, access=access), request(accept="application/json"))
        head = await answer(SSEMiddleware(handler, access=access), request("HEAD"))
        assert (buffered.status, head.status) == (200, 200), "only streams take slots"
    assert (await answer(SSEMiddleware(handler, access=access))).status == 200


async def test_a_response_of_a_framework_finds_no_slot_either_and_its_generator_is_closed() -> None:
    """B14, G8."""
    access = Access(max_per_key=1, key=lambda scope: "me")
    slot = access.enter(request())
    entered = Handler()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await EventStream(entered())(scope, receive, send)

    wrapped = SSEMiddleware(app, access=access)
    assert (await answer(wrapped)).status == 503
    assert entered.entered == 0
    slot.free()
    assert (await answer(wrapped)).status == 200


async def test_a_key_that_cannot_be_told_is_an_error_and_takes_no_slot() -> None:
    access = Access(max_per_key=1, key=lambda scope: scope["no-such"])
    server = await answer(SSEMiddleware(Handler(), access=access))
    assert server.status == 500
    assert access.statistics().open == 0


async def raises_first() -> AsyncIterator[str]:
    raise StreamError("no", status=404)
    yield


async def raises_then() -> AsyncIterator[str]:
    yield "a"
    raise StreamError("no")


async def a_file() -> AsyncIterator[File]:
    yield File(b"a")


def no_generator() -> Any:
    raise StreamError("no")


class Closed(Plain, frozen=True):
    def open(self, context: StreamContext) -> Any:
        raise OSError


@pytest.mark.parametrize(
    ("handler", "options"),
    [
        pytest.param(Handler(), {}, id="it-ends"),
        pytest.param(raises_first, {}, id="it-raises-first"),
        pytest.param(raises_then, {}, id="it-raises-in-mid-stream"),
        pytest.param(a_file, {}, id="it-becomes-a-file"),
        pytest.param(no_generator, {}, id="the-handler-cannot-be-called"),
        pytest.param(Handler(), {"dialect": Closed(name="closed")}, id="the-dialect-cannot-open-it"),
        pytest.param(endless, {"max_age": 5}, id="it-reaches-its-age"),
    ],
)
async def test_a_slot_is_given_back_however_a_stream_ends(handler: Any, options: Any) -> None:
    """B14."""
    access = Access(max_streams=1, max_per_key=1)
    await answer(SSEMiddleware(handler, access=access, **options))
    assert (access.statistics().open, access.statistics().refused) == (0, 0)


async def test_a_slot_is_given_back_where_the_client_leaves_or_stalls() -> None:
    """B14."""
    access = Access(max_streams=1)
    app = SSEMiddleware(endless, access=access, send_timeout=5)
    for what in ("leaves", "stalls"):
        server = FakeServer()
        async with serving(app, server=server):
            await anyio.sleep(1)
            assert access.statistics().open == 1
            server.disconnect() if what == "leaves" else server.stall()
            await anyio.sleep(10)
            assert access.statistics().open == 0


@pytest.mark.parametrize("at", ["checkpoint", "turn"])
async def test_a_slot_is_given_back_wherever_the_caller_is_cancelled(at: Any) -> None:
    """B14, G15."""
    access = Access(max_streams=1)

    async def handler() -> AsyncIterator[str]:
        for letter in "abc":
            yield letter
            await anyio.sleep(0)

    async def scenario() -> None:
        server = FakeServer(turns=2)
        await SSEMiddleware(handler, access=access)(request(), server.receive, server.send)

    async for number in cancel_everywhere(scenario, at=at):
        assert access.statistics().open == 0, f"cancelled at {at} {number}"
    assert access.statistics().refused == 0


class Outcomes(StreamObserver):
    def __init__(self) -> None:
        self.seen: list[str] = []

    def on_close(self, stream: Any, summary: Any) -> None:
        self.seen.append(summary.outcome.value)


async def test_a_stream_ends_cleanly_where_its_credential_expires() -> None:
    """A5."""
    outcomes = Outcomes()
    access = Access(expires_at=lambda scope: time.time() + 60)
    start = anyio.current_time()
    server = await answer(SSEMiddleware(endless, access=access, observers=[outcomes], max_age=500))
    assert 58 < anyio.current_time() - start < 62
    assert server.is_complete
    assert server.body.endswith(b": this stream has reached its age; reconnect\n\n")
    assert outcomes.seen == ["expired"]


async def test_the_earlier_of_age_and_expiry_ends_a_stream() -> None:
    access = Access(expires_at=lambda scope: time.time() + 1000)
    start = anyio.current_time()
    await answer(SSEMiddleware(endless, access=access, max_age=10))
    assert 7.5 < anyio.current_time() - start < 11


async def test_a_credential_that_expires_before_the_first_event_ends_the_stream_after_its_head() -> None:
    async def waits() -> AsyncIterator[str]:
        await anyio.sleep_forever()
        yield ""

    start = anyio.current_time()
    server = await answer(SSEMiddleware(waits, access=Access(expires_at=lambda scope: time.time() + 2)))
    assert anyio.current_time() - start < 6
    assert server.is_complete


@pytest.mark.parametrize("accept", ["text/event-stream", "application/json"])
async def test_who_comes_with_an_expired_credential_is_refused(accept: str) -> None:
    handler = Handler()
    app = SSEMiddleware(handler, access=Access(expires_at=lambda scope: time.time() - 1))
    server = await answer(app, request(accept=accept))
    assert (server.status, handler.entered) == (403, 0)


def socket(**more: Any) -> FakeServer:
    return FakeServer({"type": "websocket.connect"}, {"type": "websocket.receive", "text": "?"})


async def talk(app: Callable[..., Any], server: FakeServer, headers: Any = (), **more: Any) -> list[str]:
    """Asks over a WebSocket; returns the kinds of messages that were sent."""
    scope = {**request(headers=dict(headers)), "type": "websocket", **more}
    with anyio.fail_after(1000):
        await app(scope, server.receive, server.send)
    return [message["type"] for message in server.sent]


async def test_a_websocket_of_a_page_that_is_not_listed_is_never_accepted() -> None:
    """A2: browsers let every page open one, and send its cookies along."""
    handler = Handler()
    app = SSEMiddleware(handler, dialect="hector", access=Access(origins=[APP]))
    refused = socket()
    assert await talk(app, refused, EVIL) == ["websocket.close"]
    assert refused.sent[0]["code"] == 1008
    assert handler.entered == 0
    extended = socket()
    kinds = await talk(app, extended, EVIL, extensions={"websocket.http.response": {}})
    assert kinds == ["websocket.http.response.start", "websocket.http.response.body"]
    assert extended.sent[0]["status"] == 403
    assert (await talk(app, socket(), {"origin": APP}))[0] == "websocket.accept"


async def test_a_websocket_takes_a_slot_and_gives_it_back() -> None:
    """B14."""
    access = Access(max_streams=1)
    app = SSEMiddleware(endless, dialect="hector", access=access)
    first = socket()
    async with anyio.create_task_group() as group:
        group.start_soon(talk, app, first)
        await until(lambda: len(first.sent) > 1)
        second, extended = socket(), socket()
        assert await talk(app, second) == ["websocket.close"]
        assert second.sent[0]["code"] == 1013
        await talk(app, extended, extensions={"websocket.http.response": {}})
        assert (extended.sent[0]["status"], (b"retry-after", b"5") in extended.sent[0]["headers"]) == (
            503,
            True,
        )
        first.disconnect()
    assert access.statistics().open == 0


async def test_a_websocket_is_closed_where_its_credential_expires() -> None:
    """A5."""
    outcomes = Outcomes()
    access = Access(expires_at=lambda scope: time.time() + 60)
    server = socket()
    start = anyio.current_time()
    await talk(SSEMiddleware(endless, dialect="hector", access=access, observers=[outcomes]), server)
    assert 58 < anyio.current_time() - start < 62
    assert server.sent[-1]["code"] == 1008
    assert "expired" in server.sent[-1]["reason"]
    assert outcomes.seen == ["expired"]


async def test_a_websocket_that_the_application_has_accepted_is_closed_where_it_may_not_be() -> None:
    access = Access(origins=[APP], max_streams=1)
    handler = Handler()
    response = EventStream(handler(), dialect="hector", access=access)
    refused = FakeServer({"type": "websocket.receive", "text": "?"})
    assert await talk(response, refused, EVIL) == ["websocket.close"]
    assert (refused.sent[0]["code"], handler.entered) == (1008, 0)
    allowed = FakeServer({"type": "websocket.receive", "text": "?"})
    await talk(EventStream(handler(), dialect="hector", access=access), allowed, {"origin": APP})
    assert allowed.sent[-1]["code"] == 1000
    assert access.statistics().open == 0


def adapted(access: Access, chunks: int = 1, pause: float = 0.0) -> Any:
    """An application that streams text, adapted."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for _ in range(chunks):
            await send({"type": "http.response.body", "body": b"a", "more_body": True})
            await anyio.sleep(pause)
        await send({"type": "http.response.body", "body": b""})

    return SSEMiddleware(app, adapt=True, access=access)


STREAM: Any = {"accept": "text/event-stream"}


async def test_an_adapted_stream_is_let_in_as_any_other_and_what_is_not_adapted_passes() -> None:
    access = Access(origins=[APP], max_streams=1)
    app = adapted(access)
    refused = await answer(app, request(headers={**EVIL, **STREAM}))
    assert refused.status == 403
    allowed = await answer(app, request(headers={"origin": APP, **STREAM}))
    assert (allowed.status, allowed.body) == (200, b"data: a\n\n")
    assert allowed.headers["access-control-allow-origin"] == APP
    head = await answer(app, request("HEAD", headers={"origin": APP, **STREAM}))
    assert head.headers["access-control-allow-origin"] == APP
    passed = await answer(app, request(headers={**EVIL, "accept": "text/plain"}))
    assert (passed.status, passed.body) == (200, b"a")
    assert "access-control-allow-origin" not in passed.headers
    assert access.statistics().open == 0


async def test_an_adapted_stream_takes_a_slot_and_gives_it_back() -> None:
    """B14."""
    access = Access(max_streams=1)
    app = adapted(access, chunks=1000, pause=1.0)
    async with serving(app, request(headers=STREAM)) as first:
        await until(lambda: first.body)
        refused = await answer(adapted(access), request(headers=STREAM))
        assert (refused.status, refused.headers["retry-after"]) == (503, "5")
        first.disconnect()
        await anyio.sleep(2)
    assert (await answer(adapted(access), request(headers=STREAM))).status == 200
    assert access.statistics().open == 0


async def test_an_adapted_stream_whose_dialect_cannot_open_gives_its_slot_back() -> None:
    access = Access(max_streams=1)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    with pytest.raises(OSError):
        await answer(
            SSEMiddleware(app, adapt=True, access=access, dialect=Closed(name="closed")),
            request(headers=STREAM),
        )
    assert access.statistics().open == 0


async def test_an_adapted_stream_is_given_up_wherever_the_caller_is_cancelled_and_its_slot_is_free() -> None:
    """B14, G15."""
    access = Access(max_streams=1)

    async def scenario() -> None:
        server = FakeServer(turns=2)
        await adapted(access, 3)(request(headers=STREAM), server.receive, server.send)

    async for number in cancel_everywhere(scenario, at="turn"):
        assert access.statistics().open == 0, f"cancelled at turn {number}"


async def test_an_adapted_stream_ends_cleanly_where_its_credential_expires() -> None:
    """A5."""
    access = Access(expires_at=lambda scope: time.time() + 60)
    start = anyio.current_time()
    server = await answer(adapted(access, 1000, 1.0), request(headers=STREAM))
    assert server.is_complete
    assert server.body.endswith(b": this stream has reached its age; reconnect\n\n")
    assert anyio.current_time() - start > 58


@pytest.mark.parametrize("at", ["checkpoint", "turn"])
async def test_a_websockets_slot_is_given_back_wherever_the_caller_is_cancelled(at: Any) -> None:
    """B14, G15."""
    access, outcomes = Access(max_streams=1), Outcomes()

    async def scenario() -> None:
        app = SSEMiddleware(Handler(), dialect="hector", access=access, observers=[outcomes])
        server = FakeServer(*socket().incoming, turns=1)
        await app({**request(), "type": "websocket"}, server.receive, server.send)

    async for number in cancel_everywhere(scenario, at=at):
        assert access.statistics().open == 0, f"cancelled at {at} {number}"
    assert set(outcomes.seen) == {"cancelled", "finished"}
