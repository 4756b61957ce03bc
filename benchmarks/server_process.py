"""A server in a process of its own, and clients that read its streams."""

from __future__ import annotations

import asyncio
import json
import math
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from random import Random
from typing import Any, TypeAlias, TypeVar

import msgspec

from .server_app import TEXT
from .servers import BACKLOG, ENGINES, UVICORN

__all__ = ["Client", "Figures", "Server", "allow_descriptors", "closed", "opened", "running"]

_EVENT = TEXT.encode()

Figures: TypeAlias = Mapping[str, float]
AnyClient = TypeVar("AnyClient", bound="Client")


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
        return await self._ask("figures")

    async def hush(self) -> None:
        """Tells the streams that do not end that nobody listens."""
        await self._ask("hush")

    async def _ask(self, what: str) -> Figures:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(f"GET /{what} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        found: Figures = json.loads(answer.partition(b"\r\n\r\n")[2])
        return found


@contextmanager
def running(peer: str, engine: str = UVICORN) -> Iterator[Server]:
    """Runs a peer on an engine, in a process of its own."""
    listens_itself = ENGINES[engine].listens_itself
    with socket.socket() as bound:
        # Whoever listens itself takes the port beside us; nobody else is given it meanwhile.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind(("127.0.0.1", 0))
        if not listens_itself:
            bound.listen(BACKLOG)
        port, descriptor = bound.getsockname()[1], bound.fileno()
        command = [sys.executable, "-m", "benchmarks.server_app", engine, peer, str(descriptor)]
        process = subprocess.Popen(command, pass_fds=[descriptor])
    try:
        if listens_itself:
            _wait_until_it_listens(process, port)
        yield Server(process, port)
    finally:
        process.kill()
        process.wait()


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    while process.poll() is None:
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.02)
    raise ChildProcessError(f"the server has ended with {process.returncode}")


class Client(asyncio.Protocol):
    """Asks for a stream and reads it as fast as it comes.

    Attributes:
        events: How many have come.
        first_byte: How many seconds after it had asked something came.
        first_event: The same of a whole event.
        began: When one has come, or none will.
        over: When the connection has ended.
        ended: When that was.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._asked = 0.0
        self._tail = b""
        self.events = 0
        self.first_byte = math.nan
        self.first_event = math.nan
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
        passed = time.perf_counter() - self._asked
        if math.isnan(self.first_byte):
            self.first_byte = passed
        if not self.events:
            self.first_event = passed
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


async def opened(
    server: Server,
    path: str,
    count: int,
    pace: float = math.inf,
    *,
    client: Callable[[str], AnyClient] = Client,  # type: ignore[assignment]  # a default cannot be generic
) -> list[AnyClient]:
    """Opens connections, some at a time, and waits until each has had an event.

    Args:
        server: Which.
        path: What is asked for.
        count: How many.
        pace: How many a second, at the most. Within its share of the second each comes at a moment of its own, so that
            they fall in with no rhythm of the streams.
        client: What makes one of a path.
    """
    loop, clients, moment = asyncio.get_running_loop(), [client(path) for _ in range(count)], Random(0).random
    start = loop.time()
    for index, each in enumerate(clients):
        if pace < math.inf:
            await asyncio.sleep(start + (index + moment()) / pace - loop.time())
        await loop.create_connection(lambda each=each: each, "127.0.0.1", server.port)  # type: ignore[misc]  # bound at once
    for each in clients:
        await each.began.wait()
    return clients


def allow_descriptors(count: int) -> None:
    """Lets this process, and those that it starts, open so many files, as far as the system allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))


async def closed(clients: Sequence[Client]) -> None:
    for client in clients:
        client.transport.abort()
    for client in clients:
        await client.over.wait()
