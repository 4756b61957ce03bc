"""How the commands print: aligned columns, indented blocks."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from typing import TypeAlias

__all__ = ["Commands", "columns", "indented"]

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""Where a command adds its parser."""


def columns(rows: Iterable[Sequence[str]], gap: str = "  ") -> str:
    """Aligns rows of as many cells each.

    >>> print(columns([("NAME", "FROM"), ("husk", "sseware")]))
    NAME  FROM
    husk  sseware
    """
    table = [tuple(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = (gap.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in table)
    return "\n".join(line.rstrip() for line in lines)


def indented(text: str, by: str = "    ") -> str:
    """Indents each line that has something on it, so that what is shown stands out from what is said."""
    # The standard has three line ends and str.splitlines() has eleven; here they are LF.
    return "\n".join(by + line if line else "" for line in text.split("\n"))
