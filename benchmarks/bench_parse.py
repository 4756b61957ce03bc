"""How fast is a stream parsed, of which shape and cut into which chunks, and does the time grow linearly?"""

from __future__ import annotations

import math
from functools import partial
from statistics import median

from .corpora import CHUNKINGS, GROWTHS, SHAPES, Shape, chunked
from .medians import Cell, Median
from .parse_peers import BARE, DISTRIBUTIONS, OURS, Parse, measurable, parsers
from .report import Report, Table
from .timing import Seconds, in_turns, is_quick, ratio

__all__ = ["run"]

# Several parsers are quadratic where a line comes in many pieces; they would take minutes.
_SLOW = {("1 MB lines", "1 KiB"): {"openai", "anthropic", "sseclient-py"}}
_MEGABYTE = 10**6


def run(rounds: int) -> Report:
    """Returns the tables."""
    peers = parsers()
    rows = [_row(shape, chunking, peers, rounds) for shape in SHAPES.values() for chunking in CHUNKINGS]
    others = [name for name in peers if name not in {OURS, BARE}]
    shapes = Table(
        "Parsing, by shape and chunk",
        f"How many times as long as {OURS} each takes. *Of bare*: what `split` and `decode` take, without fields, events "
        "or whatever spans two chunks, of our time. In brackets: it finds another number of events.",
        ["shape", "chunk", "µs an event", "of bare", "best peer", *others],
        rows,
        ours="µs an event",
        peers=others,
        bare="of bare",
    )
    plots = [
        shapes.bars(f"parse-{name}", others, y_label=f"times as long as {OURS}", rows=chunking)
        for name, chunking in (("events", "one event"), ("chunks", "16 KiB"))
    ]
    tables = [shapes, _growth(rounds)]
    return Report("parse", DISTRIBUTIONS, rounds, tables, plots=plots, left_out=measurable().left_out)


def _row(shape: Shape, chunking: str, peers: dict[str, Parse], rounds: int) -> list[Cell]:
    chunks = chunked(shape.blocks, CHUNKINGS[chunking])
    slow = _SLOW.get((shape.name, chunking), set())
    works = {name: partial(parse, chunks) for name, parse in peers.items() if name not in slow}
    counts = {name: len(work()) for name, work in works.items()}
    if counts[OURS] != shape.events:
        raise AssertionError(f"{shape.name}, {chunking}: {counts[OURS]} events, not {shape.events}")
    # They are warm: each has just parsed all of it once.
    seconds = in_turns(works, rounds, warm_up=0)
    ratios = {name: ratio(seconds, name, OURS) for name in works if name not in {OURS, BARE}}
    cells = [_cell(name, ratios, counts, shape.events) for name in peers if name not in {OURS, BARE}]
    ours = median(seconds[OURS]) / shape.events * 1e6
    best = min(ratios.values(), key=lambda each: each.value, default=Median(math.nan))
    return [shape.name, chunking, ours, f"{ratio(seconds, BARE, OURS):.0%}", best, *cells]


def _cell(name: str, ratios: dict[str, Median], counts: dict[str, int], events: int) -> Cell:
    if name not in ratios:
        return "minutes"
    return ratios[name] if counts[name] == events else f"({ratios[name]:.2f})"


def _growth(rounds: int) -> Table:
    parse = parsers()[OURS]
    rows: list[list[Cell]] = []
    small, large = (1, 2) if is_quick(rounds) else (5, 10)
    for name, make in GROWTHS.items():
        sizes = {str(size): partial(parse, make(size * _MEGABYTE)) for size in (small, large)}
        seconds: Seconds = in_turns(sizes, rounds if is_quick(rounds) else rounds // 3)
        rows.append([name, median(seconds[str(large)]) * 1e3, ratio(seconds, str(large), str(small))])
    note = f"{OURS} alone. Linear work takes twice as long for {large} MB as for {small} MB."
    return Table("Parsing, by size", note, ["stream", "ms", "twice the bytes"], rows)
