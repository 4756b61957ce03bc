"""Many random checks of a parser against the reference."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

from sseware.testing import ParserFactory, PrefixMismatch, PrefixOracle
from sseware.testing._grammar import aimed_cuts
from sseware.wire import EventStreamParser

from .streams import random_chunks, random_stream

STANDARD = ("event", "data", "last_event_id")
ALL_FIELDS = (*STANDARD, "id", "retry")


@dataclass
class Tally:
    """What was checked: a check is one stream in one chunking, compared after every chunk."""

    seed: int
    checks: int = 0
    streams: int = 0
    prefixes: int = 0
    events: int = 0
    bytes: int = 0
    seconds: float = 0.0
    found: str = ""


class ReusedBuffer:
    """Feeds a parser from one buffer, and spoils it as soon as `feed` returns, as a socket's reader may."""

    def __init__(self, *, last_event_id: str) -> None:
        self._parser = EventStreamParser(last_event_id=last_event_id)
        self.close = self._parser.close

    @property
    def last_event_id(self) -> str:
        return self._parser.last_event_id

    @property
    def reconnection_time(self) -> int | None:
        return self._parser.reconnection_time

    def feed(self, chunk: bytes) -> Sequence[Any]:
        buffer = bytearray(chunk)
        events = self._parser.feed(memoryview(buffer))
        buffer[:] = b"\n" * len(buffer)
        return events


def longest_block(data: bytes) -> int:
    """The most bytes between two blank lines, before or after broken ones are replaced: no event is larger."""
    text = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return max(max(len(block), len(block.decode(errors="replace").encode())) for block in text.split(b"\n\n"))


def hunt(
    seed: int,
    checks: int,
    *,
    make_parser: ParserFactory | None = None,
    compare: Sequence[str] = ALL_FIELDS,
    chunkings: int = 8,
) -> Tally:
    """Checks random streams in random chunkings, until there is a mismatch or enough were checked.

    The parser is ours by default: fed with bytes, from a buffer that is reused, or under a limit that each event
    just keeps, so that it takes its chunks apart. A stream is interpreted once for all its chunkings.
    """
    rng = Random(seed)
    tally = Tally(seed)
    began = time.perf_counter()
    while tally.checks < checks:
        data = random_stream(rng)
        before = rng.choice(("", "", "seed"))
        oracle = PrefixOracle(data, last_event_id=before, compare=compare)
        cuts = aimed_cuts(data)
        tight = partial(EventStreamParser, max_event_size=longest_block(data) + 1)
        tally.streams += 1
        tally.bytes += len(data)
        for _ in range(min(chunkings, checks - tally.checks)):
            make = make_parser or rng.choice((EventStreamParser, EventStreamParser, ReusedBuffer, tight))
            tally.checks += 1
            try:
                tally.prefixes += oracle.check(make(last_event_id=before), random_chunks(rng, data, cuts))
            except PrefixMismatch as mismatch:
                tally.found = f"last_event_id={before!r}, {make}: {mismatch}"
                break
        tally.events += len(oracle.at(len(data)).events)
        if tally.found:
            break
    tally.seconds = time.perf_counter() - began
    return tally
