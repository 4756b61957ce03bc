"""Random streams of lines of the grammar, and random cuts: what the strategies make, without hypothesis' price."""

from __future__ import annotations

from itertools import pairwise
from random import Random

from sseware.testing._grammar import (
    BEGINNINGS,
    BROKEN_UTF_8,
    LINE_ENDS,
    LINES,
    OPENINGS,
    SEQUELS,
    VALUES,
    Cuts,
    aimed_cuts,
    written,
)

LONG = 0.002
"""How many streams have a line that is longer than what a parser keeps in one piece."""


def random_stream(rng: Random) -> bytes:
    """A stream in one line end or in several: of lines, alone or with their block's end, and of runs of events."""
    ends = rng.choice((LINE_ENDS, LINE_ENDS, *((end,) for end in LINE_ENDS)))
    pieces = [b"" if rng.random() < 0.5 else rng.choice(BEGINNINGS)]
    runs = rng.choice((0.0, 0.1, 0.5))
    for _ in range(rng.randrange(9)):
        piece = _run if rng.random() < runs else _line
        pieces.append(piece(rng, rng.choice(ends)))
    if rng.random() < LONG:
        at = rng.randrange(len(pieces))
        pieces[at] += b"data: " + rng.choice(VALUES) * rng.randint(2000, 5000) + rng.choice(ends)
    pieces.append(rng.choice((b"", b"", _any_line(rng), rng.choice(BROKEN_UTF_8))))
    return b"".join(pieces)


def _any_line(rng: Random) -> bytes:
    return rng.choice(rng.choice(LINES))


def _line(rng: Random, end: bytes) -> bytes:
    return written(end, _any_line(rng), *rng.choice(SEQUELS))


def _run(rng: Random, end: bytes) -> bytes:
    opening = rng.choice(OPENINGS)
    sizes = rng.choices((1, 2), (4, 1), k=rng.randint(1, 4))
    return b"".join(
        written(end, *opening, *(b"data: " + value for value in rng.choices(VALUES, k=size)), b"")
        for size in sizes
    )


def random_chunks(rng: Random, data: bytes, cuts: Cuts | None = None) -> list[bytes]:
    """One way to cut a stream: at places that were aimed at, anywhere, everywhere, nowhere."""
    kinds = (cuts or aimed_cuts(data)).kinds()
    way = rng.randrange(6)
    at: list[int] = []
    if way == 1 or len(data) > 1000:
        at = [rng.randint(0, len(data)) for _ in range(rng.randint(1, 4))]
    elif way == 0:
        at = list(range(1, len(data)))
    elif way > 2 and kinds:
        kind = rng.choice(kinds)
        at = list(kind) if way == 3 else rng.sample(kind, rng.randint(1, len(kind)))
        at += [rng.randint(0, len(data)) for _ in range(rng.randrange(3))]
    return [data[start:end] for start, end in pairwise([0, *sorted(at), len(data)])]
