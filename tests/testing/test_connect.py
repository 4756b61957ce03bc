"""A connection in process: what was sent is seen, nothing is waited for without end, the application ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

import anyio
import pytest

from sseware import ServerSentEvent, SSEMiddleware
from sseware.errors import ConfigurationError, NotAnEventStream, TruncatedStream, UnknownDialect
from sseware.items import Finish, Text
from sseware.testing import SSEStream, connect
from sseware.testing.errors import (
    AppLeaked,
    AppRaised,
    ASGIViolation,
    NotQuiet,
    SSETimeout,
    StreamEnded,
    UnknownServer,
)
from tests.testing.apps import START, body, echo, endless, says, ticks

pytestmark = pytest.mark.anyio

ONE_TWO = (b"id: 1\ndata: one\n\n", b": hello\n\nevent: done\ndata: two\nretry: 9\n\n")


def data(events: list[Any]) -> list[str]:
    return [event.data for event in events]


class TestWhatIsSeen:
    async def test_an_endless_stream_is_read_and_left(self) -> None:
        async with connect(endless) as stream:
            assert data(await stream.take(3)) == ["0", "1", "2"]
            assert not stream.app_finished
        assert stream.app_finished

    async def test_everything_is_there_with_its_time_and_chunk(self) -> None:
        async with connect(says(*ONE_TWO)) as stream:
            events = await stream.drain()
        assert events == [ServerSentEvent("one", id="1"), ServerSentEvent("two", "done", retry=9)]
        assert stream.events == events
        assert [(event.at, event.chunk) for event in stream.events] == [(0.0, 0), (0.0, 1)]
        assert [(comment.text, comment.at, comment.chunk) for comment in stream.comments] == [
            ("hello", 0.0, 1)
        ]
        assert stream.wire == b"".join(ONE_TWO)
        assert [chunk.data for chunk in stream.chunks] == list(ONE_TWO)
        assert (stream.status, stream.headers["Content-Type"]) == (200, "text/event-stream")
        assert (stream.last_event_id, stream.reconnection_time, stream.ending) == ("1", 9, "complete")
        assert repr(stream) == "<SSEStream 200 complete, 2 events>"

    async def test_times_are_seconds_since_the_request(self) -> None:
        await anyio.sleep(1000)
        async with connect(ticks) as stream:
            await anyio.sleep(3.5)
            assert [event.at for event in stream.events] == [0, 1, 2, 3]
            assert stream.elapsed == 3.5

    async def test_messages_go_both_ways(self) -> None:
        async with connect(says(b"data: x\n\n", then="wait")) as stream:
            await stream.next()
        seen = [(each.direction, each.message["type"]) for each in stream.messages]
        assert seen == [
            ("send", "http.response.start"),
            ("send", "http.response.body"),
            ("receive", "http.request"),
            ("receive", "http.disconnect"),
        ]

    async def test_what_an_application_changes_later_was_seen_as_it_was(self) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send(START)
            message = body(b"data: x\n\n", more=False)
            await send(message)
            message.clear()

        async with connect(app) as stream:
            await stream.drain()
        assert stream.messages[-1].message["body"] == b"data: x\n\n"

    async def test_items_are_those_of_the_dialect(self) -> None:
        async def story() -> AsyncIterator[str]:
            yield "Once "
            yield "upon"

        async with connect(
            SSEMiddleware(story, dialect="husk"), params={"stream": 1}, dialect="husk"
        ) as stream:
            items = [item async for item in stream.items()]
        assert items == [Text("Once "), Text("upon"), Finish()]

    async def test_a_stream_without_its_terminator_is_truncated(self) -> None:
        async with connect(says(b'event: stdout\ndata: "x"\n\n'), dialect="husk") as stream:
            with pytest.raises(TruncatedStream):
                _ = [item async for item in stream.items()]

    async def test_a_stream_can_be_iterated_over(self) -> None:
        async with connect(says(*ONE_TWO)) as stream:
            assert data([event async for event in stream]) == ["one", "two"]

    async def test_any_other_answer_is_read_as_it_is(self) -> None:
        async with connect(echo) as stream:
            assert (await stream.read()).startswith(b"GET / / \n")
            with pytest.raises(NotAnEventStream, match="text/plain"):
                await stream.next()
        assert stream.events == []


class TestWhatIsAwaited:
    async def test_take_goes_on_where_next_was(self) -> None:
        async with connect(ticks) as stream:
            assert (await stream.next()).data == "0"
            assert data(await stream.take(2)) == ["1", "2"]
            assert data(await stream.until(lambda event: event.data == "4")) == ["3", "4"]

    async def test_until_names_a_type(self) -> None:
        async with connect(says(*ONE_TWO, b"data: three\n\n")) as stream:
            assert data(await stream.until("done")) == ["one", "two"]
            assert data(await stream.drain()) == ["three"]

    async def test_what_does_not_come_is_a_timeout_with_the_transcript(self) -> None:
        async with connect(says(b"data: x\n\n", then="wait"), "/here", timeout=2) as stream:
            await stream.next()
            for awaited, what in [
                (stream.next(), "no event came within 2 s"),
                (stream.until("done"), "the event 'done' did not come within 2 s"),
                (stream.until(lambda event: False), "the event did not come within 2 s"),
                (stream.drain(timeout=7), "the stream did not end within 7 s"),
                (stream.read(), "the body did not end within 2 s"),
            ]:
                with pytest.raises(TimeoutError, match=what) as caught:
                    await awaited
                assert isinstance(caught.value, SSETimeout)
                assert "GET /here on uvicorn: 200, 1 events" in str(caught.value)
                assert r"app -> http.response.body b'data: x\n\n'" in str(caught.value)
            assert stream.elapsed == 15

    async def test_what_comes_exactly_at_the_deadline_is_in_time(self) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await anyio.sleep(5)
            await send(START)
            await anyio.sleep(5)
            await send(body(b"data: x\n\n", more=False))

        async with connect(app, timeout=5) as stream:
            assert (await stream.next()).at == 10

    @pytest.mark.parametrize("server", ["uvicorn", "lockstep"])
    async def test_quiet_is_a_stream_on_which_no_event_comes(self, server: str) -> None:
        async with connect(ticks, server=server) as stream:
            await stream.next()
            await stream.quiet(0.9)
            with pytest.raises(NotQuiet, match="data='1', id='1'"):
                await stream.quiet(0.2)
            with pytest.raises(NotQuiet):  # it lies there, and was not taken
                await stream.quiet(0.1)

    async def test_keepalives_may_come_in_silence_or_not(self) -> None:
        async def silent() -> AsyncIterator[str]:
            yield "x"
            await anyio.sleep_forever()

        async with connect(SSEMiddleware(silent, dialect="plain", keepalive=15.0)) as stream:
            await stream.next()
            await stream.quiet(50)
            assert [chunk.at for chunk in stream.chunks] == [0, 15, 30, 45]
            with pytest.raises(NotQuiet, match="came at 60 s"):
                await stream.quiet(15, keepalives=False)

    async def test_an_ended_stream_is_not_quiet(self) -> None:
        async with connect(says()) as stream:
            with pytest.raises(
                StreamEnded, match="it was to be open and quiet: the stream has ended after 0 ev"
            ):
                await stream.quiet(1)

    async def test_nothing_more_comes_of_a_stream_that_has_ended(self) -> None:
        async with connect(says(*ONE_TWO)) as stream:
            await stream.take(2)
            with pytest.raises(
                StreamEnded, match="there is no other event: the stream has ended after 2 events"
            ):
                await stream.next()
            with pytest.raises(StreamEnded, match="'more' did not come"):
                await stream.until("more")
            assert await stream.drain() == []

    async def test_two_tasks_may_wait(self) -> None:
        got: list[str] = []
        async with connect(ticks) as stream, anyio.create_task_group() as group:

            async def wait() -> None:
                got.append((await stream.next()).data)

            for _ in range(3):
                group.start_soon(wait)
        assert sorted(got) == ["0", "1", "2"]


class TestWhatATestDoes:
    async def test_leaving_lets_the_application_clean_up(self) -> None:
        over: list[float] = []

        async def handler() -> AsyncIterator[str]:
            try:
                yield "x"
                await anyio.sleep_forever()
            finally:
                with anyio.CancelScope(shield=True):
                    await anyio.sleep(2)
                over.append(anyio.current_time())

        start = anyio.current_time()
        async with connect(SSEMiddleware(handler, dialect="plain")) as stream:
            await stream.next()
            await stream.disconnect()
            assert over == [start + 2]
            with pytest.raises(StreamEnded, match="was left by the client"):
                await stream.next()
            assert repr(stream) == "<SSEStream 200 left, 1 events>"

    async def test_one_can_leave_without_waiting(self) -> None:
        async with connect(ticks) as stream:
            stream.disconnect_nowait()
            assert not stream.app_finished
        assert stream.app_finished

    async def test_a_reader_that_pauses_holds_the_application_up(self) -> None:
        chunk = b"data: %s\n\n" % (b"x" * 1000)
        async with connect(says(*[chunk] * 300)) as stream:
            with stream.paused():
                await anyio.sleep(1)
                assert not stream.app_finished
                assert 65536 < stream.waiting < 65536 + len(chunk)
                seen = len(stream.events)
                with pytest.raises(SSETimeout, match="the client stops reading"):
                    await stream.take(seen + 1)
            assert stream.waiting == 0
            assert len(await stream.drain()) == 300 - seen
            assert stream.app_finished

    async def test_a_reader_that_does_not_go_on_may_be_given_up(self) -> None:
        async def flood(scope: Any, receive: Any) -> AsyncIterator[str]:
            while True:
                yield "x" * 1000

        async with connect(SSEMiddleware(flood, send_timeout=30), timeout=60) as stream:
            with stream.paused():
                await anyio.sleep(40)
                assert stream.app_finished
            with pytest.raises(StreamEnded, match="was cut off"):
                await stream.drain()
            assert stream.violations == []
            assert "the application breaks this off: the client does not read" in stream.transcript

    async def test_one_that_sends_on_has_not_given_up(self) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send(START)
            with anyio.move_on_after(30):
                await send(body(b"data: x\n\n" * 10_000))
            await anyio.sleep(30)
            await send(body(b"data: y\n\n"))

        with pytest.raises(ASGIViolation, match="returned without its last body message"):
            async with connect(app, timeout=60) as stream:
                with stream.paused():
                    await anyio.sleep(40)
                await stream.until("never")

    async def test_pauses_nest(self) -> None:
        async with connect(says(b"data: x\n\n", then="wait")) as stream:
            with stream.paused():
                with stream.paused():
                    pass
                await anyio.sleep(1)
                assert stream.waiting == 0
                assert len(stream.events) == 1

    async def test_a_reconnection_sends_the_last_event_id(self) -> None:
        ids: list[bytes | None] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            ids.append(dict(scope["headers"]).get(b"last-event-id"))
            await ticks(scope, receive, send)

        async with connect(app, "/x?y=1", headers={"x-a": "b"}) as first:
            await first.take(3)
            async with first.reconnect() as second:
                assert first.app_finished
                await second.next()
                async with second.reconnect(last_event_id="ü", server="daphne") as third:
                    assert third.transcript.startswith("    GET /x?y=1 on daphne")
        assert ids == [None, b"2", "ü".encode()]

    async def test_the_last_event_id_outlives_a_connection_on_which_none_came(self) -> None:
        async with connect(says(b"data: x\n\n"), last_event_id="7") as stream:
            (event,) = await stream.drain()
        assert (event.last_event_id, stream.last_event_id) == ("7", "7")


class TestTheRequest:
    async def lines(self, *args: Any, **options: Any) -> list[str]:
        async with connect(echo, *args, **options) as stream:
            return (await stream.read()).decode().split("\n")

    async def test_a_plain_get(self) -> None:
        assert await self.lines() == ["GET / / ", "host: testserver", "accept: text/event-stream", "", ""]

    async def test_path_query_and_parameters(self) -> None:
        (first, *_) = await self.lines("/a%2Fb/ü?x=1", params={"y": ["2", "ü"], "z": 3})
        assert first == "GET /a/b/ü /a%2Fb/%C3%BC x=1&y=2&y=%C3%BC&z=3"

    async def test_headers_replace_and_remove_what_is_usual(self) -> None:
        given = {"Accept": None, "HOST": b"here", "X-A": "ü"}
        assert (await self.lines(headers=given))[1:-2] == ["host: here", "x-a: ü"]

    @pytest.mark.parametrize(
        ("options", "want"),
        [
            pytest.param(
                {"json": {"a": 1}},
                ["content-type: application/json", "content-length: 7", "", '{"a":1}'],
                id="json",
            ),
            pytest.param({"content": "ü"}, ["content-length: 2", "", "ü"], id="text"),
            pytest.param({"content": [b"a", b"b"]}, ["transfer-encoding: chunked", "", "a|b"], id="pieces"),
            pytest.param(
                {"content": b"a", "server": "granian"}, ["content-length: 1", "", "a|"], id="granian"
            ),
            pytest.param({"content": b"a", "server": "uvicorn-h2"}, ["content-length: 1", "", "a"], id="h2"),
        ],
    )
    async def test_bodies(self, options: dict[str, Any], want: list[str]) -> None:
        lines = await self.lines(method="post", **options)
        assert lines[0].startswith("POST")
        assert lines[3:] == want

    async def test_a_body_that_is_made_meanwhile(self) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"a"
            await anyio.sleep(1)
            yield b"b"

        assert (await self.lines(method="POST", content=pieces()))[-1] == "a|b|"

    @pytest.mark.parametrize(
        ("options", "want"),
        [
            pytest.param(
                {"server": "apache"}, "unknown server 'apache'; there are: uvicorn, uvi", id="server"
            ),
            pytest.param({"server": 1}, "server must be a name or a Personality, got 1", id="no-server"),
            pytest.param({"dialect": "latin"}, "unknown dialect 'latin'", id="dialect"),
            pytest.param({"timeout": 0}, "timeout must be a positive number of seconds, got 0", id="timeout"),
            pytest.param({"timeout": True}, "timeout must be", id="a-bool"),
            pytest.param({"timeout": float("inf")}, "timeout must be", id="for-ever"),
            pytest.param({"path": "x"}, "path must begin with a slash, got 'x'", id="path"),
            pytest.param({"json": 1, "content": b""}, "give json or content, not both", id="two-bodies"),
            pytest.param({"headers": {"a": "b\r\nc"}}, "header 'a' must be one line", id="header"),
            pytest.param({"last_event_id": "a\n"}, "header 'last-event-id' must be one line", id="id"),
        ],
    )
    async def test_what_cannot_be_asked_is_refused(self, options: dict[str, Any], want: str) -> None:
        with pytest.raises(ConfigurationError, match=want):
            async with connect(echo, **options):
                pass

    def test_the_errors_are_lookup_errors(self) -> None:
        assert issubclass(UnknownServer, LookupError)
        assert issubclass(UnknownDialect, LookupError)


class TestApplicationsThatMisbehave:
    async def test_one_that_never_answers(self) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await anyio.sleep_forever()

        with pytest.raises(SSETimeout, match="status and headers did not come within 5 s") as caught:
            async with connect(app):
                raise AssertionError("it was opened")
        assert "no answer, 0 events" in str(caught.value)
        (note,) = caught.value.__notes__
        assert "still running 5 s after its client had left" in note
        assert "app (" in note

    async def test_one_that_leaks_is_named_with_its_line(self) -> None:
        async def ticker() -> AsyncIterator[bytes]:
            while True:
                yield b"data: x\n\n"
                await anyio.sleep(1)

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send(START)
            async for chunk in ticker():
                await send(body(chunk))

        seen: list[SSEStream] = []
        with pytest.raises(
            AppLeaked, match=r"^\S+ticker \(.*test_connect.py:\d+\) was still running 5 s"
        ) as caught:
            async with connect(app) as stream:
                seen.append(stream)
                await stream.next()
        assert seen[0].elapsed == 5
        assert not seen[0].app_finished
        assert "the client leaves" in str(caught.value)

    async def test_one_that_leaks_in_a_task_of_its_own(self) -> None:
        async def deaf(scope: Any, receive: Any, send: Any) -> None:
            async with anyio.create_task_group() as group:
                group.start_soon(says(b"data: x\n\n", then="hang"), scope, receive, send)

        with pytest.raises(AppLeaked, match=r"^says.<locals>.app \(.*apps.py"):
            async with connect(deaf) as stream:
                await stream.disconnect()

    async def test_a_leak_is_told_besides_what_failed_first(self) -> None:
        with pytest.raises(ZeroDivisionError) as caught:
            async with connect(says(then="hang")):
                _ = 1 / 0
        (note,) = caught.value.__notes__
        assert note.startswith("besides: says.<locals>.app (")

    @pytest.mark.parametrize("swallowed", [anyio.get_cancelled_exc_class, lambda: BaseException])
    async def test_one_that_swallows_its_cancellation(self, swallowed: Any) -> None:
        refused = swallowed()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send(START)
            while True:
                try:
                    await anyio.sleep(1)
                except refused:
                    await anyio.lowlevel.checkpoint()

        with pytest.raises(AppLeaked, match="app"):
            async with connect(app):
                pass

    async def test_one_that_raises_before_its_answer_is_a_500(self) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            raise ValueError("boom")

        async with connect(app) as stream:
            assert stream.status == 500
            assert await stream.read() == b"Internal Server Error"
            assert str(stream.app_exception) == "boom"
        with pytest.raises(AppRaised, match=r"the application raised ValueError\('boom'\)") as caught:
            async with connect(app) as stream:
                await stream.next()
        assert isinstance(caught.value.__cause__, ValueError)

    async def test_one_that_raises_later_is_cut_off(self) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send(START)
            await send(body(b"data: x\n\n"))
            raise ValueError("boom")

        async with connect(app) as stream:
            await stream.next()
            for awaited in (stream.next(), stream.drain(), stream.read(), anext(aiter(stream))):
                with pytest.raises(AppRaised, match="boom"):
                    await awaited
            assert stream.ending == "cut"

    async def test_an_exception_that_nobody_looked_at_fails_the_test(self) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await says(b"data: x\n\n")(scope, receive, send)
            raise ValueError("in the background")

        with pytest.raises(AppRaised, match="in the background"):
            async with connect(app) as stream:
                await stream.drain()
        async with connect(app) as stream:
            await stream.drain()
            assert isinstance(stream.app_exception, ValueError)

    @pytest.mark.parametrize("server", ["uvicorn", "daphne"])
    @pytest.mark.parametrize(
        ("messages", "want"),
        [
            pytest.param(
                [body(b"x")], "sent 'http.response.body' where 'http.response.start' is due", id="body"
            ),
            pytest.param(
                [START, START], "sent 'http.response.start' where 'http.response.body' is", id="start"
            ),
            pytest.param(
                [START, body(b"", more=False), body(b"")],
                "sent 'http.response.body' after the last",
                id="end",
            ),
            pytest.param([START, {"type": "http.nonsense"}], "sent 'http.nonsense' where", id="unknown"),
            pytest.param([None], "sent None where", id="nothing"),
            pytest.param([START, body("text")], "sent a body of type str", id="text"),  # type: ignore[arg-type]
            pytest.param([{**START, "status": "200"}], "sent the status '200'", id="status"),
            pytest.param([{**START, "headers": 7}], "sent the headers 7", id="headers"),
            pytest.param([{**START, "headers": [("a", "b")]}], "sent the header 'a': 'b'", id="str-header"),
            pytest.param([{**START, "headers": [(b"A", b"b")]}], "lower case", id="upper-case"),
            pytest.param([{**START, "headers": [(b"a", b"b\n")]}], "no line end", id="line-end"),
            pytest.param([], "returned without starting a response", id="no-answer"),
            pytest.param([START, body(b"x")], "returned without its last body message", id="no-end"),
        ],
    )
    async def test_one_that_calls_send_wrongly(self, messages: list[Any], want: str, server: str) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            for message in messages:
                await send(message)

        with pytest.raises(ASGIViolation, match=want) as caught:
            async with connect(app, server=server) as stream:
                await stream.read()
        assert "GET / on" in str(caught.value)

    async def test_a_violation_that_the_application_swallows_is_found_all_the_same(self) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            try:
                await send(body(b"too early"))
            except RuntimeError:
                await says(b"data: x\n\n")(scope, receive, send)

        with pytest.raises(ASGIViolation, match=r"where 'http\.response\.start' is due"):
            async with connect(app) as stream:
                await stream.drain()
        async with connect(app) as stream:
            await stream.drain()
            assert len(stream.violations) == 1

    async def test_one_that_is_no_async_callable(self) -> None:
        def app(scope: Any, receive: Any, send: Any) -> Any:
            return "no"

        with pytest.raises(ASGIViolation, match="returned 'no' where an awaitable is wanted"):
            async with connect(app) as stream:
                await stream.next()

    async def test_one_that_leaves_its_process(self) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            raise SystemExit(3)

        async with connect(app) as stream:
            assert isinstance(stream.app_exception, SystemExit)

    async def test_a_test_that_is_cancelled_ends_its_application(self) -> None:
        seen: list[SSEStream] = []
        with anyio.move_on_after(3):
            async with connect(ticks) as stream:
                seen.append(stream)
                await anyio.sleep_forever()
        assert seen[0].app_finished


@pytest.mark.parametrize("events", [0, 1, 30])
async def test_a_transcript_is_short(events: int) -> None:
    async with connect(says(*[b"data: %s\n\n" % (b"x" * 100)] * events)) as stream:
        await stream.drain()
    lines = stream.transcript.split("\n")
    assert len(lines) == min(events + 4, 26)
    assert len(max(lines, key=len)) < 130


def test_the_stream_is_public() -> None:
    assert SSEStream.__doc__


async def test_a_status_may_be_one_of_pythons_own() -> None:
    """The MCP SDK sends `http.HTTPStatus`, which every server takes."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({**START, "status": HTTPStatus.OK})
        await send(body(b"", more=False))

    async with connect(app) as stream:
        assert stream.status == 200
