"""What does a stream cost on the server's side, in process: an event of a burst, an event at a time, a whole stream?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from statistics import median

import msgspec

from .driver_peers import BARE, DISTRIBUTIONS, IN_STARLETTE, OURS, measurable
from .exchange import Application, exchange
from .medians import Cell
from .report import Report, Table
from .timing import in_turns, ratio, short_turns

__all__ = ["SCENES", "Scene", "run"]

_TEXT = "the quick brown fox jumps over the lazy dog"


async def _burst(count: int, before: str, after: str) -> AsyncIterator[str]:
    for _ in range(count):
        yield f"{before}{_TEXT}{after}"


async def _one_by_one(count: int, before: str, after: str) -> AsyncIterator[str]:
    for _ in range(count):
        await asyncio.sleep(0)
        yield f"{before}{_TEXT}{after}"


async def _by_timer(count: int, before: str, after: str) -> AsyncIterator[str]:
    for _ in range(count):
        await asyncio.sleep(1e-6)
        yield f"{before}{_TEXT}{after}"


class Scene(msgspec.Struct, frozen=True):
    """What is done.

    Attributes:
        name: What it is called.
        handler: Makes the handler, for a number of events.
        events: How many events a stream has.
        streams: How many streams there are, one after the other.
        each: What the time is given for: an event, or a stream.
    """

    name: str
    handler: Callable[[int, str, str], AsyncIterator[str]]
    events: int
    streams: int
    each: str

    @property
    def count(self) -> int:
        """How often it is done."""
        return self.streams * (self.events if self.each == "event" else 1)


SCENES = (
    Scene("a handler that never suspends", _burst, 2000, 1, "event"),
    Scene("one event per turn of the loop", _one_by_one, 1000, 1, "event"),
    Scene("one event per wake-up, by a timer", _by_timer, 500, 1, "event"),
    Scene("setting up and ending a stream", _burst, 1, 100, "stream"),
)
_IN_A_ROUND = 10


def run(rounds: int) -> Report:
    """Returns the table."""
    makers = {name: make for name, make in measurable().found.items() if name not in IN_STARLETTE}
    others = [name for name in makers if name != OURS]
    turns = short_turns(rounds, _IN_A_ROUND)
    rows: list[list[Cell]] = []
    with asyncio.Runner() as runner:
        for scene in SCENES:
            works = {
                name: partial(_run, runner, make(partial(scene.handler, scene.events)), scene)
                for name, make in makers.items()
            }
            seconds = in_turns(works, turns)
            ours = median(seconds[OURS]) / scene.count * 1e6
            rows.append([scene.name, scene.each, ours, *(ratio(seconds, name, OURS) for name in others)])
    table = Table(
        "Streaming, in process",
        f"How many times as long as {OURS} (`EventStream`, without a middleware) each takes, on asyncio, with a server "
        f"that takes every message at once. *{BARE.capitalize()}*: `async for` and `send`, and nothing else: no "
        "disconnect, no keepalive, no deadline, no task. FastAPI, Litestar and Quart answer behind a route of theirs.",
        ["scene", "of each", "µs", *others],
        rows,
        ours="µs",
        peers=[name for name in others if name not in {"SSEMiddleware", BARE}],
        bare=BARE,
    )
    plot = table.bars("driver", others, y_label=f"times as long as {OURS}")
    return Report("driver", DISTRIBUTIONS, turns, [table], plots=[plot], left_out=measurable().left_out)


def _run(runner: asyncio.Runner, app: Application, scene: Scene) -> None:
    runner.run(_streams(app, scene))


async def _streams(app: Application, scene: Scene) -> None:
    for _ in range(scene.streams):
        await exchange(app)
