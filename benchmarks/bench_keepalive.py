"""What do streams cost that have nothing to tell, and only keep their connections alive?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from functools import partial

import msgspec

from .driver_peers import DISTRIBUTIONS, OURS, measurable
from .report import Report, Table, rows_of
from .server_process import Client, Server, allow_descriptors, closed, opened
from .server_scenes import PATIENCE, at_once
from .servers import ENGINES, UVICORN
from .timing import is_quick

__all__ = ["PEERS", "run"]

PEERS = (OURS, "sse-starlette in Starlette", "FastAPI")
"""Those that send something by themselves where a handler is silent; every 15 s, each of them."""


class _Size(msgspec.Struct, frozen=True):
    """How much is measured.

    Attributes:
        connections: How many are opened.
        seconds: For how long they are listened to: three keepalives, or one.
        at_once: How many servers are listened to at one time.
    """

    connections: int
    seconds: float
    at_once: int


_FULL = _Size(5000, 45.0, 1)
_QUICK = _Size(200, 15.0, len(PEERS))


class _Cost(msgspec.Struct, frozen=True):
    """What they cost.

    Attributes:
        percent: Of one processor.
        keepalives: How many each stream has had.
        each: Microseconds of a processor for one of these; all that a stream costs meanwhile is in it.
    """

    percent: float
    keepalives: float
    each: float


class _Listener(Client):
    """A client that counts comments.

    Attributes:
        comments: How many have come. None is cut in two: each is written by itself.
    """

    comments = 0

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self.comments += data.count(b"\n:")


async def _listened(server: Server, count: int, seconds: float) -> _Cost:
    clients = await opened(server, "/idle", count, client=_Listener)
    heard, before, start = _heard(clients), await server.figures(), time.perf_counter()
    await asyncio.sleep(seconds)
    after, end = await server.figures(), time.perf_counter()
    heard = _heard(clients) - heard
    alive = sum(not client.over.is_set() for client in clients)
    await closed(clients)
    if alive < count:
        raise ValueError(f"{count - alive} of {count} streams have ended")
    if not heard:
        raise ValueError(f"no keepalive in {seconds:.0f} s")
    spent = after["seconds"] - before["after"]
    return _Cost(percent=100 * spent / (end - start), keepalives=heard / count, each=spent / heard * 1e6)


def _heard(clients: Sequence[_Listener]) -> int:
    return sum(client.comments for client in clients)


def run(rounds: int) -> Report:
    """Returns the table."""
    size = _QUICK if is_quick(rounds) else _FULL
    allow_descriptors(size.connections + 100)
    peers = [peer for peer in PEERS if peer in measurable().found]
    costs: dict[str, _Cost | str] = {}
    measure = partial(_listened, count=size.connections, seconds=size.seconds)
    with asyncio.Runner() as runner:
        for first in range(0, len(peers), size.at_once):
            some = peers[first : first + size.at_once]
            costs |= runner.run(at_once(some, measure, size.seconds + PATIENCE))
    return Report(
        "keepalive",
        (*ENGINES[UVICORN].distributions, *DISTRIBUTIONS),
        1,
        [_table(costs, size)],
        clock="processor time of the server's process",
        left_out={peer: why for peer, why in measurable().left_out.items() if peer in PEERS},
    )


def _table(costs: dict[str, _Cost | str], size: _Size) -> Table:
    columns = {
        "% of a processor": "percent",
        "keepalives a stream": "keepalives",
        "µs a keepalive": "each",
    }
    return Table(
        "Streams that are kept alive",
        f"{size.connections} streams over uvicorn (httptools, uvloop) that have had one event and wait, listened to for {size.seconds:.0f} s. "
        "Each peer keeps them alive as it does by default. Starlette, Litestar and Quart send nothing by themselves, and are not here.",
        ["peer", *columns],
        rows_of(costs, columns),
        ours=OURS,
        peers=[peer for peer in costs if peer != OURS],
    )
