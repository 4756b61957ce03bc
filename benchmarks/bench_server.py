"""What does a stream cost over a real server: an event, an idle connection, the first byte, the end?"""

from __future__ import annotations

import asyncio
import json
import math
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from statistics import median
from typing import Any, TypeAlias

import msgspec

from .driver_peers import BARE, DISTRIBUTIONS, OURS, applications
from .report import Report, Table
from .server_app import BURST, GROUPS, IN_GROUP, TEXT

__all__ = ["PEERS", "Server", "run", "running"]

PEERS = tuple(name for name in (OURS, "sse-starlette", "Starlette 2.3", BARE) if name in applications())
PATIENCE = 60.0
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


class _Client(asyncio.Protocol):
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


async def _open(server: Server, path: str, count: int) -> list[_Client]:
    """Opens connections, some at a time, and waits until each has had an event."""
    loop, clients = asyncio.get_running_loop(), [_Client(path) for _ in range(count)]
    for client in clients:
        await loop.create_connection(lambda client=client: client, "127.0.0.1", server.port)  # type: ignore[misc]  # bound at once
    for client in clients:
        await client.began.wait()
    return clients


async def _close(clients: Sequence[_Client]) -> None:
    for client in clients:
        client.transport.abort()
    for client in clients:
        await client.over.wait()


async def _whole(server: Server, path: str, count: int, events: int) -> float:
    """Reads streams to their end; returns the microseconds of an event."""
    before = await server.figures()
    clients = await _open(server, path, count)
    for client in clients:
        await client.over.wait()
    after = await server.figures()
    assert all(client.events == events and client.is_clean for client in clients)
    return (after["seconds"] - before["after"]) / (count * events) * 1e6


async def _many(server: Server, count: int, seconds: float) -> tuple[float, float]:
    """Listens to many streams for a while; returns the microseconds of an event, and of the first byte (ms, p99)."""
    clients = await _open(server, "/ticks", count)
    await asyncio.sleep(0.2)
    before, seen = await server.figures(), sum(client.events for client in clients)
    await asyncio.sleep(seconds)
    after, now = await server.figures(), sum(client.events for client in clients)
    firsts = sorted(client.first for client in clients)
    await _close(clients)
    await asyncio.sleep(0.5)  # the server cleans up, which is another matter
    return (after["seconds"] - before["after"]) / (now - seen) * 1e6, firsts[int(len(firsts) * 0.99)] * 1e3


class _AtRest(msgspec.Struct, frozen=True):
    """What idle connections cost, and how they end.

    Attributes:
        kib: Of memory, for each.
        tasks: For each.
        wake_ups: A second, of all of them, beside those of a server without any.
        exit: After how many seconds the process had ended after SIGTERM.
        clean: How many in a hundred ended as HTTP wants it.
    """

    kib: float
    tasks: float
    wake_ups: float
    exit: float
    clean: float


async def _at_rest(server: Server, count: int, seconds: float, longest: float) -> _AtRest:
    await _close(await _open(server, "/idle", 20))  # what is loaded by the first request is no connection's
    await asyncio.sleep(0.3)
    alone = await server.figures()
    await asyncio.sleep(seconds)
    empty = await server.figures()
    clients = await _open(server, "/idle", count)
    await asyncio.sleep(1)
    full = await server.figures()
    await asyncio.sleep(seconds)
    later = await server.figures()
    start = time.perf_counter()
    server.process.send_signal(signal.SIGTERM)
    while server.process.poll() is None and time.perf_counter() - start < longest:  # noqa: ASYNC110  # a process
        await asyncio.sleep(0.01)
    ended = time.perf_counter() - start
    server.process.kill()
    for client in clients:
        await client.over.wait()
    return _AtRest(
        kib=(full["kib"] - empty["kib"]) / count,
        tasks=(full["tasks"] - empty["tasks"]) / count,
        wake_ups=((later["slept"] - full["slept"]) - (empty["slept"] - alone["slept"])) / seconds,
        exit=ended if ended < longest else math.inf,
        clean=100 * sum(client.is_clean for client in clients) / count,
    )


def run(rounds: int) -> Report:
    """Returns the tables."""
    quick = rounds < 5
    count = 200 if quick else 1000
    with asyncio.Runner() as runner:
        costs = runner.run(_costs(max(3, rounds // 2), count, 1.0 if quick else 2.0))
        rest: dict[str, _AtRest] = {}
        for peer in PEERS:
            with running(peer) as server:
                rest[peer] = runner.run(_at_rest(server, count, 2.0, 8.0))
    return Report(
        "server",
        ("uvicorn", "httptools", "uvloop", *DISTRIBUTIONS),
        max(3, rounds // 2),
        [_cost_table(costs, count), _rest_table(rest, count)],
        clock="processor time of the server's process",
    )


async def _costs(rounds: int, count: int, seconds: float) -> dict[str, dict[str, list[float]]]:
    """Measures each scene in turns; returns the rounds of each peer, by scene."""
    found: dict[str, dict[str, list[float]]] = {}
    with ExitStack() as stack:
        servers = {peer: stack.enter_context(running(peer)) for peer in PEERS}

        async def note(scene: str, measure: Callable[[Server], Awaitable[float]]) -> None:
            for turn in range(rounds + 1):
                for peer in PEERS[turn % len(PEERS) :] + PEERS[: turn % len(PEERS)]:
                    figure = await asyncio.wait_for(measure(servers[peer]), PATIENCE)
                    if turn:
                        found.setdefault(scene, {}).setdefault(peer, []).append(figure)

        await note(f"a burst of {BURST} events", lambda server: _whole(server, "/burst", 1, BURST))
        await note(
            f"groups of {IN_GROUP} events, 10 connections",
            lambda server: _whole(server, "/groups", 10, GROUPS * IN_GROUP),
        )
        for _ in range(min(rounds, 3)):
            for peer, server in servers.items():
                cost, first = await _many(server, count, seconds)
                found.setdefault(f"{count} connections at 20 events/s", {}).setdefault(peer, []).append(cost)
                found.setdefault(f"first byte, p99 of {count}", {}).setdefault(peer, []).append(first * 1e3)
    return found


def _cost_table(costs: Mapping[str, Mapping[str, Sequence[float]]], count: int) -> Table:
    others = [peer for peer in PEERS if peer != OURS]
    rows: list[list[str | float]] = []
    for scene, by_peer in costs.items():
        ratios = (median(a / b for a, b in zip(by_peer[peer], by_peer[OURS], strict=True)) for peer in others)
        rows.append([scene, median(by_peer[OURS]), *ratios])
    return Table(
        "Streaming over uvicorn",
        f"How many times as long as {OURS} (`EventStream` inside of `SSEMiddleware`) each takes: processor time of the server for an "
        "event; for the first byte, time on the wall. uvicorn with httptools and uvloop, each peer in a process of its own, in "
        f"turns; {count} connections that are opened one after the other.",
        ["scene", "µs", *others],
        rows,
    )


def _rest_table(rest: Mapping[str, _AtRest], count: int) -> Table:
    columns = {
        "KiB a connection": "kib",
        "tasks a connection": "tasks",
        "wake-ups a second": "wake_ups",
        "exit after SIGTERM, s": "exit",
        "clean ends, %": "clean",
    }
    return Table(
        "Idle connections over uvicorn",
        f"{count} streams that have had one event and wait; wake-ups are those of the whole process, beside those that it has without a "
        "stream. Then SIGTERM, with uvicorn's default settings; *inf*: it had not ended after 8 s.",
        ["peer", *columns],
        [[peer, *(getattr(figures, name) for name in columns.values())] for peer, figures in rest.items()],
    )
