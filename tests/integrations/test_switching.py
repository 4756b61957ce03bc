"""What users of sse-starlette, and of Starlette's and FastAPI's streams, rely on, held against `EventStream`.

Written from their documentation. The pages ``docs/from-sse-starlette.md`` and ``docs/from-fastapi-sse.md`` have the
same in words, with the reasons where it is not the same.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import pytest
from fastapi import FastAPI
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.routing import Route

from sseware import EventStreamParser, ServerSentEvent, SSEMiddleware, StreamError, streaming
from sseware.errors import ConfigurationError, HandlerReused, InvalidEvent, InvalidItem
from sseware.integrations.starlette import EventStream
from sseware.items import Data
from tests.asgi.fakes import FakeServer, answer, request, serving, until

pytestmark = pytest.mark.anyio


def parsed(server: FakeServer) -> list[Any]:
    return [(each.event, each.data, each.id) for each in EventStreamParser().feed(server.body)]


async def numbers(count: int, pause: float = 0.0) -> AsyncIterator[ServerSentEvent]:
    for i in range(count):
        yield ServerSentEvent(str(i), event="number", id=str(i))
        await anyio.sleep(pause)


class TestContent:
    """What may be yielded, and what becomes of it."""

    async def test_an_async_generator(self) -> None:
        server = await answer(EventStream(numbers(2)))
        assert parsed(server) == [("number", "0", "0"), ("number", "1", "1")]

    async def test_a_sync_generator(self) -> None:
        def sync() -> Iterator[str]:
            yield "a"
            yield "b"

        assert parsed(await answer(EventStream(sync()))) == [("message", "a", None), ("message", "b", None)]

    async def test_an_async_iterable_that_is_no_generator(self) -> None:
        class Two:
            def __init__(self) -> None:
                self.left = 2

            def __aiter__(self) -> AsyncIterator[str]:
                return self

            async def __anext__(self) -> str:
                if not self.left:
                    raise StopAsyncIteration
                self.left -= 1
                return str(self.left)

        assert [each[1] for each in parsed(await answer(EventStream(Two())))] == ["1", "0"]

    async def test_a_list(self) -> None:
        assert parsed(await answer(EventStream(["a"]))) == [("message", "a", None)]

    async def test_a_dict_is_data_and_no_set_of_fields(self) -> None:
        server = await answer(EventStream([{"data": "x", "event": "y"}]))
        ((_, data, _),) = parsed(server)
        assert json.loads(data) == {"data": "x", "event": "y"}

    async def test_an_event_with_every_field(self) -> None:
        server = await answer(EventStream([ServerSentEvent("a\nb", event="e", id="7", retry=1500)]))
        assert server.body == b"id: 7\nevent: e\ndata: a\ndata: b\nretry: 1500\n\n"

    async def test_json_with_a_type_of_event(self) -> None:
        server = await answer(EventStream([Data({"a": "ü"}, name="update")]))
        ((event, data, _),) = parsed(server)
        assert (event, json.loads(data)) == ("update", {"a": "ü"})

    async def test_a_pydantic_model_is_an_event_called_data(self) -> None:
        class Point(BaseModel):
            x: int

        server = await answer(EventStream([Point(x=1), ServerSentEvent(Point(x=2).model_dump_json())]))
        assert [(event, json.loads(data)) for event, data, _ in parsed(server)] == [
            ("data", {"x": 1}),
            ("message", {"x": 2}),
        ]

    async def test_a_number_is_wrapped(self) -> None:
        assert parsed(await answer(EventStream([Data(7)]))) == [("data", "7", None)]
        with pytest.raises(InvalidItem, match="wrap it"):
            await answer(EventStream([7]))

    @pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "a\rb"])
    async def test_lines_are_split_at_the_standards_line_ends(self, text: str) -> None:
        assert parsed(await answer(EventStream([ServerSentEvent(text)]))) == [("message", "a\nb", None)]

    @pytest.mark.parametrize("text", ["a\u2028b", "a\x0bb", "a\x85b", "a\x1cb"])
    async def test_and_nowhere_else(self, text: str) -> None:
        assert parsed(await answer(EventStream([ServerSentEvent(text)]))) == [("message", text, None)]

    @pytest.mark.parametrize("field", ["event", "id"])
    def test_a_line_end_in_a_field_is_refused_and_not_taken_out(self, field: str) -> None:
        with pytest.raises(InvalidEvent):
            ServerSentEvent("x", **{field: "a\nb"})  # type: ignore[arg-type]  # a field of text

    async def test_bytes_are_text_and_no_ready_made_frame(self) -> None:
        server = await answer(EventStream([b"data: x\n\n"]))
        assert "data: x" in parsed(server)[0][1]

    async def test_a_stream_of_nothing_is_an_empty_stream(self) -> None:
        server = await answer(EventStream([]))
        assert (server.status, parsed(server)) == (200, [])
        assert server.is_complete


class TestTheHead:
    async def test_fields_and_status(self) -> None:
        server = await answer(EventStream(["a"], status_code=201, headers={"X-A": "1"}))
        assert server.status == 201
        assert server.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert server.headers["x-accel-buffering"] == "no"
        assert server.headers["x-a"] == "1"
        assert "content-length" not in server.headers

    async def test_no_connection_field_is_sent(self) -> None:
        assert "connection" not in (await answer(EventStream(["a"]))).headers

    async def test_cache_control_is_no_store_unless_it_is_given(self) -> None:
        assert "no-store" in (await answer(EventStream(["a"]))).headers["cache-control"]
        given = EventStream(["a"], headers={"Cache-Control": "public, max-age=3600"})
        assert (await answer(given)).headers["cache-control"] == "public, max-age=3600"

    async def test_another_type_may_be_given(self) -> None:
        given = EventStream(["a"], headers={"content-type": "text/event-stream"})
        assert (await answer(given)).headers["content-type"] == "text/event-stream"

    async def test_head_is_answered_without_running_anything(self) -> None:
        generator = numbers(1)
        server = await answer(EventStream(generator), request("HEAD"))
        assert (server.status, server.body, server.is_complete) == (200, b"", True)
        assert "text/event-stream" in server.headers["content-type"]


class TestPings:
    async def test_silence_is_kept_alive_every_fifteen_seconds(self) -> None:
        server = await answer(EventStream(numbers(2, pause=50)))
        assert server.body.count(b": \n\n") == 6

    async def test_the_interval_may_be_chosen(self) -> None:
        server = await answer(EventStream(numbers(1, pause=50), keepalive=10))
        assert server.body.count(b": \n\n") in (4, 5)

    async def test_none_switches_them_off(self) -> None:
        server = await answer(EventStream(numbers(1, pause=500), keepalive=None))
        assert b": " not in server.body.replace(b"id: ", b"").replace(b"event: ", b"").replace(b"data: ", b"")

    async def test_a_busy_stream_has_none(self) -> None:
        server = await answer(EventStream(numbers(50, pause=1)))
        assert b"\n: " not in server.body

    @pytest.mark.parametrize("given", [0, -1, "15", True])
    def test_a_wrong_interval_is_refused_at_once(self, given: Any) -> None:
        with pytest.raises(ConfigurationError, match="keepalive"):
            EventStream([], keepalive=given)


class TestTheClientLeaves:
    async def test_the_generator_is_closed_and_may_clean_up(self) -> None:
        seen: list[str] = []

        async def endless() -> AsyncIterator[str]:
            try:
                while True:
                    yield "a"
                    await anyio.sleep(1)
            except (asyncio.CancelledError, GeneratorExit):
                seen.append("cancelled")
                raise
            finally:
                seen.append("closed")

        async with serving(EventStream(endless())) as server:
            await until(lambda: server.chunks)
        # On Trio it is trio.Cancelled, which is neither.
        assert seen[-1] == "closed"
        assert len(seen) <= 2

    async def test_is_disconnected_is_told_by_the_request_too(self) -> None:
        seen: list[bool] = []

        @streaming(dialect="plain")
        async def endpoint(request: Request) -> AsyncIterator[str]:
            seen.append(await request.is_disconnected())
            yield "a"

        # Below the middleware: a request that is asked without one takes the message away from whoever else waits.
        app = SSEMiddleware(Starlette(routes=[Route("/", endpoint)]))
        await answer(app)
        assert seen == [False]

    async def test_what_was_a_close_handler_is_a_finally(self) -> None:
        seen: list[str] = []

        async def content() -> AsyncIterator[str]:
            try:
                yield "a"
                await anyio.sleep_forever()
            finally:
                with anyio.CancelScope(shield=True):
                    await anyio.sleep(1)
                seen.append("client closed")

        async with serving(EventStream(content())) as server:
            await until(lambda: server.chunks)
        assert seen == ["client closed"]


class TestSending:
    async def test_a_send_that_stalls_is_given_up_and_the_generator_closed(self) -> None:
        seen: list[str] = []

        async def content() -> AsyncIterator[str]:
            try:
                while True:
                    yield "x" * 100_000
                    await anyio.sleep(1)
            finally:
                seen.append("closed")

        server = FakeServer()
        async with serving(EventStream(content(), send_timeout=2.0), server=server):
            await until(lambda: server.chunks)
            server.stall()
            await anyio.sleep(10)
            assert seen == ["closed"]

    async def test_a_clean_up_that_takes_too_long_is_abandoned(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def content() -> AsyncIterator[str]:
            try:
                yield "a"
                await anyio.sleep_forever()
            finally:
                with anyio.CancelScope(shield=True):
                    await anyio.sleep(60)

        with caplog.at_level(logging.ERROR, "sseware"):
            async with serving(EventStream(content(), cleanup_timeout=1.0)) as server:
                await until(lambda: server.chunks)
        assert "abandoned" in caplog.text

    async def test_a_generator_serves_one_response(self) -> None:
        generator = numbers(1)
        await answer(EventStream(generator))
        with pytest.raises(HandlerReused):
            EventStream(generator)

    async def test_two_tasks_that_produce_are_one_channel_in_the_handler(self) -> None:
        """``data_sender_callable`` is a task group in the handler."""

        async def content() -> AsyncIterator[str]:
            send, receive = anyio.create_memory_object_stream[str](10)

            async def produce() -> None:
                async with send:
                    for word in ("a", "b"):
                        await send.send(word)

            async with anyio.create_task_group() as group:
                group.start_soon(produce)
                async with receive:
                    async for word in receive:
                        yield word

        assert [each[1] for each in parsed(await answer(EventStream(content())))] == ["a", "b"]


class TestFailures:
    async def test_an_exception_before_the_first_event_is_no_stream(self) -> None:
        async def broken() -> AsyncIterator[str]:
            raise ValueError("no")
            yield ""

        server = FakeServer()
        with pytest.raises(ValueError, match="no"):
            await answer(EventStream(broken()), server=server)
        assert server.sent == []

    async def test_an_exception_after_it_is_raised_in_no_group_and_told_to_the_client(self) -> None:
        async def broken() -> AsyncIterator[str]:
            yield "a"
            raise StreamError("the disk is full", code="disk")

        server = await answer(EventStream(broken()))
        events = parsed(server)
        assert events[0] == ("message", "a", None)
        assert events[1][0] == "error"
        assert "the disk is full" in events[1][1]
        assert server.is_complete

    async def test_a_background_task_runs_after_the_stream(self) -> None:
        ran: list[str] = []
        await answer(EventStream(["a"], background=BackgroundTask(ran.append, "ran")))
        assert ran == ["ran"]

    async def test_an_unknown_option_is_told_with_those_that_there_are(self) -> None:
        with pytest.raises(ConfigurationError, match=r"unknown option 'ping'; there are: .*keepalive"):
            EventStream([], ping=15)  # type: ignore[call-arg]  # on purpose


class TestFastAPIsStreams:
    """FastAPI's ``EventSourceResponse``: what is declared there, and what becomes of it here."""

    async def test_what_a_path_operation_yields_is_json(self) -> None:
        class Item(BaseModel):
            name: str

        app = FastAPI()

        @app.get("/items")
        @streaming(dialect="plain")
        async def items() -> AsyncIterator[Item]:
            yield Item(name="a")

        events = parsed(await answer(app, request(path="/items")))
        assert json.loads(events[0][1]) == {"name": "a"}

    async def test_a_string_is_text_and_no_json(self) -> None:
        assert parsed(await answer(EventStream(["hello"])))[0][1] == "hello"
        assert parsed(await answer(EventStream([Data("hello")])))[0][1] == '"hello"'

    async def test_a_post_may_stream(self) -> None:
        app = FastAPI()

        @app.post("/")
        @streaming(dialect="plain")
        async def items() -> AsyncIterator[str]:
            yield "a"

        assert parsed(await answer(app, request("POST"))) == [("message", "a", None)]

    async def test_resumption_is_a_header_of_the_request(self) -> None:
        app = Starlette()

        @streaming(dialect="plain")
        async def items(request: Request) -> AsyncIterator[ServerSentEvent]:
            begin = int(request.headers.get("last-event-id", "-1")) + 1
            for i in range(begin, 3):
                yield ServerSentEvent(str(i), id=str(i))

        app.add_route("/", items)
        server = await answer(app, request(headers={"last-event-id": "1"}))
        assert parsed(server) == [("message", "2", "2")]
