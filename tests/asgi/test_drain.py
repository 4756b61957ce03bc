"""The server stops: every stream says goodbye, not all at once, and newcomers are sent away."""

from __future__ import annotations

import functools
import json
import logging
import threading
from collections.abc import AsyncIterator, Iterable
from typing import Any

import anyio
import pytest

from sseware import EventStream, EventStreamParser, ServerSentEvent, SSEMiddleware
from sseware.asgi import Drain, ObservedStream, StreamObserver, StreamSummary
from sseware.dialects import AnEvent, Plain, StreamContext
from sseware.errors import ConfigurationError
from sseware.items import File
from sseware.plugins.hector import Hector
from tests.asgi.fakes import FakeServer, answer, request, serving, turns, until
from tests.asgi.test_websocket import SocketServer

pytestmark = pytest.mark.anyio

GOODBYE = b": the server is stopping; reconnect\n\n"


async def endless() -> AsyncIterator[str]:
    yield "a"
    await anyio.sleep_forever()


async def silent() -> AsyncIterator[str]:
    await anyio.sleep_forever()
    yield "never"


def split_end(body: bytes) -> tuple[bytes, int]:
    """What came before the ``retry`` at the end, and its milliseconds."""
    head, _, retry = body.rpartition(b"retry: ")
    assert retry.endswith(b"\n\n")
    return head, int(retry)


async def test_a_stream_ends_with_a_goodbye_a_retry_and_a_clean_end() -> None:
    """S1."""
    drain = Drain()
    async with serving(SSEMiddleware(endless, drain=drain)) as server:
        await until(lambda: server.body == b"data: a\n\n")
        start = anyio.current_time()
        drain.begin()
        await drain.wait_ended()
        assert anyio.current_time() == start, "one stream alone leaves at once"
    said, retry = split_end(server.body)
    assert said == b"data: a\n\n" + GOODBYE
    assert 1000 <= retry <= 5000
    assert server.is_complete


async def test_what_is_ready_goes_out_before_the_goodbye() -> None:
    """S1: nothing that was taken from the handler is lost."""
    drain = Drain()

    async def handler() -> AsyncIterator[str]:
        yield "a"
        drain.begin()
        yield "b"
        yield "c"
        await anyio.sleep_forever()

    server = await answer(SSEMiddleware(handler, drain=drain))
    assert split_end(server.body)[0] == b"data: a\n\ndata: b\n\ndata: c\n\n" + GOODBYE
    assert server.is_complete


async def test_a_stream_that_ends_by_itself_ends_as_ever() -> None:
    drain = Drain()

    async def handler() -> AsyncIterator[str]:
        yield "a"
        drain.begin()

    server = await answer(SSEMiddleware(handler, drain=drain))
    assert server.body == b"data: a\n\n"
    assert server.is_complete


async def test_a_stream_whose_head_is_awaited_says_goodbye_too() -> None:
    """S1: a 200 that ends at once lets an EventSource come back; any other status would end it for good."""
    drain = Drain()
    async with serving(SSEMiddleware(silent, drain=drain)) as server:
        await turns()
        drain.begin()
        await drain.wait_ended()
    assert server.status == 200
    assert split_end(server.body)[0] == b": \n\n" + GOODBYE
    assert server.is_complete


async def test_the_dialect_says_its_own_farewell_and_no_success() -> None:
    """S1, D1."""

    class Polite(Plain, frozen=True):
        def open(self, context: StreamContext) -> Any:
            encoder = super().open(context)

            def farewell() -> Iterable[AnEvent]:
                return [ServerSentEvent("come back", event="farewell")]

            encoder.farewell = farewell  # type: ignore[attr-defined]  # an optional attribute
            return encoder

    drain = Drain()
    async with serving(SSEMiddleware(endless, drain=drain, dialect=Polite())) as server:
        await until(lambda: server.sent)
        drain.begin()
        await drain.wait_ended()
    assert split_end(server.body)[0] == b"data: a\n\nevent: farewell\ndata: come back\n\n"


async def test_a_dialect_that_cannot_say_it_leaves_a_comment(caplog: pytest.LogCaptureFixture) -> None:
    """X5."""

    class Broken(Plain, frozen=True):
        def open(self, context: StreamContext) -> Any:
            encoder = super().open(context)

            def farewell() -> Iterable[AnEvent]:
                raise LookupError("no words")

            encoder.farewell = farewell  # type: ignore[attr-defined]  # an optional attribute
            return encoder

    drain = Drain()
    async with serving(SSEMiddleware(endless, drain=drain, dialect=Broken())) as server:
        await until(lambda: server.sent)
        drain.begin()
        await drain.wait_ended()
    assert split_end(server.body)[0] == b"data: a\n\n" + GOODBYE
    assert caplog.messages == ["the dialect could not encode its farewell"]


async def test_the_events_of_a_paced_dialect_that_stand_in_line_are_not_lost() -> None:
    drain = Drain()

    async def handler() -> AsyncIterator[str]:
        yield "abcdef"
        await anyio.sleep_forever()

    app = SSEMiddleware(handler, drain=drain, dialect=Hector(chunk_size=2, delay_ms=1000))
    async with serving(app, request(accept="text/event-stream")) as server:
        await until(lambda: server.sent)
        drain.begin()
        await drain.wait_ended()
    chunks = [json.loads(event.data)["chunk"] for event in EventStreamParser().feed(server.body)]
    assert chunks == ["ab", "cd", "ef"]
    assert split_end(server.body)[0].endswith(GOODBYE)


@pytest.mark.parametrize("count", [50, 150])
async def test_many_streams_leave_spread_over_the_time(count: int) -> None:
    """S2: the fullest tenth of the time has at most three times the mean."""
    drain, servers = Drain(grace=10), [FakeServer() for _ in range(count)]
    app = SSEMiddleware(endless, drain=drain)
    start = anyio.current_time()  # no time passes until it begins
    async with anyio.create_task_group() as group:
        for server in servers:
            group.start_soon(app, request(), server.receive, server.send)
        await until(lambda: all(server.sent for server in servers))
        drain.begin()
    ends = [server.times[-1] - start for server in servers]
    bins = [0] * 10
    for end in ends:
        bins[int(end)] += 1
    assert max(bins) <= 3 * count / 10
    assert max(ends) <= 8, "the rest of the time is for clean-up"
    assert sum(bins[:8]) == count
    retries = {split_end(server.body)[1] for server in servers}
    assert len(retries) > count / 2
    assert all(server.is_complete for server in servers)


async def test_a_handful_leaves_at_once() -> None:
    """S2."""
    drain, servers = Drain(grace=10), [FakeServer() for _ in range(10)]
    app = SSEMiddleware(endless, drain=drain)
    start = anyio.current_time()  # no time passes until it begins
    async with anyio.create_task_group() as group:
        for server in servers:
            group.start_soon(app, request(), server.receive, server.send)
        await until(lambda: all(server.sent for server in servers))
        drain.begin()
    assert {server.times[-1] for server in servers} == {start}


async def test_streams_go_on_until_their_turn() -> None:
    """S2."""
    drain, servers = Drain(grace=10), [FakeServer() for _ in range(30)]

    async def ticking() -> AsyncIterator[str]:
        while True:
            yield "tick"
            await anyio.sleep(0.5)

    app = SSEMiddleware(ticking, drain=drain)
    async with anyio.create_task_group() as group:
        for server in servers:
            group.start_soon(app, request(), server.receive, server.send)
        await until(lambda: all(server.sent for server in servers))
        drain.begin()
    last = max(servers, key=lambda server: server.times[-1])
    assert last.body.count(b"data: tick") >= 10


@pytest.mark.parametrize("head", [False, True])
async def test_a_newcomer_is_sent_away_and_no_handler_runs(head: bool) -> None:
    """S3."""
    entered: list[int] = []

    async def handler() -> AsyncIterator[str]:
        entered.append(1)
        yield "a"

    drain = Drain()
    drain.begin()
    server = await answer(SSEMiddleware(handler, drain=drain), request("HEAD" if head else "GET"))
    assert server.status == 503
    assert 1 <= int(server.headers["retry-after"]) <= 5
    assert server.headers["vary"] == "Accept"
    assert (server.body == b"") is head
    assert server.is_complete
    assert entered == []


async def test_a_newcomer_under_a_wrapped_application_is_sent_away_and_its_generator_closed() -> None:
    """S3, G8."""
    made: list[AsyncIterator[str]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        made.append(endless())
        await EventStream(made[0])(scope, receive, send)

    middleware = SSEMiddleware(app)
    assert middleware.drain is not None
    middleware.drain.begin()
    server = await answer(middleware)
    assert server.status == 503
    assert "retry-after" in server.headers
    with pytest.raises(StopAsyncIteration):
        await anext(made[0])


async def test_other_answers_of_a_wrapped_application_pass_as_ever() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    middleware = SSEMiddleware(app)
    assert middleware.drain is not None
    middleware.drain.begin()
    assert (await answer(middleware)).status == 204


@pytest.mark.parametrize("cleanup", [1000.0, 5.0])
async def test_a_handler_that_will_not_end_is_left_at_the_end_of_the_grace_period(
    cleanup: float, caplog: pytest.LogCaptureFixture
) -> None:
    """S4: its client has gone on long before."""
    drain, released = Drain(grace=3), anyio.Event()

    async def stubborn() -> AsyncIterator[str]:
        yield "a"
        while not released.is_set():
            with anyio.CancelScope(shield=True):
                try:
                    await released.wait()
                except BaseException:  # that is the point
                    continue

    server = FakeServer()
    app = SSEMiddleware(stubborn, drain=drain, cleanup_timeout=cleanup)
    start = anyio.current_time()  # no time passes until it begins
    async with anyio.create_task_group() as group:
        group.start_soon(app, request(), server.receive, server.send)
        await until(lambda: server.sent)
        drain.begin()
    assert server.times[-1] == start
    assert anyio.current_time() - start == 3
    assert caplog.messages == ["the handler did not end within 3 s of being closed; it is abandoned"]
    released.set()
    await turns()


async def test_a_reader_that_stalls_is_broken_off_and_the_log_names_the_setting(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """S5."""
    drain, server = Drain(grace=3), FakeServer()
    closed: list[str] = []

    async def handler() -> AsyncIterator[str]:
        try:
            while True:
                yield "x" * 100_000
        finally:
            closed.append("closed")

    app = SSEMiddleware(handler, drain=drain, send_timeout=None)
    start = anyio.current_time()  # no time passes until it begins
    async with anyio.create_task_group() as group:
        group.start_soon(app, request(), server.receive, server.send)
        await until(lambda: server.sent)
        server.stall()
        await turns()
        drain.begin()
    assert anyio.current_time() - start == 3
    assert closed == ["closed"]
    assert not server.is_complete
    (told,) = [record for record in caplog.records if record.name == "sseware"]
    assert told.levelno == logging.WARNING
    assert "timeout_graceful_shutdown" in told.getMessage()
    assert told.getMessage().startswith("1 of the answers")


async def test_a_buffered_answer_is_finished_if_it_can_be() -> None:
    drain = Drain(grace=3)

    async def handler() -> AsyncIterator[str]:
        await anyio.sleep(2)
        yield "a"

    app = SSEMiddleware(handler, drain=drain, dialect="husk")
    async with serving(app, request("POST")) as server:
        await turns()
        drain.begin()
        await drain.wait_ended()
        assert server.status == 200
        assert b"a" in server.body


@pytest.mark.parametrize("instead", [False, True])
async def test_a_buffered_answer_that_takes_too_long_becomes_a_503(instead: bool) -> None:
    """S4."""
    drain = Drain(grace=3)

    async def handler() -> AsyncIterator[Any]:
        if instead:
            yield File(b"x", "text/plain")
        await anyio.sleep(1000)
        yield "a"

    app = SSEMiddleware(handler, drain=drain, dialect="plain" if instead else "husk")
    async with serving(app, request("POST")) as server:
        await turns()
        drain.begin()
        await anyio.sleep(3.5)
    assert server.status == 503
    assert "retry-after" in server.headers
    assert server.is_complete


async def test_a_web_socket_is_closed_with_1001() -> None:
    server, drain = SocketServer("hello"), Drain()
    app = SSEMiddleware(endless, drain=drain, dialect=Hector())
    async with anyio.create_task_group() as group:
        group.start_soon(app, socket_scope(), server.receive, server.send)
        await until(lambda: len(server.sent) > 1)
        drain.begin()
    assert server.sent[-1]["type"] == "websocket.close"
    assert server.sent[-1]["code"] == 1001


async def test_a_web_socket_of_a_wrapped_application_is_closed_with_1001() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await EventStream(endless(), dialect=Hector())(scope, receive, send)

    server, middleware = SocketServer(), SSEMiddleware(app)
    assert middleware.drain is not None
    async with anyio.create_task_group() as group:
        group.start_soon(middleware, socket_scope(), server.receive, server.send)
        await until(lambda: len(server.sent) > 1)
        middleware.drain.begin()
    assert server.sent[-1]["code"] == 1001
    later = SocketServer()
    await middleware(socket_scope(), later.receive, later.send)
    assert [message["type"] for message in later.sent] == ["websocket.accept", "websocket.close"]
    assert later.sent[-1]["code"] == 1001


async def test_a_web_socket_that_comes_too_late_is_refused_where_the_server_can_say_so() -> None:
    """S3."""
    drain = Drain()
    drain.begin()
    app = SSEMiddleware(endless, drain=drain, dialect=Hector())
    server = SocketServer("hello")
    await app(socket_scope(extensions={"websocket.http.response": {}}), server.receive, server.send)
    start, end = server.sent
    assert (start["status"], end["body"]) == (503, b"the server is stopping; reconnect")
    assert b"retry-after" in dict(start["headers"])
    server = SocketServer("hello")
    await app(socket_scope(), server.receive, server.send)
    assert [message.get("code") for message in server.sent] == [None, 1001]


def socket_scope(**more: Any) -> dict[str, Any]:
    return {
        "type": "websocket",
        "path": "/",
        "query_string": b"",
        "headers": [],
        "http_version": "1.1",
        **more,
    }


async def test_each_middleware_has_a_drain_of_its_own() -> None:
    """S6."""
    one, other = SSEMiddleware(endless), SSEMiddleware(endless)
    assert one.drain is not None
    assert one.drain is not other.drain
    async with serving(one) as mine, serving(other) as others:
        await until(lambda: mine.sent and others.sent)
        one.drain.begin()
        await one.drain.wait_ended()
        await anyio.sleep(10)
        assert mine.is_complete
        assert others.body == b"data: a\n\n"


async def test_what_stands_inside_another_middleware_shares_its_drain() -> None:
    inner = SSEMiddleware(endless)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await inner(scope, receive, send)

    outer = SSEMiddleware(app)
    assert outer.drain is not None
    async with serving(outer) as server:
        await until(lambda: server.sent)
        outer.drain.begin()
        await outer.drain.wait_ended()
        assert server.is_complete


async def test_a_drain_that_is_given_is_not_shared() -> None:
    inner = SSEMiddleware(endless, drain=None)
    outer = SSEMiddleware(inner)
    assert (outer.drain is not None, inner.drain) == (True, None)
    assert outer.drain is not None
    async with serving(outer) as server:
        await until(lambda: server.sent)
        outer.drain.begin()
        await anyio.sleep(10)
        assert server.body == b"data: a\n\n"


async def test_a_response_may_have_a_drain_without_any_middleware() -> None:
    drain = Drain()
    async with serving(EventStream(endless(), drain=drain)) as server:
        await until(lambda: server.sent)
        drain.begin()
        await drain.wait_ended()
        assert server.is_complete


def test_the_same_application_in_two_event_loops_has_two_drains() -> None:
    """S6."""
    app, results, both = SSEMiddleware(endless), {}, threading.Barrier(2, timeout=10)

    async def run(name: str) -> None:
        assert app.drain is not None
        async with serving(app) as server:
            await until(lambda: server.sent)
            both.wait()
            if name == "one":
                app.drain.begin()
                await app.drain.wait_ended()
            both.wait()
            await turns()
            results[name] = (app.drain.begun, server.body.endswith(b"data: a\n\n"))

    threads = [threading.Thread(target=anyio.run, args=(run, name)) for name in ("one", "other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {"one": (True, False), "other": (False, True)}


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
def test_begin_outside_every_event_loop_is_for_all_of_them(anyio_backend: str) -> None:
    """S6."""
    app, begun, ended = SSEMiddleware(endless), threading.Event(), list[bool]()

    async def run() -> None:
        assert app.drain is not None
        async with serving(app) as server:
            await until(lambda: server.sent)
            begun.set()
            with anyio.fail_after(10):
                await app.drain.wait_ended()
            ended.append(server.is_complete)

    thread = threading.Thread(target=functools.partial(anyio.run, run, backend=anyio_backend))
    thread.start()
    begun.wait(10)
    assert app.drain is not None
    app.drain.begin()
    thread.join()
    assert ended == [True]
    app.drain.begin()  # the event loop is gone; nobody is told


async def test_begin_is_for_once() -> None:
    drain = Drain(grace=10)
    async with serving(SSEMiddleware(endless, drain=drain)) as server:
        await until(lambda: server.sent)
        assert not drain.begun
        for _ in range(3):
            drain.begin()
        assert drain.begun
        await drain.wait_ended()
        drain.begin()
    assert server.body.count(b"retry: ") == 1


@pytest.mark.parametrize("grace", [-1, True, "5", float("inf"), float("nan"), None])
def test_a_grace_period_is_a_number_of_seconds(grace: Any) -> None:
    with pytest.raises(ConfigurationError, match="grace"):
        Drain(grace)


@pytest.mark.parametrize("retry", [3, (5, 1), (1,), (1, "5"), [1, 5], (-1, 5)])
def test_when_clients_come_back_is_a_range_of_seconds(retry: Any) -> None:
    with pytest.raises(ConfigurationError, match="retry"):
        Drain(retry=retry)


def test_the_option_takes_a_drain_a_number_or_none() -> None:
    drain = Drain()
    assert SSEMiddleware(endless, drain=drain).drain is drain
    assert SSEMiddleware(endless, drain=None).drain is None
    given = SSEMiddleware(endless, drain=2.5).drain
    assert given is not None
    assert given.grace == 2.5
    with pytest.raises(ConfigurationError, match="drain"):
        SSEMiddleware(endless, drain="5")  # type: ignore[arg-type]  # that is the point


async def test_no_time_at_all_ends_everything_at_once() -> None:
    drain, servers = Drain(grace=0), [FakeServer() for _ in range(20)]
    app = SSEMiddleware(endless, drain=drain)
    start = anyio.current_time()  # no time passes until it begins
    async with anyio.create_task_group() as group:
        for server in servers:
            group.start_soon(app, request(), server.receive, server.send)
        await until(lambda: all(server.sent for server in servers))
        drain.begin()
    assert anyio.current_time() == start


class Outcomes(StreamObserver):
    """Notes how streams ended."""

    def __init__(self) -> None:
        self.noted: list[str] = []

    def on_close(self, stream: ObservedStream, summary: StreamSummary) -> None:
        self.noted.append(summary.outcome)


async def test_observers_are_told_that_a_stream_was_drained() -> None:
    drain, outcomes = Drain(), Outcomes()
    app = SSEMiddleware(endless, drain=drain, dialect=Hector(), observers=[outcomes])
    socket = SocketServer("hello")
    async with anyio.create_task_group() as group:
        group.start_soon(app, socket_scope(), socket.receive, socket.send)
        async with serving(app, request(accept="text/event-stream")) as server:
            await until(lambda: server.sent and len(socket.sent) > 1)
            drain.begin()
            await drain.wait_ended()
    assert outcomes.noted == ["drained", "drained"]


async def test_an_adapted_application_s_stream_says_goodbye_and_it_hears_of_a_disconnect() -> None:
    """S1: it is told what it would be told had the client left."""
    heard: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        headers = [(b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        heard.append((await receive())["type"])

    middleware = SSEMiddleware(app, adapt=True)
    assert middleware.drain is not None
    async with serving(middleware, request(accept="text/event-stream")) as server:
        await until(lambda: server.body)
        middleware.drain.begin()
        await until(lambda: heard)
    assert heard == ["http.disconnect"]
    assert split_end(server.body)[0] == b"data: a\n\n" + GOODBYE
    assert server.is_complete
