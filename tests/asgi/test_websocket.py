"""The same handler over HTTP and over a WebSocket."""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from sseware import EventStream, SSEMiddleware
from sseware.dialects import get_dialect
from sseware.errors import StreamError
from sseware.items import Failure, File, Finish
from sseware.plugins.hector import Hector
from tests.asgi.fakes import FakeServer as HTTPServer
from tests.asgi.fakes import Message, answer, body, request, until

pytestmark = pytest.mark.anyio


class SocketServer:
    """One WebSocket on a server: what the client says, and what it is told and when."""

    def __init__(self, *said: str | bytes, connected: bool = False) -> None:
        self.sent: list[Message] = []
        self.times: list[float] = []
        self.fails: Exception | None = None
        self._incoming: list[Message] = [] if connected else [{"type": "websocket.connect"}]
        self._incoming += map(self._message, said)
        self._news = anyio.Event()

    @staticmethod
    def _message(said: str | bytes) -> Message:
        kind = "text" if isinstance(said, str) else "bytes"
        return {"type": "websocket.receive", "text": None, "bytes": None, kind: said}

    def say(self, said: str | bytes) -> None:
        self._put(self._message(said))

    def disconnect(self) -> None:
        self._put({"type": "websocket.disconnect", "code": 1001})

    def _put(self, message: Message) -> None:
        self._incoming.append(message)
        self._news.set()

    async def receive(self) -> Message:
        while not self._incoming:
            self._news = anyio.Event()
            await self._news.wait()
        return self._incoming.pop(0)

    async def send(self, message: Message) -> None:
        if self.fails is not None:
            raise self.fails
        self.sent.append(message)
        self.times.append(anyio.current_time())

    @property
    def texts(self) -> list[str]:
        return [message["text"] for message in self.sent if message["type"] == "websocket.send"]

    @property
    def closing(self) -> tuple[int, str]:
        """The close, which is the last message and the only one of its kind."""
        (close,) = [message for message in self.sent if message["type"] == "websocket.close"]
        assert self.sent[-1] is close
        return close["code"], close["reason"]


def scope(query: str = "") -> Message:
    return {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "scheme": "ws",
        "path": "/agents/assistant/stream",
        "query_string": query.encode(),
        "headers": [],
    }


QUESTION = '{"message": "Explain quantum computing"}'


async def explain(scope: Any, receive: Any) -> AsyncIterator[str]:
    assert (scope["type"], scope["method"]) == ("http", "POST")
    said = json.loads((await receive())["body"])
    for word in said["message"].split():
        yield f"{word} "


async def talk(app: Any, server: SocketServer | None = None, query: str = "") -> SocketServer:
    server = server or SocketServer(QUESTION)
    with anyio.fail_after(1000):
        await app(scope(query), server.receive, server.send)
    return server


@asynccontextmanager
async def talking(app: Any, server: SocketServer) -> AsyncIterator[SocketServer]:
    with anyio.fail_after(1000):
        async with anyio.create_task_group() as group:
            group.start_soon(app, scope(), server.receive, server.send)
            yield server


APP = SSEMiddleware(explain, dialect="hector")
CHUNKS = ['{"chunk": "Explain "}', '{"chunk": "quantum "}', '{"chunk": "computing "}']


@pytest.mark.parametrize("question", [QUESTION, QUESTION.encode()], ids=["text", "bytes"])
async def test_each_chunk_is_a_message_and_the_end_is_the_close(question: str | bytes) -> None:
    server = await talk(APP, SocketServer(question))
    assert server.sent[0] == {"type": "websocket.accept"}
    assert server.texts == CHUNKS
    assert server.closing == (1000, "")


async def test_the_same_handler_answers_a_request() -> None:
    server = HTTPServer(*body(QUESTION.encode()))
    await answer(APP, request("POST", accept="text/event-stream"), server=server)
    assert server.body.decode() == "".join(f"data: {chunk}\n\n" for chunk in (*CHUNKS, "[DONE]"))


async def test_what_else_the_client_says_is_not_heard() -> None:
    heard: list[Any] = []

    async def handler(scope: Any, receive: Any) -> AsyncIterator[str]:
        heard.append(await receive())
        yield "a"
        heard.append(await receive())

    async with talking(SSEMiddleware(handler, dialect="hector"), SocketServer("one", "two")) as server:
        await until(lambda: server.texts)
        server.say("three")
        server.disconnect()
    assert heard[0] == {"type": "http.request", "body": b"one", "more_body": False}
    assert heard[1:] in ([], [{"type": "http.disconnect"}])


async def test_a_handler_waits_for_the_question() -> None:
    entered: list[float] = []

    async def handler() -> AsyncIterator[str]:
        entered.append(anyio.current_time())
        yield "a"

    async with talking(SSEMiddleware(handler, dialect="hector"), SocketServer()) as server:
        await anyio.sleep(5)
        assert server.sent == [{"type": "websocket.accept"}]
        server.say(QUESTION)
    assert entered == [5.0]


async def test_a_client_that_leaves_without_a_question_runs_nothing() -> None:
    async def handler() -> AsyncIterator[str]:
        raise AssertionError("it ran")
        yield ""

    async with talking(SSEMiddleware(handler, dialect="hector"), SocketServer()) as server:
        server.disconnect()
    assert server.sent == [{"type": "websocket.accept"}]


async def test_a_connection_that_is_gone_before_it_began_is_left_alone() -> None:
    server = SocketServer(connected=True)
    server.disconnect()
    await talk(APP, server)
    assert server.sent == []


@pytest.mark.parametrize("where", ["await", "yield"])
async def test_a_disconnect_closes_the_handler(where: str) -> None:
    closed: list[str] = []

    async def handler() -> AsyncIterator[str]:
        try:
            yield "a"
            while where == "yield":
                yield "b" * 10_000
                await anyio.sleep(0)
            await anyio.sleep_forever()
        finally:
            closed.append("closed")

    async with talking(SSEMiddleware(handler, dialect="hector"), SocketServer(QUESTION)) as server:
        await until(lambda: server.texts)
        server.disconnect()
    assert closed == ["closed"]
    assert server.sent[-1]["type"] == "websocket.send", "nobody is left to be told of a close"


async def test_a_server_that_does_not_take_any_more_closes_the_handler() -> None:
    closed: list[str] = []

    async def handler() -> AsyncIterator[str]:
        try:
            while True:
                yield "a"
                await anyio.sleep(1)
        finally:
            closed.append("closed")

    server = SocketServer(QUESTION)
    async with talking(SSEMiddleware(handler, dialect="hector"), server):
        await anyio.sleep(3)
        server.fails = OSError("gone")
    assert closed == ["closed"]


async def raises() -> AsyncIterator[str]:
    yield "a"
    raise RuntimeError("secret")


async def refuses() -> AsyncIterator[str]:
    raise StreamError("no such agent", code="not_found", status=404)
    yield ""


async def fails() -> AsyncIterator[object]:
    yield Failure("quota")


async def ends_badly() -> AsyncIterator[object]:
    yield Finish(ok=False, result={"error": "broke"})


async def a_file() -> AsyncIterator[object]:
    yield File(b"bytes")


def cannot_begin(scope: Any) -> Iterator[str]:
    raise StreamError("not today")


@pytest.mark.parametrize(
    ("handler", "want"),
    [
        pytest.param(raises, ['{"chunk": "a"}', '{"error":{"message":"internal error"}}'], id="an-exception"),
        pytest.param(refuses, ['{"error":{"message":"no such agent"}}'], id="before-anything"),
        pytest.param(cannot_begin, ['{"error":{"message":"not today"}}'], id="before-it-is-a-generator"),
        pytest.param(fails, ['{"error":{"message":"quota"}}'], id="a-failure-item"),
        pytest.param(ends_badly, ['{"error":{"message":"broke"}}'], id="a-bad-finish"),
    ],
)
async def test_an_error_is_a_message_and_a_close_of_1011(handler: Any, want: list[str]) -> None:
    server = await talk(SSEMiddleware(handler, dialect="hector"))
    assert (server.texts, server.closing) == (want, (1011, ""))


async def test_a_file_is_an_error_here() -> None:
    server = await talk(SSEMiddleware(a_file, dialect="hector"))
    assert list(json.loads(server.texts[-1])) == ["error"]
    assert server.closing == (1011, "")


async def test_a_text_that_looks_like_an_end_is_a_text() -> None:
    async def handler() -> AsyncIterator[object]:
        yield "[DONE]"
        yield '{"error": 1}'
        yield {"own": "[DONE]"}

    server = await talk(SSEMiddleware(handler, dialect="hector"))
    assert [json.loads(text) for text in server.texts] == [
        {"chunk": "[DONE]"},
        {"chunk": '{"error": 1}'},
        {"own": "[DONE]"},
    ]
    assert server.closing == (1000, "")


async def test_chunks_and_pauses_are_those_of_the_stream() -> None:
    server = await talk(SSEMiddleware(explain, dialect=Hector(chunk_size=4, delay_ms=50)))
    assert server.texts[:2] == ['{"chunk": "Expl"}', '{"chunk": "ain "}']
    sent = [t for t, m in zip(server.times, server.sent, strict=True) if m["type"] == "websocket.send"]
    assert [round(after - before, 3) for before, after in itertools.pairwise(sent)] == [0.05] * 6


async def test_debug_comments_are_no_messages() -> None:
    assert (await talk(APP, query="debug=true")).texts == CHUNKS


async def test_a_dialect_that_is_not_carried_refuses_the_handshake() -> None:
    server = await talk(SSEMiddleware(explain, dialect="husk"))
    assert server.sent == [
        {"type": "websocket.close", "code": 1003, "reason": "this handler streams over HTTP"}
    ]


async def test_a_client_that_asks_for_such_a_dialect_is_told() -> None:
    app = SSEMiddleware(explain, dialect="hector", dialects=["husk"])
    server = await talk(app, query="dialect=husk")
    assert server.closing == (1003, "the dialect husk is not carried over WebSocket")
    assert (await talk(app)).texts == CHUNKS


class _Broken:
    """Hector, but it cannot open a stream."""

    def __init__(self) -> None:
        hector = get_dialect("hector")
        self.name, self.default, self.fold, self.decoder = "broken", "stream", hector.fold, hector.decoder

    def open(self, context: object) -> Any:
        raise ValueError("no")

    def message_of(self, event: object) -> str | None:
        return None


async def test_a_dialect_that_cannot_open_a_stream_closes_the_connection(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken: Any = _Broken()
    with caplog.at_level(logging.ERROR, "sseware"):
        server = await talk(SSEMiddleware(explain, dialect=broken))
    assert server.closing == (1011, "internal error")
    assert "could not open a stream" in caplog.text
    gone = SocketServer(QUESTION, connected=True)
    gone.fails = OSError("gone")
    await talk(EventStream(words(), dialect=broken), gone)


async def words() -> AsyncIterator[str]:
    yield "Once "
    yield "upon"


async def test_a_response_answers_where_the_application_has_accepted_and_heard() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert (await receive())["type"] == "websocket.connect"
        await send({"type": "websocket.accept", "subprotocol": "hector"})
        assert (await receive())["text"] == QUESTION
        await EventStream(words(), dialect="hector")(scope, receive, send)

    server = await talk(app)
    assert server.texts == ['{"chunk": "Once "}', '{"chunk": "upon"}']
    assert server.closing == (1000, "")


async def test_a_response_whose_dialect_is_not_carried_says_so_and_closes_its_content() -> None:
    content = words()
    server = await talk(EventStream(content, dialect="ash"), SocketServer(connected=True))
    assert server.closing == (1003, "the dialect ash is not carried over WebSocket")
    with pytest.raises(StopAsyncIteration):
        await anext(content)
