"""What does it cost to tell one thing to many: from ``publish`` to each subscriber, and to each one's ``send``?"""

from __future__ import annotations

import asyncio
from functools import partial
from statistics import median
from typing import Any

from sseware import EventStream
from sseware.plugins.chronos import Broker, Chronos, Event

from .exchange import exchange
from .plots import Plot
from .report import Report, Table
from .timing import in_turns, is_quick

__all__ = ["SUBSCRIBERS", "fan_out", "run"]

SUBSCRIBERS = (1, 10, 100, 1000, 10_000)
_EVENTS = 10


def run(rounds: int) -> Report:
    """Returns the table and its plot."""
    counts = [count for count in SUBSCRIBERS if count < 10_000 or not is_quick(rounds)]
    published: list[float] = []
    streamed: list[float] = []
    with asyncio.Runner() as runner:
        for count in counts:
            # A round with few subscribers is short; the same number of deliveries is timed in each.
            repeats = max(1, (250 if is_quick(rounds) else 1000) // count)
            works = {
                "published": partial(_repeat, runner, repeats, fan_out, count),
                "streamed": partial(_repeat, runner, repeats, stream_out, count),
            }
            seconds = in_turns(works, rounds if count < 10_000 else min(rounds, 3))
            each = repeats * count * _EVENTS / 1e6
            published.append(median(seconds["published"]) / each)
            streamed.append(median(seconds["streamed"]) / each)
    table = Table(
        "One broker, many subscribers",
        "µs of processor time for each subscriber and event. *To the subscriber*: `publish`, and the subscriber takes the "
        "item. *To send*: each subscriber is a whole stream of the Chronos dialect, set up and ended, and what is counted "
        "ends with its `send`; a stream gets ten events.",
        ["subscribers", "to the subscriber", "to send"],
        [[str(count), a, b] for count, a, b in zip(counts, published, streamed, strict=True)],
    )
    plot = Plot(
        "fanout",
        "Telling one thing to many",
        "lines",
        counts,
        "subscribers",
        "µs for each subscriber and event",
        {"to the subscriber": published, "to send": streamed},
    )
    return Report("fanout", (), rounds, [table], plots=(plot,))


def _repeat(runner: asyncio.Runner, times: int, work: Any, count: int) -> None:
    for _ in range(times):
        runner.run(work(count))


async def fan_out(count: int) -> int:
    """Publishes to a number of subscribers that each take everything; returns how many events they took."""
    broker = Broker()
    subscriptions = [broker.subscribe() for _ in range(count)]
    for number in range(_EVENTS):
        broker.publish(Event("tick", {"number": number}))
    taken = 0
    for subscription in subscriptions:
        for _ in range(_EVENTS):
            await anext(subscription)
            taken += 1
        subscription.close()
    return taken


async def stream_out(count: int) -> int:
    """The same over whole streams; returns how many events went to ``send``."""
    broker = Broker()
    dialect = Chronos()
    sent = 0

    def count_events(message: Any) -> None:
        nonlocal sent
        sent += message.get("body", b"").count(b'"number"')

    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(exchange(EventStream(broker.events(), dialect=dialect), count_events))
        while broker.statistics().subscribers < count:  # noqa: ASYNC110  # a broker has no such event
            await asyncio.sleep(0)
        for number in range(_EVENTS):
            broker.publish(Event("tick", {"number": number}))
            await asyncio.sleep(0)
        broker.close()
    return sent
