"""A raw socket does to a client what a test says, and waits for nothing for ever."""

from __future__ import annotations

import socket
import threading
import urllib.request
from contextlib import closing

import anyio
import anyio.to_thread
import httpx
import pytest

from sseware import EventStreamParser
from sseware.testing import WireConnection, sse_wire_server
from sseware.testing.errors import SSETimeout


def test_a_client_is_sent_what_the_script_says_byte_by_byte() -> None:
    def script(connection: WireConnection) -> None:
        assert connection.request.method == "GET"
        assert connection.request.target == "/news?since=7"
        assert connection.request.headers["last-event-id"] == "7"
        connection.start(headers=[("content-type", "text/event-stream"), ("x-a", "1")])
        connection.dribble("data: é\n\n".encode())

    with sse_wire_server(script) as server:
        with httpx.stream("GET", f"{server.url}/news?since=7", headers={"last-event-id": "7"}) as answer:
            parser = EventStreamParser()
            events = [event for chunk in answer.iter_raw() for event in parser.feed(chunk)]
        assert answer.headers["x-a"] == "1"
    assert [event.data for event in events] == ["é"]


def test_pieces_arrive_as_pieces() -> None:
    def script(connection: WireConnection) -> None:
        connection.start()
        connection.dribble(b"data: a\n\n", size=3, pause=0.05)

    pieces: list[bytes] = []
    for _ in range(10):
        with sse_wire_server(script) as server, httpx.stream("GET", server.url) as answer:
            pieces = list(answer.iter_raw())
        if len(pieces) == 3:  # whoever reads late reads two at once
            break
    assert pieces == [b"dat", b"a: ", b"a\n\n"]


def test_a_cut_ends_the_body_and_a_reset_breaks_it() -> None:
    def cut(connection: WireConnection) -> None:
        connection.start()
        connection.send(b"data: a")
        connection.cut()

    with sse_wire_server(cut) as server, httpx.stream("GET", server.url) as answer:
        assert b"".join(answer.iter_raw()) == b"data: a"

    with sse_wire_server() as server, socket.create_connection(server.address, 30) as client:
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        connection = server.accept()
        connection.send(b"x")
        assert client.recv(10) == b"x"
        connection.reset()
        with pytest.raises(ConnectionResetError):
            client.recv(10)


def test_the_body_of_a_request_is_read_whole() -> None:
    with sse_wire_server() as server:
        with closing(socket.create_connection(server.address, 30)) as client:
            for piece in (b"POST / HTTP/1.1\r\ncontent-le", b"ngth: 5\r\n\r\nhe", b"llo"):
                client.sendall(piece)
            connection = server.accept()
            assert connection.request.body == b"hello"
            assert connection.request.head.endswith(b"content-length: 5\r\n\r\n")
            client.sendall(b"more")
        assert connection.wait_closed() == b"more"


def test_a_client_that_stays_is_told_apart_from_one_that_leaves() -> None:
    with sse_wire_server() as server, closing(socket.create_connection(server.address, 30)) as client:
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with pytest.raises(SSETimeout, match="the client has not left"):
            server.accept().wait_closed(0.05)


def test_nobody_waits_for_ever_for_a_client() -> None:
    with (
        sse_wire_server(timeout=0.05) as server,
        pytest.raises(SSETimeout, match=r"no client .* within 0.05 s"),
    ):
        server.accept()


def test_a_client_that_asks_for_nothing_holds_up_nobody() -> None:
    with (
        sse_wire_server() as server,
        closing(socket.create_connection(server.address, 30)),
        closing(socket.create_connection(server.address, 30)) as second,
    ):
        second.sendall(b"GET /second HTTP/1.1\r\n\r\n")
        assert server.accept().request.target == "/second"


def test_what_a_script_raises_is_raised_when_the_statement_is_left() -> None:
    def script(connection: WireConnection) -> None:
        raise ValueError("in the script")

    with (
        pytest.raises(ValueError, match="in the script"),
        sse_wire_server(script) as server,
        pytest.raises(OSError),
    ):
        urllib.request.urlopen(server.url, timeout=30)


def test_a_client_that_leaves_is_no_fault_of_a_script() -> None:
    left = threading.Event()

    def script(connection: WireConnection) -> None:
        left.wait(30)
        for _ in range(10_000):
            connection.send(b"x" * 1000)

    with sse_wire_server(script) as server:
        with closing(socket.create_connection(server.address, 30)) as client:
            client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        left.set()


def test_a_request_without_an_end_is_refused() -> None:
    with (
        sse_wire_server() as server,
        pytest.raises(OSError),
        closing(socket.create_connection(server.address, 30)) as client,
    ):
        for _ in range(1000):
            client.sendall(b"x" * 10_000)


@pytest.mark.anyio
async def test_an_async_test_takes_connections_without_blocking_its_loop() -> None:
    async with sse_wire_server() as server, httpx.AsyncClient() as client, anyio.create_task_group() as group:
        group.start_soon(client.get, server.url)
        connection = await server.wait_accepted()
        connection.start()
        connection.cut()
