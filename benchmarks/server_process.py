"""A server in a process of its own, and clients that read its streams."""

from __future__ import annotations

import asyncio
import json
import math
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import msgspec

from .server_app import TEXT

__all__ = ["Client", "Figures", "Server", "closed", "opened", "running"]

_EVENT = TEXT.encode()

Figures: TypeAlias = Mapping[str, float]


class Server(msgspec.Struct, frozen=True):
    """A server that runs.

    Attributes:
        process: Its process.
        port: Where it listens.
    """

    process: subprocess.Popen[bytes]
    port: int

    async def figures(self) -> Figures:
        """Asks what it has used."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(b"GET /figures HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
        found: Figures = json.loads(answer.partition(b"\r\n\r\n")[2])
        return found


@contextmanager
def running(peer: str) -> Iterator[Server]:
    """Runs a peer on uvicorn (httptools, uvloop), in a process of its own."""
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
        descriptor = listener.fileno()
        command = [sys.executable, "-m", "benchmarks.server_app", peer, str(descriptor)]
        process = subprocess.Popen(command, pass_fds=[descriptor])
        try:
            yield Server(process, listener.getsockname()[1])
        finally:
            process.kill()
            process.wait()


class Client(asyncio.Protocol):
    """Asks for a stream and reads it as fast as it comes."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._asked = 0.0
        self._tail = b""
        self.events = 0
        self.first = math.nan
        self.began = asyncio.Event()
        self.over = asyncio.Event()
        self.ended = math.nan

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self._asked = time.perf_counter()
        transport.write(
            f"GET {self._path} HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\nconnection: close\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        if not self.events:
            self.first = time.perf_counter() - self._asked
        # An event is counted where its text ends, wherever it was cut.
        data = self._tail + data
        self.events += data.count(_EVENT)
        self._tail = data[-(len(_EVENT) - 1) :]
        if self.events:
            self.began.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended = time.perf_counter()
        self.began.set()
        self.over.set()

    @property
    def is_clean(self) -> bool:
        """Whether the answer ended as HTTP wants it."""
        return self._tail.endswith(b"0\r\n\r\n")


async def opened(server: Server, path: str, count: int) -> list[Client]:
    """Opens connections, some at a time, and waits until each has had an event."""
    loop, clients = asyncio.get_running_loop(), [Client(path) for _ in range(count)]
    for client in clients:
        await loop.create_connection(lambda client=client: client, "127.0.0.1", server.port)  # type: ignore[misc]  # bound at once
    for client in clients:
        await client.began.wait()
    return clients


async def closed(clients: Sequence[Client]) -> None:
    for client in clients:
        client.transport.abort()
    for client in clients:
        await client.over.wait()
