"""What does an event cost on each server: in bursts, and one at a time?"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from statistics import median
from typing import TypeAlias

import msgspec

from .driver_peers import BARE, OURS, measurable
from .medians import Cell
from .report import Report, Table
from .server_process import Server, running
from .server_scenes import Found, Scene, in_turns, listened, ratio, read_whole
from .servers import startable
from .timing import is_quick

__all__ = ["PEERS", "run"]

PEERS = (OURS, "sse-starlette", "Starlette 2.3", BARE)

Busy: TypeAlias = dict[str, list[float]]
"""By figure, how much of a processor each peer's server used each time."""


class _Load(msgspec.Struct, frozen=True):
    """How many listen, and to what.

    Attributes:
        connections: How many.
        burst: How many events a stream has that does not wait.
        pause: How many milliseconds there are between two events of a stream that does not end; ``None`` where there
            is no such stream. 500 events a second (of one stream) to 2 000 are what no server here is busy with.
    """

    connections: int
    burst: int
    pause: int | None

    @property
    def clients(self) -> str:
        return "1 connection" if self.connections == 1 else f"{self.connections} connections"


class _Size(msgspec.Struct, frozen=True):
    """How much is measured.

    Attributes:
        rounds: How often each peer does everything.
        loads: Under which loads.
        seconds: For how long each peer's streams are listened to.
    """

    rounds: int
    loads: tuple[_Load, ...]
    seconds: float


_FULL = _Size(2, (_Load(1, 20_000, 2), _Load(100, 200, 50), _Load(1000, 20, 500)), seconds=1.0)
_QUICK = _Size(1, (_Load(1, 2_000, None), _Load(50, 40, 50)), seconds=0.3)


def run(rounds: int) -> Report:
    """Returns the table."""
    size = _QUICK if is_quick(rounds) else _FULL
    peers = [peer for peer in PEERS if peer in measurable().found]
    rows: list[list[Cell]] = []
    with asyncio.Runner() as runner:
        for engine in startable().found:
            found, busy = runner.run(_costs(engine, peers, size))
            rows += _rows(engine, found, busy, peers)
    table = _table(rows, peers)
    left_out = {name: why for name, why in measurable().left_out.items() if name in PEERS}
    return Report(
        "servers",
        _distributions(),
        size.rounds,
        [table],
        clock="processor time of the server's process, with all its threads",
        plots=[
            table.bars(
                f"servers-{name}", [*table.peers, BARE], y_label=f"times as long as {OURS}", rows=scene
            )
            for name, scene in (("burst", _burst(size.loads[1])), ("ticks", _ticks(size.loads[1])))
        ],
        left_out={**left_out, **startable().left_out},
    )


def _distributions() -> tuple[str, ...]:
    of_engines = [name for engine in startable().found.values() for name in engine.distributions]
    return tuple(dict.fromkeys([*of_engines, "sse-starlette", "starlette"]))


def _burst(load: _Load) -> str:
    return f"a burst of {load.burst} events"


def _ticks(load: _Load) -> str:
    return f"one event every {load.pause} ms"


def _scenes(size: _Size, busy: Busy) -> list[Scene]:
    async def burst(load: _Load, server: Server) -> Sequence[float]:
        return [await read_whole(server, f"/burst/{load.burst}", load.connections, load.burst)]

    async def ticks(load: _Load, pause: int, name: str, server: Server) -> Sequence[float]:
        cost, share, _ = await listened(server, pause, load.connections, size.seconds)
        busy.setdefault(name, []).append(share)
        return [cost]

    scenes = []
    for load in size.loads:
        # What the first request loads is loaded once.
        warm_up = 1 if not scenes else 0
        scenes.append(Scene([f"{load.clients}, {_burst(load)}"], partial(burst, load), size.rounds, warm_up))
        if load.pause is not None:
            name = f"{load.clients}, {_ticks(load)}"
            scenes.append(Scene([name], partial(ticks, load, load.pause, name), size.rounds, 0))
    return scenes


async def _costs(engine: str, peers: Sequence[str], size: _Size) -> tuple[Found, Busy]:
    busy: Busy = {}
    with ExitStack() as stack:
        servers = {peer: stack.enter_context(running(peer, engine)) for peer in peers}
        return await in_turns(servers, _scenes(size, busy)), busy


def _rows(
    engine: str, found: Found, busy: Mapping[str, Sequence[float]], peers: Sequence[str]
) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for name, by_peer in found.items():
        ours = by_peer[OURS]
        assert not isinstance(ours, str)
        others = [ratio(by_peer[peer], ours) for peer in peers if peer != OURS]
        share: str | float = max(busy[name]) if name in busy else "-"
        rows.append([engine, *name.split(", "), median(ours), *others, share])
    return rows


def _table(rows: Sequence[Sequence[Cell]], peers: Sequence[str]) -> Table:
    others = [peer for peer in peers if peer != OURS]
    return Table(
        "Streaming over each server",
        f"How many times the processor time of {OURS} (`EventStream` inside of `SSEMiddleware`) each needs of the server for an event; "
        "each server has one worker in one process, with one event loop, and every peer a process of its own, in turns. A burst is "
        "a whole stream, its beginning and end included, and all clients ask for it at a time. Where there is a pause, each event is a "
        "wake-up, and only what comes while all are connected counts; *busiest* is how much of a processor the dearest peer used "
        "then: far below 1, nobody waits in line.",
        ["server", "clients", "each gets", "µs", *others, "busiest"],
        rows,
        ours="µs",
        peers=[peer for peer in others if peer != BARE],
        bare=BARE,
    )
