"""Tables and JSON of what was measured, and where."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import msgspec

from .medians import Cell, Median
from .plots import Plot
from .timing import GARBAGE_COLLECTOR, MEMORY

__all__ = ["Report", "Table", "installed", "rows_of"]


class Table(msgspec.Struct, frozen=True):
    """One table.

    Attributes:
        title: What was asked.
        note: How to read it.
        columns: The heads of the columns.
        rows: The cells: text, or numbers, which are printed with two digits after the point, and with their spread where
            they are medians.
        ours: The head of the column with our own time, where the other columns are ratios to it; else the first cell of
            our row.
        peers: The heads of the columns of others, or the first cells of their rows.
        bare: The same of what does the least that can be done.
    """

    title: str
    note: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    ours: str = ""
    peers: Sequence[str] = ()
    bare: str = ""

    def markdown(self) -> str:
        """Returns it with its heading."""
        lines = [[*self.columns], ["---", *["---:"] * (len(self.columns) - 1)]]
        lines += [[_cell(cell) for cell in row] for row in self.rows]
        table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
        return f"## {self.title}\n\n{self.note}\n\n{table}\n"

    def plain(self) -> dict[str, Any]:
        """Returns it for JSON: medians are numbers, and their spreads a table of their own."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        found["rows"] = [[_number_or_text(cell) for cell in row] for row in self.rows]
        found["spreads"] = [[_spread(cell) for cell in row] for row in self.rows]
        return found

    def bars(
        self, name: str, columns: Sequence[str], *, y_label: str, rows: str = "", level: float | None = 1.0
    ) -> Plot:
        """Returns a picture of some columns.

        Args:
            name: Of the picture's file.
            columns: The heads of those that are drawn; what is not there is left out.
            y_label: What the figures are.
            rows: A cell that the rows must have which are drawn; all by default.
            level: Where a line goes across.
        """
        drawn = [row for row in self.rows if not rows or rows in row]
        there = [column for column in columns if column in self.columns]
        cells = {column: [row[self.columns.index(column)] for row in drawn] for column in there}
        series = {column: [_number(cell) for cell in found] for column, found in cells.items()}
        spreads = {column: [_spread(cell) for cell in found] for column, found in cells.items()}
        title = f"{self.title}: {rows}" if rows else self.title
        return Plot(name, title, "bars", [str(row[0]) for row in drawn], "", y_label, series, level, spreads)


class Report(msgspec.Struct, frozen=True):
    """All tables of a benchmark.

    Attributes:
        name: Of the benchmark.
        peers: The distributions that were measured.
        rounds: How many rounds each figure is the median of.
        tables: The tables.
        clock: What the times are.
        plots: What is drawn beside the tables.
        left_out: Peers that could not be measured, and why.
    """

    name: str
    peers: Sequence[str]
    rounds: int
    tables: Sequence[Table]
    clock: str = "processor time of the thread"
    plots: Sequence[Plot] = ()
    left_out: Mapping[str, str] = {}

    def environment(self) -> dict[str, Any]:
        """Returns what the figures depend on."""
        return {
            "interpreter": f"{platform.python_implementation()} {platform.python_version()}",
            "machine": f"{platform.machine()}, {os.cpu_count()} processors, {platform.system()}",
            "date": date.today().isoformat(),
            "rounds": self.rounds,
            "clock": self.clock,
            "garbage collector": GARBAGE_COLLECTOR,
            "memory": MEMORY,
            "versions": {name: installed(name) or "not installed" for name in ("msgspec", *self.peers)},
        }

    def plain(self) -> dict[str, Any]:
        """Returns every figure, for JSON."""
        return {
            "benchmark": self.name,
            "environment": self.environment(),
            "left out": dict(self.left_out),
            "tables": [table.plain() for table in self.tables],
        }

    def markdown(self) -> str:
        """Returns all tables, and what they depend on."""
        where = self.environment()
        versions = ", ".join(f"{name} {number}" for name, number in where.pop("versions").items())
        lines = [f"- {name}: {fact}" for name, fact in where.items()]
        lines += [f"- left out: {name}: {why}" for name, why in self.left_out.items()]
        facts = "\n".join(lines)
        tables = "\n".join(table.markdown() for table in self.tables)
        return f"# python -m benchmarks {self.name}\n\n{facts}\n- versions: {versions}\n\n{tables}"


def rows_of(found: Mapping[str, Any], columns: Mapping[str, str]) -> list[list[Cell]]:
    """Returns a row for each peer: its name, and what was found, or in each column why there is nothing.

    Args:
        found: By peer, what was found; or a text.
        columns: By head of a column, the attribute that stands there.
    """
    return [
        [peer, *(each if isinstance(each, str) else getattr(each, name) for name in columns.values())]
        for peer, each in found.items()
    ]


def installed(distribution: str) -> str | None:
    """Returns the version of an installed distribution."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _cell(cell: Cell) -> str:
    return cell if isinstance(cell, str) else f"{cell:.2f}"


def _number_or_text(cell: Cell) -> float | str:
    return cell.value if isinstance(cell, Median) else cell


def _number(cell: Cell) -> float | None:
    found = _number_or_text(cell)
    return None if isinstance(found, str) else found


def _spread(cell: Cell) -> float | None:
    return cell.spread if isinstance(cell, Median) else None
