"""How fast is an event written, from a text and from a JSON value?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from statistics import median
from typing import Any

from .corpora import PAYLOADS, TEXTS
from .encode_peers import BARE, DISTRIBUTIONS, OURS, Encode, json_encoders, text_encoders
from .medians import Cell
from .report import Report, Table
from .timing import in_turns, ratio, short_turns

__all__ = ["run"]

_NOTE = (
    f"How many times as long as {OURS} each takes, the event object included. *Of bare*: what an f-string takes (and `json`), which "
    "checks nothing, of our time. A dict is written as a stream writes those of its handler; *an event each*: as a dialect writes an "
    "event of its own."
)

_IN_A_ROUND = 5


def run(rounds: int) -> Report:
    """Returns the tables."""
    of_texts, of_values = text_encoders(), json_encoders()
    turns = short_turns(rounds, _IN_A_ROUND)
    texts = _table("Writing a text, with an event type", TEXTS, of_texts.found, turns)
    values = _table("Writing a dict as JSON, with an event type", PAYLOADS, of_values.found, turns)
    plots = [
        table.bars(name, ("sse-starlette", "fastapi", "litestar"), y_label=f"times as long as {OURS}")
        for name, table in (("encode-text", texts), ("encode-dict", values))
    ]
    left_out = of_texts.left_out | of_values.left_out
    return Report("encode", DISTRIBUTIONS, turns, [texts, values], plots=plots, left_out=left_out)


def _table(
    title: str, corpora: Mapping[str, Sequence[Any]], encoders: dict[str, Encode], turns: int
) -> Table:
    peers = [name for name in encoders if name not in {OURS, BARE}]
    rows: list[list[Cell]] = []
    for corpus, values in corpora.items():
        works = {name: partial(encode, values) for name, encode in encoders.items()}
        seconds = in_turns(works, turns)
        ours = median(seconds[OURS]) / len(values) * 1e6
        bare = f"{ratio(seconds, BARE, OURS):.0%}"
        rows.append([corpus, ours, bare, *(ratio(seconds, name, OURS) for name in peers)])
    columns = ["data", "µs an event", "of bare", *peers]
    others = [name for name in peers if not name.startswith(OURS)]
    return Table(title, _NOTE, columns, rows, ours="µs an event", peers=others, bare="of bare")
