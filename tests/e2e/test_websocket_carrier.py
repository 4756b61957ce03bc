"""Hector's WebSocket over a real server, with a client that is not ours."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import pytest

from sseware import SSEMiddleware
from sseware.plugins.hector import Hector
from tests.e2e.servers import PATIENCE, Client, serving

websockets = pytest.importorskip("websockets", reason="the package websockets is not installed")

CLOSED = threading.Event()


async def explain(scope: Any, receive: Any) -> AsyncIterator[str]:
    question = json.loads((await receive())["body"])
    for word in question["message"].split():
        yield f"{word} "


async def never_ends(scope: Any, receive: Any) -> AsyncIterator[str]:
    try:
        yield "first"
        await anyio.sleep_forever()
    finally:
        CLOSED.set()


async def fails(scope: Any, receive: Any) -> AsyncIterator[str]:
    yield "first"
    raise RuntimeError("secret")


APPS = {
    "/agents/assistant/stream": SSEMiddleware(explain, dialect=Hector()),
    "/agents/assistant/messages/stream": SSEMiddleware(explain, dialect=Hector()),
    "/agents/endless/stream": SSEMiddleware(never_ends, dialect=Hector()),
    "/agents/broken/stream": SSEMiddleware(fails, dialect=Hector()),
    "/agents/husk/stream": SSEMiddleware(explain, dialect="husk"),
    "/agents/both/stream": SSEMiddleware(explain, dialect=Hector(), dialects=["husk"]),
}


async def app(scope: Any, receive: Any, send: Any) -> None:
    await APPS[scope.get("path", "/agents/assistant/stream")](scope, receive, send)


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, int]]:
    with serving(app, "h11", "websockets-sansio") as address:
        yield address


def connect(server: tuple[str, int], path: str) -> Any:
    from websockets.sync.client import connect

    return connect(f"ws://{server[0]}:{server[1]}/agents/{path}", proxy=None, open_timeout=PATIENCE)


def test_each_chunk_is_a_message_and_the_end_is_a_close(server: tuple[str, int]) -> None:
    with connect(server, "assistant/stream") as socket:
        socket.send(json.dumps({"message": "Explain quantum computing"}))
        chunks = [json.loads(message)["chunk"] for message in socket]
    assert chunks == ["Explain ", "quantum ", "computing "]
    assert socket.close_code == 1000


def test_the_same_handler_streams_over_http(server: tuple[str, int]) -> None:
    with Client(server) as client:
        client.ask("/agents/assistant/messages/stream", body=b'{"message": "Explain"}')
        assert client.answer().body == b'data: {"chunk": "Explain "}\n\ndata: [DONE]\n\n'


def test_an_error_is_a_message_and_a_close_that_says_so(server: tuple[str, int]) -> None:
    with connect(server, "broken/stream") as socket:
        socket.send("{}")
        first, error = (json.loads(socket.recv(PATIENCE)) for _ in range(2))
        with pytest.raises(websockets.ConnectionClosedError):
            socket.recv(PATIENCE)
    assert (first, error) == ({"chunk": "first"}, {"error": {"message": "internal error"}})
    assert socket.close_code == 1011


def test_a_client_that_leaves_closes_the_handler(server: tuple[str, int]) -> None:
    CLOSED.clear()
    with connect(server, "endless/stream") as socket:
        socket.send("{}")
        assert json.loads(socket.recv(PATIENCE)) == {"chunk": "first"}
    assert CLOSED.wait(PATIENCE)


def test_a_handler_whose_dialect_is_not_carried_refuses_the_handshake(server: tuple[str, int]) -> None:
    with pytest.raises(websockets.InvalidStatus, match="403"):
        connect(server, "husk/stream")


def test_a_client_that_asks_for_such_a_dialect_reads_the_reason(server: tuple[str, int]) -> None:
    with (
        connect(server, "both/stream?dialect=husk") as socket,
        pytest.raises(websockets.ConnectionClosedError),
    ):
        socket.recv(PATIENCE)
    assert (socket.close_code, socket.close_reason) == (
        1003,
        "the dialect husk is not carried over WebSocket",
    )
