"""Who takes how long: in turns, so that what slows the machine slows everybody alike."""

from __future__ import annotations

import ctypes
import gc
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from .medians import Median

__all__ = [
    "GARBAGE_COLLECTOR",
    "MEMORY",
    "QUICK_ROUNDS",
    "Seconds",
    "in_turns",
    "is_quick",
    "ratio",
    "short_turns",
]

Work: TypeAlias = Callable[[], object]
Seconds: TypeAlias = Mapping[str, Sequence[float]]
"""By name, how long each round took."""

QUICK_ROUNDS = 2
"""How many rounds there are at the most where somebody is in a hurry."""

GARBAGE_COLLECTOR = (
    "on; what was there before (imports, inputs) is frozen, and each turn begins with a clean slate"
)

MEMORY = "what is freed is kept for the next turn (glibc; elsewhere as the system does it)"

# Of mallopt(3): how much may lie free before the system gets it back, and what is so large that it always does.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_KEPT = 1 << 30


def is_quick(rounds: int) -> bool:
    """Whether somebody is in a hurry, so that what is measured has to be smaller, too."""
    return rounds <= QUICK_ROUNDS


def short_turns(rounds: int, in_a_round: int) -> int:
    """Returns how many turns there are where each is short; one a round where somebody is in a hurry.

    Many short ones tell more than few long ones, where the machine's clock changes under them.
    """
    return rounds if is_quick(rounds) else rounds * in_a_round


def in_turns(works: Mapping[str, Work], rounds: int, *, warm_up: int = 1) -> Seconds:
    """Times each work once a round, each round in another order.

    It is the processor time of the thread that counts: other processes take none of it, though they share the caches.

    Args:
        works: What to do, by name. What it returns is thrown away after its time was taken.
        rounds: How many rounds there are that count.
        warm_up: How many there are before, which do not.
    """
    seconds: dict[str, list[float]] = {name: [] for name in works}
    names = list(works)
    _keep_memory()
    gc.collect()
    gc.freeze()
    try:
        for turn in range(-warm_up, rounds):
            shift = turn % len(names)
            for name in names[shift:] + names[:shift]:
                spent = _time(works[name])
                if turn >= 0:
                    seconds[name].append(spent)
    finally:
        gc.unfreeze()
    return seconds


def ratio(seconds: Seconds, slower: str, faster: str) -> Median:
    """Returns how many times longer one takes than the other, over the rounds."""
    return Median.of([a / b for a, b in zip(seconds[slower], seconds[faster], strict=True)])


def _keep_memory() -> None:
    # Where the last megabytes of one turn are given back, the next one pays for having them mapped: four times what
    # it takes itself to read a long line, and who pays is an accident of what else lies at the heap's end.
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_TRIM_THRESHOLD, _KEPT)
        mallopt(_MMAP_THRESHOLD, _KEPT)


def _time(work: Work) -> float:
    gc.collect(0)
    started = time.thread_time()
    result = work()
    spent = time.thread_time() - started
    del result
    return spent
