"""What has to be done to one sequence to get another: as little as possible."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, NamedTuple

__all__ = ["Step", "align"]

_MOST_CELLS: Final = 250_000
"""Above this many pairs, what is between the common beginning and the common end is compared one to one."""


class Step(NamedTuple):
    """What became of one element.

    Attributes:
        kind: It is the same, is another one, came in addition, or is missing.
        got: Its number in what is there, or ``None`` where it is missing.
        want: Its number in what is wanted, or ``None`` where it came in addition.
    """

    kind: Literal["same", "changed", "inserted", "missing"]
    got: int | None
    want: int | None


def align(got: Sequence[Any], want: Sequence[Any], cost: Callable[[Any, Any], float]) -> list[Step]:
    """Aligns two sequences.

    Args:
        got: What is there.
        want: What is wanted.
        cost: What it costs to take an element for another: 0 for the same; to insert or to miss one costs 1 each.
    """
    start = 0
    shorter = min(len(got), len(want))
    while start < shorter and not cost(got[start], want[start]):
        start += 1
    end = 0
    while end < shorter - start and not cost(got[-1 - end], want[-1 - end]):
        end += 1
    middle = _middle(got[start : len(got) - end], want[start : len(want) - end], cost)
    return [
        *(Step("same", number, number) for number in range(start)),
        *(Step(kind, _plus(i, start), _plus(j, start)) for kind, i, j in middle),
        *(Step("same", len(got) - back, len(want) - back) for back in range(end, 0, -1)),
    ]


def _plus(number: int | None, start: int) -> int | None:
    return None if number is None else number + start


def _middle(got: Sequence[Any], want: Sequence[Any], cost: Callable[[Any, Any], float]) -> list[Step]:
    if len(got) * len(want) > _MOST_CELLS:
        return _one_to_one(got, want, cost)
    # Needleman and Wunsch, from the end, so that the way is walked from the beginning.
    rows, columns = len(got), len(want)
    costs = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    pairs = [[cost(mine, theirs) for theirs in want] for mine in got]
    for i in range(rows, -1, -1):
        for j in range(columns, -1, -1):
            ways = []
            if i < rows:
                ways.append(1 + costs[i + 1][j])
            if j < columns:
                ways.append(1 + costs[i][j + 1])
            if i < rows and j < columns:
                ways.append(pairs[i][j] + costs[i + 1][j + 1])
            costs[i][j] = min(ways, default=0.0)
    return _walk(costs, pairs)


def _walk(costs: list[list[float]], pairs: list[list[float]]) -> list[Step]:
    steps: list[Step] = []
    i = j = 0
    rows, columns = len(costs) - 1, len(costs[0]) - 1
    while i < rows or j < columns:
        here = costs[i][j]
        if i < rows and j < columns and here == pairs[i][j] + costs[i + 1][j + 1]:
            steps.append(Step("changed" if pairs[i][j] else "same", i, j))
            i, j = i + 1, j + 1
        elif i < rows and here == 1 + costs[i + 1][j]:
            steps.append(Step("inserted", i, None))
            i += 1
        else:
            steps.append(Step("missing", None, j))
            j += 1
    return steps


def _one_to_one(got: Sequence[Any], want: Sequence[Any], cost: Callable[[Any, Any], float]) -> list[Step]:
    both = min(len(got), len(want))
    return [
        *(Step("changed" if cost(got[n], want[n]) else "same", n, n) for n in range(both)),
        *(Step("inserted", n, None) for n in range(both, len(got))),
        *(Step("missing", None, n) for n in range(both, len(want))),
    ]
