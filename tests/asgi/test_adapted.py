"""An existing application's answer as a stream: how it begins, how it goes on, and each way in which it may end."""

from __future__ import annotations

import contextvars
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import anyio
import pytest

from sseware import SSEMiddleware
from sseware.asgi._adapt_bodies import UnreadableBody
from sseware.asgi._adapted import StreamOver
from sseware.dialects import ObservedStream, Plain, StreamObserver, StreamSummary
from sseware.plugins.hector import Hector
from sseware.testing import cancel_everywhere
from tests.asgi.fakes import FakeServer, Message, answer, request, serving, turns, until

pytestmark = pytest.mark.anyio

Application = Callable[[Any, Any, Any], Awaitable[None]]
FAILURE = b'event: error\ndata: {"message":"internal error","code":"internal_error","status":500}\n\n'
SSE = request(accept="text/event-stream")
SSE_24 = {**SSE, "asgi": {"version": "3.0", "spec_version": "2.4"}}


def start(content_type: str = "text/plain", *headers: tuple[bytes, bytes], **more: Any) -> Message:
    fields = [(b"content-type", content_type.encode()), *headers]
    return {"type": "http.response.start", "status": 200, "headers": fields, **more}


def body(data: bytes = b"", *, more: bool = False) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": more}


def says(*chunks: bytes, content_type: str = "text/plain", end: bool = True) -> Application:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(start(content_type))
        for chunk in chunks:
            await send(body(chunk, more=True))
        if end:
            await send(body())

    return app


def adapted(app: Application, **options: Any) -> SSEMiddleware:
    return SSEMiddleware(app, adapt=True, **options)


class Broken(Plain, frozen=True):
    """A dialect that cannot begin."""

    def open(self, context: Any) -> Any:
        raise LookupError("its own fault")


class TestAStream:
    async def test_each_chunk_is_an_event(self) -> None:
        server = await answer(adapted(says(b"Once ", b"", b"upon")), SSE)
        assert (server.body, server.is_complete) == (b"data: Once \n\ndata: upon\n\n", True)

    async def test_what_is_ready_leaves_in_one_message(self) -> None:
        server = await answer(adapted(says(*[b"x"] * 10)), SSE)
        assert len(server.chunks) == 1

    async def test_an_event_leaves_before_the_next_one_comes(self) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send(start())
            for _ in range(3):
                await send(body(b"x", more=True))
                await anyio.sleep(2)
            await send(body())

        server = await answer(adapted(app), SSE)
        began = server.times[0]
        assert [at - began for at in server.times] == pytest.approx([0, 0, 2, 4, 6], abs=0.01)

    async def test_one_body_may_be_the_whole_answer(self) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send(start("application/x-ndjson", (b"content-length", b"4")))
            await send({"type": "http.response.body", "body": b"1\n2"})

        server = await answer(adapted(app), SSE)
        assert server.body == b"event: data\ndata: 1\n\nevent: data\ndata: 2\n\n"

    async def test_an_empty_answer_is_an_empty_stream(self) -> None:
        server = await answer(adapted(says()), SSE)
        assert (server.status, server.body, server.is_complete) == (200, b"", True)

    async def test_silence_has_keepalives(self) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send(start())
            await anyio.sleep(40)
            await send(body(b"x"))

        server = await answer(adapted(app), SSE)
        assert server.chunks[:-1] == [b": \n\n"] * 3, "after head_timeout, and two keepalives"
        assert server.chunks[-1] == b"data: x\n\n"

    async def test_an_application_waits_for_room(self) -> None:
        sent = 0

        async def app(scope: Any, receive: Any, send: Any) -> None:
            nonlocal sent
            await send(start())
            for _ in range(1000):
                await send(body(b"x", more=True))
                sent += 1
            await send(body())

        async with serving(adapted(app, outbox=(8, 65536)), SSE) as server:
            server.stall()
            await turns(50)
            assert sent < 20
            server.resume()
            await until(lambda: sent == 1000)
        assert server.body.count(b"data") == 1000

    async def test_a_reader_that_stalls_is_left(self) -> None:
        heard: list[Message] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await receive()
            await send(start())
            for _ in range(1000):
                await send(body(b"x", more=True))
            heard.append(await receive())

        server = FakeServer()
        server.stall()
        began = anyio.current_time()
        await answer(adapted(app, send_timeout=30), SSE, server=server)
        assert anyio.current_time() - began == pytest.approx(30, abs=0.1)
        assert heard == [{"type": "http.disconnect"}]
        assert server.sent == []

    async def test_a_stream_that_has_its_age_ends_and_the_application_hears_of_it(self) -> None:
        heard: list[Message] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await receive()
            await send(start())
            await send(body(b"x", more=True))
            heard.append(await receive())

        server = await answer(adapted(app, max_age=10), SSE)
        assert server.is_complete
        assert b"reached its age" in server.body
        assert heard == [{"type": "http.disconnect"}]

    async def test_the_request_body_comes_exactly_once(self) -> None:
        """C8."""
        heard: list[bytes] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            heard.append((await receive())["body"])
            await send(start())
            await send(body(b"x", more=True))
            heard.append((await receive())["body"])
            await send(body())

        parts = [
            {"type": "http.request", "body": b"1", "more_body": True},
            {"type": "http.request", "body": b"2", "more_body": False},
        ]
        server = await answer(adapted(app), SSE, server=FakeServer(*parts))
        assert heard == [b"1", b"2"]
        assert server.is_complete
        assert server.overlaps == 0

    async def test_the_application_runs_in_the_callers_own_task(self) -> None:
        variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="")

        async def app(scope: Any, receive: Any, send: Any) -> None:
            variable.set("set within")
            await says(b"x")(scope, receive, send)

        await answer(adapted(app), SSE)
        assert variable.get() == "set within"

    async def test_what_is_no_body_passes_meanwhile(self) -> None:
        debug = {"type": "http.response.debug", "info": {}}

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send(start())
            await send(debug)
            await send(body(b"x"))

        server = await answer(adapted(app), SSE)
        assert debug in server.sent
        assert server.body == b"data: x\n\n"

    async def test_two_tasks_of_the_application_take_turns(self) -> None:
        """C5."""

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send(start())
            async with anyio.create_task_group() as group:
                for _ in range(50):
                    group.start_soon(send, body(b"x", more=True))
            await send(body())

        server = await answer(adapted(app, outbox=(2, 100)), SSE, server=FakeServer(turns=3))
        assert (server.body.count(b"data: x\n\n"), server.overlaps) == (50, 0)

    async def test_what_comes_after_the_answer_comes_after_it_was_sent(self) -> None:
        """G17."""
        server = FakeServer(turns=5)
        seen: list[bool] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await says(b"x")(scope, receive, send)
            seen.append(server.is_complete)
            assert (await receive())["type"] == "http.request"

        await answer(adapted(app), SSE, server=server)
        assert seen == [True]

    async def test_a_dialect_may_want_pauses(self) -> None:
        hector: Any = {"delay_ms": 100}
        server = await answer(adapted(says(*[b"x"] * 5), dialect=Hector(**hector)), SSE)
        assert server.is_complete
        assert server.times[-1] - server.times[0] >= 0.4


class TestOneThatListensAllTheWhile:
    """As Starlette's `StreamingResponse` and Django do: another task of theirs waits in ``receive``."""

    def app(self, rest: Application, heard: list[Message]) -> Application:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await receive()
            async with anyio.create_task_group() as group:

                async def listen() -> None:
                    heard.append(await receive())
                    group.cancel_scope.cancel()

                group.start_soon(listen)
                await turns()
                await rest(scope, receive, send)

        return app

    @pytest.mark.parametrize(
        ("chunk", "options"),
        [
            pytest.param(b"\xff", {}, id="what-cannot-be-read"),
            pytest.param(b"x", {"max_age": 10}, id="its-age"),
        ],
    )
    async def test_it_hears_that_its_stream_is_over(self, chunk: bytes, options: Any) -> None:
        async def rests(scope: Any, receive: Any, send: Any) -> None:
            await says(chunk, end=False)(scope, receive, send)
            await anyio.sleep_forever()

        heard: list[Message] = []
        server = await answer(adapted(self.app(rests, heard), **options), SSE)
        assert heard == [{"type": "http.disconnect"}]
        assert server.is_complete
        assert server.overlaps == 0

    async def test_more_than_one_of_its_tasks_may_listen(self) -> None:
        heard: list[Message] = []

        async def breaks(scope: Any, receive: Any, send: Any) -> None:
            await says(b"\xff", end=False)(scope, receive, send)

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await receive()
            async with anyio.create_task_group() as group:

                async def listen() -> None:
                    heard.append(await receive())

                group.start_soon(listen)
                group.start_soon(listen)
                await turns()
                await breaks(scope, receive, send)

        server = FakeServer()
        # Whatever a server makes of two calls at once, it is the application that calls.
        await answer(adapted(app), SSE, server=server)
        assert heard == [{"type": "http.disconnect"}] * 2

    async def test_it_hears_of_a_client_that_leaves(self) -> None:
        async def rests(scope: Any, receive: Any, send: Any) -> None:
            await says(b"x", end=False)(scope, receive, send)
            await anyio.sleep_forever()

        heard: list[Message] = []
        async with serving(adapted(self.app(rests, heard)), SSE) as server:
            await until(lambda: server.chunks)
        assert heard == [{"type": "http.disconnect"}]
        assert server.overlaps == 0


class TestAServerThatStops:
    async def test_a_stream_says_goodbye_and_the_application_hears_of_it(self) -> None:
        heard: list[Message] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await receive()
            await send(start())
            await send(body(b"x", more=True))
            heard.append(await receive())

        wrapped = adapted(app)
        async with serving(wrapped, SSE) as server:
            await until(lambda: server.chunks)
            assert wrapped.drain is not None
            wrapped.drain.begin()
            await until(lambda: heard)
            assert server.is_complete
        assert b"retry: " in server.body
        assert heard == [{"type": "http.disconnect"}]

    async def test_an_application_that_only_sends_is_ended_by_what_it_sends(self) -> None:
        raised: list[BaseException] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send(start())
            try:
                while True:
                    await send(body(b"x", more=True))
                    await anyio.sleep(0.1)
            except OSError as exc:
                raised.append(exc)
                raise

        wrapped = adapted(app)
        async with serving(wrapped, SSE) as server:
            await until(lambda: server.chunks)
            assert wrapped.drain is not None
            wrapped.drain.begin()
            # The client stays: what ends the application is not that it has left.
            with anyio.fail_after(60):
                while not raised:
                    await anyio.sleep(0.1)
            assert server.is_complete
        assert b"retry: " in server.body
        assert isinstance(raised[0], StreamOver)

    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    async def test_who_asks_for_one_then_is_sent_away_and_who_does_not_is_served(self, method: str) -> None:
        """S3."""
        wrapped = adapted(says(b"x", b"y"))
        assert wrapped.drain is not None
        wrapped.drain.begin()
        await turns()
        refused = await answer(wrapped, {**SSE, "method": method})
        assert (refused.status, refused.is_complete) == (503, True)
        assert "retry-after" in refused.headers
        assert (method == "HEAD") is (refused.body == b"")
        assert (await answer(wrapped)).body == b"xy"


class Watcher(StreamObserver):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def on_open(self, stream: ObservedStream) -> None:
        self.told.append("open")

    def on_event(self, stream: ObservedStream, event: Any) -> None:
        self.told.append(event.data)

    def on_error(self, stream: ObservedStream, error: Exception) -> None:
        self.told.append(type(error))

    def on_close(self, stream: ObservedStream, summary: StreamSummary) -> None:
        self.told.append(summary.outcome)


class TestThoseWhoObserve:
    async def told(self, app: Application, **options: Any) -> list[Any]:
        watcher = Watcher()
        with suppress(ValueError, LookupError):
            await answer(adapted(app, observers=[watcher], **options), SSE)
        return watcher.told

    async def test_they_are_told_of_a_stream_that_was_adapted(self) -> None:
        assert await self.told(says(b"x")) == ["open", "x", "finished"]

    async def test_they_are_told_of_what_could_not_be_read(self) -> None:
        told = await self.told(says(b"x", b"\xff"))
        assert (told[1], told[2], told[-1]) == (UnreadableBody, "x", "failed")

    @pytest.mark.parametrize("chunks", [[], [b"x"]], ids=["before-anything-was-sent", "half-way"])
    async def test_they_are_told_of_an_application_that_raised(self, chunks: list[bytes]) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await says(*chunks, end=False)(scope, receive, send)
            raise ValueError

        told = await self.told(app)
        assert ValueError in told
        assert told[-1] == "failed"

    async def test_they_are_told_of_a_dialect_that_cannot_begin(self) -> None:
        assert await self.told(says(b"x"), dialect=Broken()) == ["open", LookupError, "failed"]

    async def test_they_are_told_of_one_that_reached_its_age(self) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await says(b"x", end=False)(scope, receive, send)
            while (await receive())["type"] != "http.disconnect":
                pass

        assert (await self.told(app, max_age=10))[-1] == "expired"

    async def test_they_are_told_of_one_that_was_given_up(self) -> None:
        watcher = Watcher()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await says(b"x", end=False)(scope, receive, send)
            await anyio.sleep_forever()

        with anyio.move_on_after(1):
            await answer(adapted(app, observers=[watcher]), SSE)
        assert watcher.told[-1] == "cancelled"


class TestAnEndThatAnItemIs:
    async def test_a_finish_ends_the_stream_and_nothing_after_it_is_sent(self) -> None:
        lines = says(b'{"type":"text","text":"a"}\n{"type":"finish"}\n3\n', content_type="application/jsonl")
        server = await answer(adapted(lines), SSE_24)
        assert server.body.endswith(b'event: finish\ndata: {"ok":true,"exit_code":0,"result":null}\n\n')
        assert server.is_complete

    async def test_a_finish_may_be_the_last_line_of_a_whole_body(self) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send(start("application/jsonl"))
            await send(body(b'1\n{"type":"finish"}'))

        server = await answer(adapted(app), SSE)
        assert server.body.count(b"event: finish") == 1
        assert server.is_complete

    async def test_a_failure_ends_it_as_the_application_says(self) -> None:
        line = b'{"type":"failure","message":"no"}\n1\n'
        server = await answer(adapted(says(line, b"2", content_type="application/jsonl")), SSE)
        assert server.body.startswith(b'event: error\ndata: {"message":"no"')
        assert server.is_complete

    async def test_the_client_that_leaves_after_it_is_heard_of(self) -> None:
        heard: list[Message] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await receive()
            await send(start("application/jsonl"))
            await send(body(b'{"type":"finish"}\n', more=True))
            heard.append(await receive())

        async with serving(adapted(app), SSE) as server:
            await until(lambda: server.sent and server.is_complete)
            await turns()
            assert heard == []
        assert heard == [{"type": "http.disconnect"}]


class TestWhatCannotBeRead:
    @pytest.mark.parametrize(
        ("content_type", "chunk", "where"),
        [
            pytest.param("application/jsonl", b'"a"\n{bad\n"c"\n', "line 2 is not JSON", id="json"),
            pytest.param("text/plain", b"a\n\xff", "line 2 is not UTF-8", id="utf-8"),
            pytest.param("text/plain", b"\xc3", "line 1 is not UTF-8", id="utf-8-at-the-end"),
        ],
    )
    async def test_it_is_a_failure_and_a_clean_end_and_the_log_names_the_line(
        self, content_type: str, chunk: bytes, where: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        server = await answer(adapted(says(chunk, content_type=content_type)), SSE)
        assert server.status == 200
        assert server.body.endswith(FAILURE)
        assert server.is_complete
        (record,) = caplog.records
        assert where in record.getMessage()

    async def test_the_text_of_it_is_for_the_log_and_for_those_who_debug(self) -> None:
        """X4."""
        lines = says(b"{secret", content_type="application/jsonl")
        assert b"secret" not in (await answer(adapted(lines), SSE)).body
        assert b"secret" in (await answer(adapted(lines, debug=True), SSE)).body

    async def test_the_application_hears_of_it_as_if_the_client_had_left(self) -> None:
        heard: list[Message] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await receive()
            await send(start("application/jsonl"))
            await send(body(b"bad\n", more=True))
            heard.append(await receive())
            await send(body(b"1\n", more=True))
            await send(body())

        server = await answer(adapted(app), SSE)
        assert (server.body, heard) == (FAILURE, [{"type": "http.disconnect"}])
        server = await answer(adapted(app), SSE_24)
        assert server.body == FAILURE, "its send raised, and nobody was told of what we raised ourselves"

    async def test_a_body_that_never_ends_is_no_whole_one(self, caplog: pytest.LogCaptureFixture) -> None:
        """X6."""
        server = await answer(adapted(says(b"x", end=False)), SSE)
        assert server.body == b"data: x\n\n" + FAILURE
        assert server.is_complete
        assert "returned without having ended its body" in caplog.text

    async def test_a_dialect_that_refuses_an_item_fails_so_too(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        event = b'{"type":"event","event":"error","data":"forged"}\n'
        server = await answer(adapted(says(event, content_type="application/jsonl")), SSE)
        assert server.body == FAILURE
        assert caplog.records[0].exc_info is not None


class TestAnApplicationThatRaises:
    async def test_before_anything_was_sent_it_is_the_servers_to_answer(self) -> None:
        """X1."""

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send(start())
            raise ValueError("secret")

        server = FakeServer()
        with pytest.raises(ValueError, match="secret"):
            await answer(adapted(app), SSE, server=server)
        assert server.sent == []

    async def test_half_way_the_client_is_told_and_the_caller_gets_it(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """X3."""
        raised = ValueError("secret")

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send(start())
            await send(body(b"x", more=True))
            raise raised

        server = FakeServer()
        with pytest.raises(ValueError, match="secret") as caught:
            await answer(adapted(app), SSE, server=server)
        assert caught.value is raised
        assert server.body == b"data: x\n\n" + FAILURE
        assert server.is_complete
        assert caplog.records == [], "whoever gets it logs it, once"

    async def test_after_its_end_it_is_raised(self) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await says(b"x")(scope, receive, send)
            raise ValueError

        server = FakeServer()
        with pytest.raises(ValueError):
            await answer(adapted(app), SSE, server=server)
        assert server.body == b"data: x\n\n"

    async def test_an_answer_that_is_not_adapted_raises_as_ever(self) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            raise ValueError

        with pytest.raises(ValueError):
            await answer(adapted(app), SSE)

    async def test_one_that_sends_out_of_turn_is_told_so(self) -> None:
        """H11."""

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await says(b"x")(scope, receive, send)
            await send(body(b"more"))

        server = FakeServer()
        with pytest.raises(RuntimeError, match="after the end of the body"):
            await answer(adapted(app), SSE, server=server)
        assert server.is_complete


class TestAClientThatLeaves:
    async def test_it_is_heard_of_while_the_application_rests(self) -> None:
        heard: list[float] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await receive()
            await send(start())
            await send(body(b"x", more=True))
            assert (await receive())["type"] == "http.disconnect"
            heard.append(anyio.current_time())

        async with serving(adapted(app), SSE) as server:
            await until(lambda: server.chunks)
            left = anyio.current_time()
        assert heard == [left]

    async def test_what_is_sent_after_it_goes_nowhere_and_lets_the_loop_turn(self) -> None:
        """G3."""
        turned = 0

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send(start())
            while turned < 100:
                await send(body(b"x", more=True))
            await send(body())

        async with serving(adapted(app), SSE) as server:
            await until(lambda: server.chunks)
            server.disconnect()
            while turned < 100:
                await anyio.lowlevel.checkpoint()
                turned += 1

    async def test_send_raises_where_the_specification_has_it_so(self) -> None:
        raised: list[OSError] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send(start())
            try:
                while True:
                    await send(body(b"x", more=True))
                    await anyio.sleep(1)
            except OSError as exc:
                raised.append(exc)
                raise

        async with serving(adapted(app), SSE_24) as server:
            await until(lambda: server.chunks)
        assert len(raised) == 1

    async def test_it_ends_a_wait_for_room(self) -> None:
        ended: list[bool] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send(start())
            for _ in range(100):
                await send(body(b"x", more=True))
            await send(body())
            ended.append(True)

        async with serving(adapted(app, outbox=(2, 100)), SSE) as server:
            server.stall()
            await turns()
            server.disconnect()
            await until(lambda: ended)

    async def test_a_client_that_left_before_the_answer_gets_none(self) -> None:
        server = FakeServer()
        server.incoming.clear()
        server.disconnect()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await receive()
            await says(b"x")(scope, receive, send)

        await answer(adapted(app), SSE, server=server)
        assert server.sent == []

    async def test_a_server_that_says_so_is_believed(self) -> None:
        """C2."""
        server = FakeServer()
        server.fails = OSError("gone")
        await answer(adapted(says(b"x")), SSE, server=server)
        assert server.sent == []

    async def test_what_else_a_server_raises_is_raised_to_it(self) -> None:
        server = FakeServer()
        server.fails = LookupError("of the server's own")
        with pytest.raises(LookupError):
            await answer(adapted(says(b"x")), SSE, server=server)


class TestAHead:
    async def test_the_fields_of_the_answer_stay_but_for_those_of_its_bytes(self) -> None:
        """H2, H3, H5."""
        fields = [
            (b"set-cookie", b"a=1"),
            (b"Set-Cookie", b"b=2"),
            (b"Content-Length", b"1"),
            (b"cache-control", b"max-age=60"),
            (b"last-modified", b"x"),
            (b"vary", b"Origin"),
        ]

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send(start("text/plain", *fields))
            await send(body(b"x"))

        server = await answer(adapted(app, headers={"x-b": "2"}, status_code=202), SSE)
        assert server.status == 200
        assert [value for name, value in server.sent[0]["headers"] if name.lower() == b"set-cookie"] == [
            b"a=1",
            b"b=2",
        ]
        assert not {"Content-Length", "last-modified"} & server.headers.keys()
        assert server.headers["cache-control"] == "no-store, no-transform"
        assert server.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert server.headers["vary"] == "Origin, Accept"
        assert server.headers["x-b"] == "2"

    async def test_head_has_the_fields_of_the_stream_and_no_body(self) -> None:
        """H9."""

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send(start("text/plain", (b"content-length", b"1")))
            await send(body())

        get = await answer(adapted(says(b"x")), SSE)
        head = await answer(adapted(app), request("HEAD", accept="text/event-stream"))
        assert head.headers == get.headers
        assert (head.body, head.is_complete) == (b"", True)

    async def test_a_dialect_that_cannot_begin_answers_nothing(self) -> None:
        server = FakeServer()
        with pytest.raises(LookupError):
            await answer(adapted(says(b"x"), dialect=Broken()), SSE, server=server)
        assert server.sent == []


@pytest.mark.parametrize("how", ["scope", "task"])
async def test_a_cancellation_at_any_turn_leaves_nothing_behind(how: Any, anyio_backend: Any) -> None:
    """C4, G15."""
    if how == "task" and anyio_backend[0] == "trio":
        pytest.skip("Trio has no cancellation of tasks")
    server = FakeServer()

    async def scenario() -> None:
        nonlocal server
        server = FakeServer(turns=2)
        await adapted(says(*[b"x"] * 5), outbox=(2, 100))(SSE, server.receive, server.send)

    seen = 0
    async for _ in cancel_everywhere(scenario, by=how, at="turn"):
        seen += 1
        count = len(server.sent)
        await turns()
        assert len(server.sent) == count
    assert seen > 5


async def test_nothing_is_logged_of_a_stream_that_goes_well(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "sseware"):
        await answer(adapted(says(b"x")), SSE)
    assert caplog.records == []
