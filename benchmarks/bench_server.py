"""What does a stream cost over a real server: an event, an idle connection, the first byte, the end?"""

from __future__ import annotations

import asyncio
import math
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from statistics import median

import msgspec

from .driver_peers import BARE, DISTRIBUTIONS, IN_STARLETTE, OURS, OURS_IN_STARLETTE, measurable
from .medians import Cell
from .report import Report, Table, rows_of
from .server_app import BURST, GROUPS, IN_GROUP
from .server_process import Server, closed, opened, running
from .server_scenes import Found, Scene, at_once, in_turns, listened, ratio, read_whole, waited
from .servers import ENGINES, UVICORN
from .timing import is_quick

__all__ = ["PEERS", "run"]

PEERS = (
    OURS,
    *IN_STARLETTE,
    "Starlette 2.3",
    "FastAPI",
    "Litestar",
    "Quart",
    BARE,
)
FAST, SLOW = 50, 500
"""Milliseconds between the events of a stream: 1 000 streams fill a processor, or take a fraction of it."""
PACE = 125
"""How many connections a second are opened where it is timed how soon they are answered: what no peer is busy with."""
WAITS = ("first byte, median", "first byte, p99", "first event, p99")


class _Size(msgspec.Struct, frozen=True):
    """How much is measured.

    Attributes:
        rounds: How often each peer streams a burst, and groups.
        warm_up: How often it streams groups before that. The first burst, which also loads everything, never counts.
        listens: How often each is listened to by many.
        connections: How many those are.
        seconds: For how long.
        newcomers: How many come one by one, as often, and are timed.
        at_once: How many servers are at rest at one time.
    """

    rounds: int
    warm_up: int
    listens: int
    connections: int
    seconds: float
    newcomers: int
    at_once: int


_FULL = _Size(11, 1, listens=3, connections=1000, seconds=5.0, newcomers=500, at_once=1)
_QUICK = _Size(1, 0, listens=1, connections=200, seconds=0.5, newcomers=60, at_once=len(PEERS))


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
    await closed(await opened(server, "/idle", 20))  # what is loaded by the first request is no connection's
    await asyncio.sleep(0.3)
    alone = await server.figures()
    await asyncio.sleep(seconds)
    empty = await server.figures()
    clients = await opened(server, "/idle", count)
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
    size = _QUICK if is_quick(rounds) else _FULL
    peers = [peer for peer in PEERS if peer in measurable().found]
    with asyncio.Runner() as runner:
        costs = runner.run(_costs(peers, size))
        rest: dict[str, _AtRest | str] = {}
        for first in range(0, len(peers), size.at_once):
            measure = partial(_at_rest, count=size.connections, seconds=2.0, longest=8.0)
            rest |= runner.run(at_once(peers[first : first + size.at_once], measure))
    return Report(
        "server",
        (*ENGINES[UVICORN].distributions, *DISTRIBUTIONS),
        size.rounds,
        [_cost_table(costs, peers, size.connections), _rest_table(rest, size.connections)],
        clock="processor time of the server's process",
        left_out={peer: why for peer, why in measurable().left_out.items() if peer in PEERS},
    )


def _scenes(size: _Size) -> list[Scene]:
    count = size.connections

    async def burst(server: Server) -> Sequence[float]:
        return [await read_whole(server, f"/burst/{BURST}", 1, BURST)]

    async def groups(server: Server) -> Sequence[float]:
        return [await read_whole(server, "/groups", 10, GROUPS * IN_GROUP)]

    async def many(server: Server) -> Sequence[float]:
        cost, _, first_byte = await listened(server, FAST, count, size.seconds)
        return cost, first_byte

    async def first(server: Server) -> Sequence[float]:
        return await waited(server, SLOW, size.newcomers, PACE)

    return [
        Scene([f"a burst of {BURST} events"], burst, size.rounds, 1),
        Scene([f"groups of {IN_GROUP} events, 10 connections"], groups, size.rounds, size.warm_up),
        Scene(
            [f"at 20 events/s, {count} connections", "first byte at 20 events/s, p99"], many, size.listens, 0
        ),
        Scene(
            [f"{figure} of {size.newcomers} connections, {PACE} a second" for figure in WAITS],
            first,
            size.listens,
            0,
        ),
    ]


async def _costs(peers: Sequence[str], size: _Size) -> Found:
    with ExitStack() as stack:
        servers = {peer: stack.enter_context(running(peer)) for peer in peers}
        return await in_turns(servers, _scenes(size))


def _cost_table(costs: Found, peers: Sequence[str], count: int) -> Table:
    others = [peer for peer in peers if peer != OURS]
    rows: list[list[Cell]] = []
    for scene, by_peer in costs.items():
        ours = by_peer[OURS]
        assert not isinstance(ours, str)
        rows.append([scene, median(ours), *(ratio(by_peer[peer], ours) for peer in others)])
    return Table(
        "Streaming over uvicorn",
        f"How many times as long as {OURS} (`EventStream` inside of `SSEMiddleware`) each takes: processor time of the server for an "
        f"event; uvicorn with httptools and uvloop, each peer in a process of its own, in turns. {count} connections at 20 events/s may keep "
        "a processor busy; they are opened as fast as it takes them, and wait in line. The first byte, and the first whole event, are timed on the wall, from the request on, in a run of their own "
        f"where nobody does: {PACE} connections are opened a second, stay, and get two events a second each. Starlette, FastAPI, Litestar and Quart "
        "answer behind a route of theirs, as they are used; *Starlette 2.3* is its response for streams alone, without an application.",
        ["scene", "µs", *others],
        rows,
        ours="µs",
        peers=[peer for peer in others if peer not in {OURS_IN_STARLETTE, BARE}],
        bare=BARE,
    )


def _rest_table(rest: Mapping[str, _AtRest | str], count: int) -> Table:
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
        rows_of(rest, columns),
        ours=OURS,
        peers=[peer for peer in rest if peer not in {OURS, OURS_IN_STARLETTE, BARE}],
        bare=BARE,
    )
