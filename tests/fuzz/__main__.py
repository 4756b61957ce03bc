"""``python -m tests.fuzz``: holds our parser against the reference on millions of random streams.

``--checks`` and ``--seed`` say how long, and which; ``--mutants N`` plants wrong parsers in N runs instead, and
says after how many checks each was found.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.testing.mutants import PLANTED

from .hunt import STANDARD, Tally, hunt

SHARE = 50_000
ENOUGH_FOR_A_MUTANT = 5_000


def check_ours(checks: int, seed: int, jobs: int) -> int:
    """Splits the checks into shares of one seed each, and runs them in processes."""
    shares = [min(SHARE, checks - start) for start in range(0, checks, SHARE)]
    tallies: list[Tally] = []
    with ProcessPoolExecutor(jobs) as pool:
        for tally in pool.map(_hunt_ours, range(seed, seed + len(shares)), shares):
            tallies.append(tally)
            if len(shares) > 1:
                print(f"seed {tally.seed}: {tally.checks:,} checks in {tally.seconds:.0f} s", flush=True)
            if tally.found:
                print(f"seed {tally.seed}, check {tally.checks}, {tally.found}")
    print(
        f"{sum(t.checks for t in tallies):,} checks (a stream in a chunking) of {sum(t.streams for t in tallies):,} "
        f"streams, {sum(t.bytes for t in tallies):,} bytes, {sum(t.events for t in tallies):,} events; "
        f"{sum(t.prefixes for t in tallies):,} prefixes compared; seeds {seed} to {seed + len(shares) - 1}; "
        f"{sum(t.seconds for t in tallies):.0f} s of {jobs} processes; "
        f"{sum(bool(t.found) for t in tallies)} divergences"
    )
    return any(t.found for t in tallies)


def _hunt_ours(seed: int, checks: int) -> Tally:
    return hunt(seed, checks, chunkings=20)


def check_mutants(runs: int, seed: int, jobs: int) -> int:
    """Plants the wrong parsers one after the other, each run with a seed of its own."""
    names = list(PLANTED)
    planted = [names[run % len(names)] for run in range(runs)]
    with ProcessPoolExecutor(jobs) as pool:
        tallies = list(pool.map(_plant, planted, range(seed, seed + runs), chunksize=10))
    missed = 0
    for name in names:
        own = [tally for tally, what in zip(tallies, planted, strict=True) if what == name]
        needed = [tally.checks for tally in own if tally.found]
        missed += len(own) - len(needed)
        middle = statistics.median(needed) if needed else float("nan")
        print(f"{name:22} found in {len(needed)} of {len(own)} runs, after {middle:g} checks "
              f"(median), {max(needed, default=0)} (most)")  # fmt: skip
    print(f"{runs - missed} of {runs} planted mutants found; seeds {seed} to {seed + runs - 1}")
    return bool(missed)


def _plant(name: str, seed: int) -> Tally:
    return hunt(seed, ENOUGH_FOR_A_MUTANT, make_parser=PLANTED[name], compare=STANDARD)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--checks", type=int, default=2_000_000)
    parser.add_argument("--mutants", type=int, default=0, help="plant wrong parsers in so many runs instead")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    run = partial(check_mutants, options.mutants) if options.mutants else partial(check_ours, options.checks)
    return run(options.seed, options.jobs)


if __name__ == "__main__":
    sys.exit(main())
