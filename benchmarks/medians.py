"""What many rounds have found: the figure in their middle, and how far they lie apart."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median, quantiles
from typing import TypeAlias

import msgspec

__all__ = ["Cell", "Median"]


class Median(msgspec.Struct, frozen=True):
    """The figure in the middle, and the spread.

    >>> f"{Median.of([1.0, 2.0, 4.0, 8.0, 9.0]):.1f}"
    '4.0 ± 3.0'

    Attributes:
        value: The median.
        spread: Half of what lies between the quartiles, so that about half of the rounds are as near as that to the
            median; ``None`` where there was one round.
    """

    value: float
    spread: float | None = None

    @classmethod
    def of(cls, values: Sequence[float]) -> Median:
        """Returns that of some figures, at least one."""
        if len(values) < 2:
            return cls(median(values))
        first, _, third = quantiles(values, n=4, method="inclusive")
        return cls(median(values), (third - first) / 2)

    def __format__(self, spec: str) -> str:
        shown = format(self.value, spec)
        return shown if self.spread is None else f"{shown} ± {format(self.spread, spec)}"


Cell: TypeAlias = str | float | Median
"""What stands in a cell of a table."""
