"""Has anything become slower? Two files of figures, beside each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import msgspec

from .report import Table
from .verdicts import number

__all__ = ["TOLERANCE", "Change", "changes", "comparison"]

Plain: TypeAlias = Mapping[str, Any]

TOLERANCE = 0.15
"""How much of a ratio may be lost: what two runs on one machine differ by."""


class Change(msgspec.Struct, frozen=True):
    """A figure that is in both files.

    Attributes:
        figure: Which: the table, the row, the column.
        before: In the first file.
        after: In the second file.
    """

    figure: str
    before: float
    after: float

    @property
    def is_worse(self) -> bool:
        """Whether more was lost than two runs differ by."""
        return self.after < self.before * (1 - TOLERANCE)


def changes(before: Plain, after: Plain) -> Iterator[Change]:
    """Yields each ratio to a peer that is in both; other figures depend on the machine."""
    old = dict(_ratios(before))
    for figure, value in _ratios(after):
        if figure in old:
            yield Change(figure, old[figure], value)


def comparison(found: list[Change]) -> Table:
    """Returns those that differ most, the worst first."""
    ordered = sorted(found, key=lambda change: change.after / change.before)
    rows: list[list[str | float]] = [
        [change.figure, change.before, change.after, f"{change.after / change.before - 1:+.0%}"]
        for change in ordered
        if change.is_worse or change.after > change.before * (1 + TOLERANCE)
    ]
    note = (
        f"{len(found)} ratios are in both files; these differ by more than {TOLERANCE:.0%}. More is faster."
    )
    return Table("What has changed", note, ["figure", "before", "after", "change"], rows)


def _ratios(report: Plain) -> Iterator[tuple[str, float]]:
    peers = {name.lower() for name in report["environment"]["versions"]}
    for table in report["tables"]:
        for row in table["rows"]:
            labels = [cell for cell, head in zip(row, table["columns"], strict=True) if _is_label(cell)]
            for cell, head in zip(row, table["columns"], strict=True):
                is_peer = any(head.lower().startswith(peer) for peer in peers)
                value = number(cell)
                if is_peer and value:
                    yield f"{table['title']}: {', '.join(labels)}: {head}", value


def _is_label(cell: object) -> bool:
    return isinstance(cell, str) and number(cell) is None
