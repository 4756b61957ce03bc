"""FAULTS, sections 1 and 2, over real servers and sockets: what is written arrives, and what arrives is read."""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from sseware import EventStreamParser, ServerSentEvent, SSEMiddleware
from sseware.errors import ParserLimitExceeded
from sseware.testing import WireConnection, reference_parse, sse_server, sse_wire_server
from sseware.wire import encode, is_event_stream
from tests.faults.asking import Client

HOSTILE = [
    "a\nb\r\nc\rd",
    "\n\n",
    "\r\r\n",
    "data: forged\n\nevent: forged",
    ": no comment",
    "\u2028\u2029\x85\x0b\x0c\x1c\x1d\x1e",
    "\ufeff bom and space",
    "\x00",
    "a\ud800b",
    "😀",
    "",
]
CYCLE: list[Any] = [1]
CYCLE.append(CYCLE)
NO_JSON = {"cycle": CYCLE, "key": {(1, 2): 3}, "int": 10**5000, "object": object()}


def asked_for(scope: Any) -> str:
    return str(scope["query_string"].decode())


async def hostile(scope: Any, receive: Any) -> AsyncIterator[object]:
    if asked_for(scope) == "texts":
        for text in HOSTILE:
            yield ServerSentEvent(text, event="note")
        yield "after"
    else:
        yield "before"
        yield {"value": NO_JSON[asked_for(scope)]}
        yield "never"


@pytest.fixture(scope="module", params=["uvicorn-h11", "uvicorn-httptools"])
def address(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    needed = request.param.rpartition("-")[2]
    pytest.importorskip(needed, reason=f"{needed} is not installed")
    with sse_server(SSEMiddleware(hostile, dialect="plain"), request.param) as server:
        yield server.address


def body_of(address: tuple[str, int], query: str) -> bytes:
    with Client(address) as client:
        client.ask(f"/?{query}", method="GET", accept="text/event-stream")
        return client.answer().body


def test_hostile_texts_arrive_as_they_are_and_the_stream_lives(address: tuple[str, int]) -> None:
    """E5, E6, E8, E9: told by an interpreter that shares no code with the encoder."""
    told = [event.data for event in reference_parse(body_of(address, "texts")).events]
    want = [text.replace("\r\n", "\n").replace("\r", "\n").replace("\ud800", "\ufffd") for text in HOSTILE]
    assert told[: len(want) + 1] == [*want, "after"]


@pytest.mark.parametrize("what", sorted(NO_JSON))
def test_what_has_no_json_is_an_error_event_and_a_clean_end(address: tuple[str, int], what: str) -> None:
    """E13."""
    events = reference_parse(body_of(address, what)).events
    assert [event.event for event in events] == ["message", "error"]
    assert events[0].data == "before"


# --- The parser, behind a socket.


def read(script: Any, parser: EventStreamParser) -> list[ServerSentEvent]:
    """Reads what a server on a socket sends, as it comes."""
    with (
        sse_wire_server(script) as server,
        httpx.Client(trust_env=False) as client,
        client.stream("GET", server.url) as response,
    ):
        assert is_event_stream(response.status_code, response.headers["content-type"])
        return [event for chunk in response.iter_raw() for event in parser.feed(chunk)]


STREAM = (
    "\ufeff: hello\r\nid: 1\r\ndata: é😀\r\rdata: two\ndata: lines\n\nid: 2\x00\nretry: 5\ndata\n\n".encode()
)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_a_server_may_dribble(size: int) -> None:
    """P1, P5."""

    def script(connection: WireConnection) -> None:
        connection.start()
        connection.dribble(STREAM, size=size)

    parser = EventStreamParser()
    events = read(script, parser)
    assert [event.data for event in events] == ["é😀", "two\nlines", ""]
    assert (parser.last_event_id, parser.reconnection_time) == ("1", 5)


@pytest.mark.parametrize("end", [b"\n\n", b"\r\r", b"\r\n\r"])
def test_an_event_is_there_before_the_next_byte_is_sent(end: bytes) -> None:
    """P2: the server goes on only when it is told that the event was read."""
    parser = EventStreamParser()
    with sse_wire_server() as server, httpx.Client(trust_env=False, timeout=10) as client:
        request = client.build_request("GET", server.url)
        opened: list[httpx.Response] = []

        asking = threading.Thread(target=lambda: opened.append(client.send(request, stream=True)))
        asking.start()
        connection = server.accept()
        connection.start()
        asking.join()
        chunks = opened[0].iter_raw()
        connection.send(b"data: now" + end)
        events: list[ServerSentEvent] = []
        while not events:
            events = parser.feed(next(chunks))
        assert [event.data for event in events] == ["now"]
        opened[0].close()


def test_a_stream_that_is_cut_tells_what_it_lost() -> None:
    """P9."""

    def script(connection: WireConnection) -> None:
        connection.start()
        connection.send(b"id: 1\ndata: whole\n\nid: 2\ndata: half")

    parser = EventStreamParser()
    assert [event.data for event in read(script, parser)] == ["whole"]
    assert parser.close() is not None
    assert parser.last_event_id == "1"


@pytest.mark.parametrize("line", [b"data: x", b"data\n"], ids=["one-endless-line", "endless-lines"])
def test_an_endless_event_is_refused_in_bounded_memory(line: bytes) -> None:
    """P10, P11."""

    def script(connection: WireConnection) -> None:
        connection.start()
        connection.send(encode(ServerSentEvent("first")))
        for _ in range(200):
            connection.send(line * (2**16 // len(line)))

    parser = EventStreamParser(max_event_size=2**20)
    tracemalloc.start()
    try:
        with pytest.raises(ParserLimitExceeded):
            read(script, parser)
        assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("content_type", ["text/html", "application/json", "text/event-stream-x"])
def test_another_content_type_is_not_read(content_type: str) -> None:
    """P14."""

    def script(connection: WireConnection) -> None:
        connection.start(headers=[("content-type", content_type)])

    with sse_wire_server(script) as server:
        answer = httpx.get(server.url, trust_env=False)
    assert not is_event_stream(answer.status_code, answer.headers["content-type"])
