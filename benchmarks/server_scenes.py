"""What is done to servers in turns, and what it has cost each of them."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from statistics import median
from typing import Any, TypeAlias, TypeVar

import msgspec

from .driver_peers import OURS
from .medians import Median
from .peers import reason
from .server_process import Client, Server, closed, opened, running

__all__ = [
    "PATIENCE",
    "Found",
    "Scene",
    "at_once",
    "in_turns",
    "listened",
    "listening",
    "ratio",
    "read_whole",
    "waited",
]

PATIENCE = 60.0

T = TypeVar("T")

Measure: TypeAlias = Callable[[Server], Coroutine[Any, Any, Sequence[float]]]

Found: TypeAlias = dict[str, dict[str, list[float] | str]]
"""By figure and peer, what was measured in each round; or why it was not."""


class Scene(msgspec.Struct, frozen=True):
    """What is streamed.

    Attributes:
        figures: What it tells, by name.
        measure: Does it once, and returns the figures.
        rounds: How often it is done.
        warm_up: How often it is done before that.
    """

    figures: Sequence[str]
    measure: Measure
    rounds: int
    warm_up: int


async def in_turns(servers: Mapping[str, Server], scenes: Sequence[Scene]) -> Found:
    """Does each scene to each peer's server, in another order each round."""
    found: Found = {}
    peers = list(servers)
    for scene in scenes:
        found |= {name: {peer: [] for peer in peers} for name in scene.figures}
        for turn in range(-scene.warm_up, scene.rounds):
            shift = turn % len(peers)
            for peer in [*peers[shift:], *peers[:shift]]:
                await _turn(found, scene, peer, servers[peer], counts=turn >= 0)
    return found


async def _turn(found: Found, scene: Scene, peer: str, server: Server, *, counts: bool) -> None:
    """Measures once and notes it; or of a peer that fails why, and leaves it alone from then on."""
    if isinstance(found[scene.figures[0]][peer], str):
        return
    try:
        figures = await asyncio.wait_for(scene.measure(server), PATIENCE)
    except Exception as exc:
        if peer == OURS:
            raise
        for name in scene.figures:
            found[name][peer] = reason(exc)
        return
    for name, figure in zip(scene.figures, figures, strict=True):
        noted = found[name][peer]
        if counts and isinstance(noted, list):
            noted.append(figure)


async def at_once(
    peers: Sequence[str], measure: Callable[[Server], Coroutine[Any, Any, T]], patience: float = PATIENCE
) -> dict[str, T | str]:
    """Does the same to a server of each peer at one time; returns what was found, or why there is nothing."""

    async def one(peer: str) -> T | str:
        with running(peer) as server:
            try:
                return await asyncio.wait_for(measure(server), patience)
            except Exception as exc:
                if peer == OURS:
                    raise
                return reason(exc)

    return dict(zip(peers, await asyncio.gather(*map(one, peers)), strict=True))


async def read_whole(server: Server, path: str, count: int, events: int) -> float:
    """Reads streams to their end; returns the microseconds of an event."""
    before = await server.figures()
    clients = await opened(server, path, count)
    for client in clients:
        await client.over.wait()
    after = await server.figures()
    if not all(client.events == events and client.is_clean for client in clients):
        raise ValueError(f"not {events} events and a clean end for each client")
    return (after["seconds"] - before["after"]) / (count * events) * 1e6


async def listened(server: Server, pause: int, count: int, seconds: float) -> tuple[float, float, float]:
    """Listens to streams that do not end.

    Args:
        server: Whose.
        pause: How many milliseconds there are between two events of one.
        count: How many streams.
        seconds: For how long.

    Returns:
        The microseconds of an event, how much of a processor was used, and the microseconds to the first byte, p99, where
        all of them are opened at once.
    """
    async with listening(server, pause, count) as clients:
        await asyncio.sleep(0.2)
        before, seen, start = await server.figures(), _events(clients), time.perf_counter()
        await asyncio.sleep(seconds)
        after, now, end = await server.figures(), _events(clients), time.perf_counter()
    spent = after["seconds"] - before["after"]
    first_bytes = sorted(client.first_byte for client in clients)
    return spent / (now - seen) * 1e6, spent / (end - start), first_bytes[int(count * 0.99)] * 1e6


async def waited(server: Server, pause: int, count: int, pace: float) -> tuple[float, float, float]:
    """Opens streams that do not end.

    Args:
        server: Whose.
        pause: How many milliseconds there are between two events of one.
        count: How many streams.
        pace: How many a second.

    Returns:
        The microseconds to the first byte: the median, and what only one in a hundred waits for longer; and that of the
        first event.
    """
    async with listening(server, pause, count, pace) as clients:
        first_bytes = sorted(client.first_byte for client in clients)
        first_events = sorted(client.first_event for client in clients)
    last = int(count * 0.99)
    return median(first_bytes) * 1e6, first_bytes[last] * 1e6, first_events[last] * 1e6


@asynccontextmanager
async def listening(
    server: Server, pause: int, count: int, pace: float = math.inf
) -> AsyncIterator[list[Client]]:
    """Opens streams that do not end; closes them, and waits until the server has cleaned up, which is another matter."""
    empty = await server.figures()
    clients = await opened(server, f"/ticks/{pause}", count, pace)
    try:
        yield clients
    finally:
        await closed(clients)
    await server.hush()
    # Then even those have ended that never look whether anybody is there.
    await asyncio.sleep(pause / 1000 + 0.1)
    while (await server.figures())["tasks"] > empty["tasks"]:  # noqa: ASYNC110  # of another process
        await asyncio.sleep(0.1)


def _events(clients: Sequence[Client]) -> int:
    return sum(client.events for client in clients)


def ratio(theirs: Sequence[float] | str, ours: Sequence[float]) -> Median | str:
    """Returns how many times ours is theirs, over the rounds; or why it is not known."""
    if isinstance(theirs, str):
        return theirs
    return Median.of([a / b for a, b in zip(theirs, ours, strict=True)])
