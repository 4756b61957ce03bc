"""A proxy does to connections what networks do."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from sseware.errors import ConfigurationError
from sseware.testing import FaultProxy, Faults, WireConnection, WireServer, fault_proxy, sse_wire_server

BODY = b"data: hello\n\n" * 10


@pytest.fixture
def server() -> Iterator[WireServer]:
    with sse_wire_server() as running:
        yield running


def ask(proxy: FaultProxy) -> socket.socket:
    client = socket.create_connection(proxy.address, 5)
    client.sendall(b"GET / HTTP/1.1\r\n\r\n")
    return client


def read(client: socket.socket, count: int) -> bytes:
    got = b""
    while len(got) < count and (piece := client.recv(count - len(got))):
        got += piece
    return got


def opened(server: WireServer, proxy: FaultProxy) -> tuple[socket.socket, WireConnection]:
    client = ask(proxy)
    return client, server.accept()


def test_without_faults_everything_passes_both_ways(server: WireServer) -> None:
    with fault_proxy(server.address) as proxy:
        client, connection = opened(server, proxy)
        with closing(client):
            connection.send(BODY)
            assert read(client, len(BODY)) == BODY
            assert proxy.connections == 1
            client.sendall(b"more")
            client.shutdown(socket.SHUT_WR)
            assert connection.wait_closed() == b"more", "one direction ends, the other one goes on"
            connection.send(b"last")
            connection.cut()
            assert read(client, 100) == b"last"


def test_an_answer_is_late(server: WireServer) -> None:
    with fault_proxy(server.address, Faults(latency=0.2)) as proxy:
        client, connection = opened(server, proxy)
        with closing(client):
            start = time.monotonic()
            connection.send(b"x")
            assert read(client, 1) == b"x"
            assert time.monotonic() - start >= 0.2


def test_an_answer_comes_in_pieces(server: WireServer) -> None:
    with fault_proxy(server.address, Faults(dribble=4, pause=0.03)) as proxy:
        pieces: list[bytes] = []
        for _ in range(10):
            client, connection = opened(server, proxy)
            with closing(client):
                connection.send(b"data: a\n\n")
                connection.cut()
                pieces = [*iter(lambda: client.recv(100), b"")]
            if len(pieces) == 3:  # whoever reads late reads two at once
                break
    assert pieces == [b"data", b": a\n", b"\n"]


@pytest.mark.parametrize("count", [0, 5, len(BODY)])
def test_an_answer_is_cut_after_some_bytes(server: WireServer, count: int) -> None:
    with fault_proxy(server.address, Faults(cut_after=count)) as proxy:
        client, connection = opened(server, proxy)
        with closing(client):
            connection.send(BODY)
            assert read(client, 1000) == BODY[:count]
            connection.wait_closed()


def test_an_answer_is_reset_after_some_bytes(server: WireServer) -> None:
    with fault_proxy(server.address, Faults(reset_after=5, dribble=2)) as proxy:
        client, connection = opened(server, proxy)
        with closing(client):
            connection.send(BODY)
            assert read(client, 5) == BODY[:5]
            with pytest.raises(ConnectionResetError):
                client.recv(1)


def test_a_stall_is_felt_by_the_server_and_ends(server: WireServer) -> None:
    with fault_proxy(server.address, Faults(stall=True)) as proxy:
        client, connection = opened(server, proxy)
        with closing(client):
            sent = 0
            # What it sends itself would wait for longer, and the system buffers megabytes.
            connection._socket.settimeout(0.2)
            connection._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
            with pytest.raises(TimeoutError):
                for _ in range(10_000):
                    sent += connection._socket.send(b"x" * 10_000)
            proxy.faults = Faults()
            assert read(client, sent) == b"x" * sent


@pytest.mark.parametrize("how", ["cut", "reset"])
def test_every_connection_is_ended_at_once(server: WireServer, how: str) -> None:
    with fault_proxy(server.address) as proxy:
        pairs = [opened(server, proxy) for _ in range(3)]
        for client, connection in pairs:
            connection.send(b"x")
            assert client.recv(1) == b"x"
        getattr(proxy, how)()
        for client, connection in pairs:
            with closing(client):
                if how == "cut":
                    assert client.recv(1) == b""
                else:
                    with pytest.raises(ConnectionResetError):
                        client.recv(1)
            connection.wait_closed()


def test_a_client_that_resets_is_reset_to_the_server(server: WireServer) -> None:
    with fault_proxy(server.address) as proxy:
        client, connection = opened(server, proxy)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()
        with pytest.raises(ConnectionResetError):
            connection._socket.recv(1)


def test_connections_are_refused(server: WireServer) -> None:
    with (
        fault_proxy(server.address, Faults(refuse=True)) as proxy,
        pytest.raises(OSError),
        closing(socket.create_connection(proxy.address, 5)) as client,
    ):
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert client.recv(1) == b"something"


def test_a_server_that_is_not_there_is_a_reset() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
    with (
        fault_proxy(address) as proxy,
        pytest.raises(ConnectionResetError),
        closing(socket.create_connection(proxy.address, 5)) as client,
    ):
        client.recv(1)


@pytest.mark.anyio
async def test_it_is_an_async_context_manager_too(server: WireServer) -> None:
    async with fault_proxy(server.address) as proxy:
        assert proxy.url == f"http://127.0.0.1:{proxy.port}"


def test_one_that_is_left_at_once_has_started_whole(
    server: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_server = asyncio.start_server

    async def hesitate(*args: Any, **kwargs: Any) -> asyncio.Server:
        for _ in range(1000):
            await asyncio.sleep(0)
        return await start_server(*args, **kwargs)

    monkeypatch.setattr(asyncio, "start_server", hesitate)
    with fault_proxy(server.address) as proxy:
        pass
    with pytest.raises(ConnectionRefusedError), socket.create_connection(proxy.address):
        pass


@pytest.mark.parametrize(
    "wrong",
    [{"latency": -1}, {"pause": float("inf")}, {"dribble": 0}, {"cut_after": -1}, {"reset_after": 1.5}],
    ids=str,
)
def test_a_fault_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(ConfigurationError, match=f"{name} must be "):
        Faults(**wrong)
