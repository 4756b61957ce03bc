"""Whether what was found is what is wanted: the performance table, beside the best peer and the bare limit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from .medians import Median
from .report import Table
from .targets import TARGETS, Target

__all__ = ["Verdict", "judge", "number", "verdicts"]

Plain: TypeAlias = Mapping[str, Any]
"""A report, or a table, as JSON has it."""

NOTE = (
    "What is wanted and found are ratios where the work is beside another: how many times as long as sseware the other takes, the median "
    "of rounds in which everybody takes a turn, ± half of what lies between their quartiles. The best peer is the fastest of all that were measured with that row; the bare limit is "
    "what does the least that can be done, and checks nothing."
)


class Verdict(msgspec.Struct, frozen=True):
    """Whether it is so.

    Attributes:
        target: What was wanted.
        found: The figure, with its spread where it has one; ``None`` where it was not measured.
        holds: Whether it will do; ``None`` where it was not measured.
        measured: The row where it was found.
        ours: Our figure there.
        best_peer: The best peer's, with its name.
        bare: The bare limit's.
    """

    target: Target
    found: Median | None
    holds: bool | None
    measured: str = "-"
    ours: str = "-"
    best_peer: str = "-"
    bare: str = "-"


class _Place(msgspec.Struct, frozen=True):
    """A figure that fits a target, and where it stands."""

    figure: Median
    table: Plain
    row: Sequence[str | float]


def number(cell: object) -> float | None:
    """Returns the number that a cell shows, without its brackets and with its per cent taken; ``None`` for words."""
    found = _shown(cell)
    return None if found is None else found.value


def _shown(cell: object) -> Median | None:
    """Returns the number, and the spread that is told with it."""
    if isinstance(cell, int | float):
        return Median(float(cell))
    digits = r"-?\d+(?:\.\d+)?"
    found = re.fullmatch(rf"\(?({digits})(%?)(?: ± ({digits})%?)?\)?", str(cell))
    if found is None:
        return None
    unit = 100 if found[2] else 1
    return Median(float(found[1]) / unit, float(found[3]) / unit if found[3] else None)


def judge(target: Target, reports: Mapping[str, Plain]) -> Verdict:
    """Looks a figure up, the worst where there are several, and says whether it will do."""
    places = list(_places(target, reports.get(target.benchmark, {})))
    if not places:
        return Verdict(target, None, None)
    if target.at_least is not None:
        worst = min(places, key=lambda place: place.figure.value)
        return Verdict(target, worst.figure, worst.figure.value >= target.at_least, *_beside(target, worst))
    assert target.at_most is not None
    worst = max(places, key=lambda place: place.figure.value)
    return Verdict(target, worst.figure, worst.figure.value <= target.at_most, *_beside(target, worst))


def verdicts(reports: Mapping[str, Plain], targets: Sequence[Target] = TARGETS) -> Table:
    """Returns the performance table with what was found."""
    rows = []
    for verdict in (judge(target, reports) for target in targets):
        says = {None: "not measured", True: "holds", False: "**falls short**"}[verdict.holds]
        found = "-" if verdict.found is None else f"{verdict.found:.2f}"
        beside = [verdict.ours, verdict.best_peer, verdict.bare, verdict.measured]
        rows.append([verdict.target.work, verdict.target.wanted, found, says, *beside])
    # A page is narrower than this: what matters most is seen first.
    columns = ["work", "wanted", "found", "", "ours", "best peer", "bare limit", "measured"]
    return Table("What is wanted, and what was found", NOTE, columns, rows)


def _places(target: Target, report: Plain) -> Iterator[_Place]:
    for table in report.get("tables", ()):
        if target.column not in table["columns"]:
            continue
        column = table["columns"].index(target.column)
        for index, row in enumerate(table["rows"]):
            fits = all(str(cell).startswith(start) for cell, start in zip(row, target.rows, strict=False))
            figure = _shown(row[column])
            if fits and row[0] not in target.but and figure is not None:
                spread = table["spreads"][index][column]
                yield _Place(figure if spread is None else Median(figure.value, spread), table, row)


def _beside(target: Target, place: _Place) -> tuple[str, str, str, str]:
    """Returns the row's name, our figure, the best peer's, and the bare limit's."""
    table, row = place.table, place.row
    columns, ours = table["columns"], table.get("ours", "")
    if ours in columns:
        # The others' cells are ratios to our time.
        name = ", ".join(str(cell) for cell in row[: columns.index(ours)] if number(cell) is None)
        scale, unit = number(row[columns.index(ours)]) or 0.0, f" {ours.split()[0]}"
        cells = dict(zip(columns, row, strict=True))
    else:
        name, scale, unit = str(row[0]), 1.0, ""
        column = columns.index(target.column)
        # Of a row that is none of those that are compared nothing else is known.
        cells = {str(other[0]): other[column] for other in table["rows"]} if row[0] == ours else {}
    theirs = {
        peer: value for peer in table.get("peers", ()) if (value := number(cells.get(peer))) is not None
    }
    best = min(theirs, key=lambda peer: theirs[peer], default=None)
    bare = number(cells.get(table.get("bare", "")))
    return (
        name,
        _short(scale if unit else place.figure.value) + unit,
        "-" if best is None else f"{_short(theirs[best] * scale)}{unit} ({best})",
        "-" if bare is None else _short(bare * scale) + unit,
    )


def _short(figure: float) -> str:
    return f"{figure:.0f}" if abs(figure) >= 100 else f"{figure:.3g}"
