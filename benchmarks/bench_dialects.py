"""What does an event cost in each dialect, from an item to bytes and back?"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from statistics import median

from sseware.dialects import AnItem, ChunkEncoder, Dialect, StreamContext, get_dialect
from sseware.items import Data, Finish, Text, ToolCall
from sseware.plugins.ash import Ash
from sseware.plugins.chronos import Chronos
from sseware.plugins.hector import Hector
from sseware.plugins.machpay import MachPay
from sseware.wire import EventStreamParser

from .report import Report, Table
from .timing import in_turns

__all__ = ["DIALECTS", "ITEMS", "decoded", "encoded", "run"]

_EVENTS = 2000
_WORDS = ("Once ", "upon ", "a ", "time, ", "naïve ", "streams ", "were ", "“quoted” ")

DIALECTS: dict[str, Dialect] = {
    "plain": get_dialect("plain"),
    "husk": get_dialect("husk"),
    "machpay": MachPay(),
    "machpay, unnamed": MachPay(chunk_event=None),
    "ash, partial": Ash(include_partial_messages=True),
    "ash, granular": Ash(include_partial_messages=True, granular=True),
    "hector": Hector(),
    "hector, chunks of 2": Hector(chunk_size=2),
    "chronos": Chronos(),
    "chronos, named": Chronos(named=True),
}

ITEMS: dict[str, Sequence[AnItem]] = {
    "text": [Text(_WORDS[i % len(_WORDS)]) for i in range(_EVENTS)],
    "data": [Data({"step": i, "of": _EVENTS, "label": _WORDS[i % len(_WORDS)]}) for i in range(_EVENTS)],
    "tool call": [ToolCall(f"t{i}", "look_up", {"word": "once", "limit": i}) for i in range(_EVENTS)],
}


def encoded(dialect: Dialect, items: Sequence[AnItem]) -> list[bytes]:
    """Encodes a whole stream, as the driver does."""
    encoder = ChunkEncoder(dialect.open(StreamContext()), {})
    chunks = [encoder.encode(item) for item in items]
    chunks.append(encoder.encode(Finish()) + encoder.finish())
    return chunks


def decoded(dialect: Dialect, body: bytes) -> list[AnItem]:
    """Decodes a whole stream."""
    decoder = dialect.decoder()
    items = [item for event in EventStreamParser().feed(body) for item in decoder.decode(event)]
    decoder.close()
    return items


def run(rounds: int) -> Report:
    """Returns the tables."""
    writes: list[list[str | float]] = [[name] for name in DIALECTS]
    reads: list[list[str | float]] = [[name] for name in DIALECTS]
    for items in ITEMS.values():
        seconds = in_turns({name: partial(encoded, each, items) for name, each in DIALECTS.items()}, rounds)
        bodies = {name: b"".join(encoded(each, items)) for name, each in DIALECTS.items()}
        for row, name in zip(writes, DIALECTS, strict=True):
            row.append(median(seconds[name]) / _EVENTS * 1e6)
        works = {name: partial(decoded, each, bodies[name]) for name, each in DIALECTS.items()}
        seconds = in_turns(works, rounds)
        for row, name in zip(reads, DIALECTS, strict=True):
            row.append(median(seconds[name]) / _EVENTS * 1e6)
    note = f"Microseconds an item, over {_EVENTS} items. What a dialect leaves out costs what it costs to see that."
    columns = ["dialect", *ITEMS]
    tables = [
        Table("From an item to bytes", note, columns, writes),
        Table("From bytes to an item", note + " The bytes are one chunk.", columns, reads),
    ]
    plots = [
        table.bars(name, list(ITEMS), y_label="µs an item", level=None)
        for name, table in zip(("dialects-write", "dialects-read"), tables, strict=True)
    ]
    return Report("dialects", (), rounds, tables, plots=plots)
