"""How do cost and memory grow: with events, chunks, data lines, connections and subscribers?"""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from statistics import median
from typing import Any, TypeAlias

from sseware import EventStream, ServerSentEvent, encode
from sseware.plugins.chronos import Broker, Event
from sseware.wire import EventStreamParser

from .corpora import chunked
from .exchange import exchange
from .medians import Median
from .plots import Plot
from .report import Report, Table
from .timing import in_turns, ratio

__all__ = ["FACTORS", "run"]

FACTORS = (1, 2, 4, 8)

Work: TypeAlias = Callable[[], object]


def run(rounds: int) -> Report:
    """Returns the tables and their plots."""
    with asyncio.Runner() as runner:
        times = _times(runner)
        costs = {name: _cost(make, rounds) for name, make in times.items()}
    with asyncio.Runner() as runner:
        memory = {name: _memory(runner, make) for name, make in _MEMORY.items()}
    columns = [*(f"x {factor}" for factor in FACTORS), "8 to 1"]
    time_table = Table(
        "Time, by size",
        "Milliseconds; the last column is the median of the ratios. Linear work takes eight times as long, or less where "
        "something is done once.",
        ["of", *columns],
        [[name, *values, growth] for name, (values, growth) in costs.items()],
    )
    memory_table = Table(
        "Memory, by number",
        "KiB of Python objects at rest, by `tracemalloc`, everything collected.",
        ["of", *columns],
        [[name, *values, values[-1] / values[0]] for name, values in memory.items()],
    )
    plots = (
        _plot("growth-time", "Time, by size", "ms", {name: values for name, (values, _) in costs.items()}),
        _plot("growth-memory", "Memory at rest, by number", "KiB", memory),
    )
    return Report("growth", (), rounds, [time_table, memory_table], plots=plots)


def _plot(name: str, title: str, unit: str, series: dict[str, list[float]]) -> Plot:
    return Plot(name, title, "lines", FACTORS, "times the smallest", unit, series)


def _cost(make: Callable[[int], Work], rounds: int) -> tuple[list[float], Median]:
    works = {str(factor): make(factor) for factor in FACTORS}
    seconds = in_turns(works, rounds)
    values = [median(seconds[str(factor)]) * 1e3 for factor in FACTORS]
    return values, ratio(seconds, str(FACTORS[-1]), str(FACTORS[0]))


def _times(runner: asyncio.Runner) -> dict[str, Callable[[int], Work]]:
    return {
        "reading one event, its bytes (256 KiB, in chunks of 4 KiB)": _read_large,
        "reading a stream, the bytes of a chunk (1 KiB)": _read_chunks,
        "reading one event, its data lines (2 500)": _read_lines,
        "writing one event, its bytes (256 KiB)": _write_large,
        "writing one event, its data lines (2 500)": _write_lines,
        "streaming, the events of a stream (500)": partial(_stream, runner),
        "streaming, the connections (50)": partial(_connections, runner),
        "publishing, the subscribers (100)": partial(_publish, runner),
    }


def _parse(chunks: Sequence[bytes]) -> object:
    parser = EventStreamParser()
    return [event for chunk in chunks for event in parser.feed(chunk)]


def _read_large(factor: int) -> Work:
    return partial(_parse, chunked([b"data: " + b"x" * (factor * 2**18) + b"\n\n"], 4096))


def _read_chunks(factor: int) -> Work:
    # The stream is the same: it may only get cheaper.
    return partial(_parse, chunked([b"data: a small delta\n\n"] * 20_000, 1024 * factor))


def _read_lines(factor: int) -> Work:
    return partial(_parse, chunked([b"data: a line\n" * (factor * 2500) + b"\n"], 4096))


def _write_large(factor: int) -> Work:
    event = ServerSentEvent("x" * (factor * 2**18))
    return lambda: encode(event)


def _write_lines(factor: int) -> Work:
    event = ServerSentEvent("a line\n" * (factor * 2500))
    return lambda: encode(event)


async def _words(count: int) -> AsyncIterator[str]:
    for _ in range(count):
        yield "a small delta"


def _stream(runner: asyncio.Runner, factor: int) -> Work:
    return lambda: runner.run(exchange(_plain(_words(500 * factor))))


def _connections(runner: asyncio.Runner, factor: int) -> Work:
    async def all_of_them() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(50 * factor):
                group.create_task(exchange(_plain(_words(5))))

    return lambda: runner.run(all_of_them())


def _plain(content: AsyncIterator[str]) -> EventStream:
    return EventStream(content, dialect="plain")


def _publish(runner: asyncio.Runner, factor: int) -> Work:
    async def fan_out() -> None:
        broker = Broker()
        subscriptions = [broker.subscribe() for _ in range(100 * factor)]
        for number in range(20):
            broker.publish(Event("tick", {"number": number}))
        for subscription in subscriptions:
            for _ in range(20):
                await anext(subscription)
            subscription.close()

    return lambda: runner.run(fan_out())


async def _endless() -> AsyncIterator[str]:
    yield "the first"
    await asyncio.Event().wait()


async def _idle_streams(count: int, measure: Callable[[], float]) -> float:
    gone = asyncio.Event()
    before = measure()
    tasks = [asyncio.create_task(exchange(_plain(_endless()), gone=gone)) for _ in range(count)]
    for _ in range(10):
        await asyncio.sleep(0)
    grown = measure() - before
    gone.set()
    await asyncio.gather(*tasks)
    return grown


async def _idle_subscribers(count: int, measure: Callable[[], float]) -> float:
    before = measure()
    broker = Broker()
    subscriptions = [broker.subscribe() for _ in range(count)]
    grown = measure() - before
    for subscription in subscriptions:
        subscription.close()
    return grown


async def _pending_bytes(count: int, measure: Callable[[], float]) -> float:
    before = measure()
    parser = EventStreamParser()
    for _ in range(count):
        parser.feed(b"data: " + b"x" * 1017 + b"\n")
    return measure() - before


_MEMORY: dict[str, Callable[[int, Callable[[], float]], Any]] = {
    "streams at rest (50)": lambda factor, measure: _idle_streams(50 * factor, measure),
    "subscribers of a broker (50)": lambda factor, measure: _idle_subscribers(50 * factor, measure),
    "an unfinished event (128 KiB)": lambda factor, measure: _pending_bytes(128 * factor, measure),
}


def _memory(runner: asyncio.Runner, make: Callable[[int, Callable[[], float]], Any]) -> list[float]:
    runner.run(make(1, _in_use))  # what is made once is not counted
    tracemalloc.start()
    try:
        return [runner.run(make(factor, _in_use)) for factor in FACTORS]
    finally:
        tracemalloc.stop()


def _in_use() -> float:
    gc.collect()
    return tracemalloc.get_traced_memory()[0] / 1024
