"""Random streams of lines of the grammar, and random cuts: what the strategies make, without hypothesis' price."""

from __future__ import annotations

from itertools import pairwise
from random import Random

from sseware.testing._grammar import (
    BEGINNINGS,
    BROKEN_UTF_8,
    LINE_ENDS,
    LINES,
    Cuts,
    aimed_cuts,
)


def random_stream(rng: Random) -> bytes:
    """A stream of up to a dozen lines, half of which end their block, in one line end or in several."""
    ends = rng.choice((LINE_ENDS, LINE_ENDS, *((end,) for end in LINE_ENDS)))
    pieces = [b"" if rng.random() < 0.5 else rng.choice(BEGINNINGS)]
    for _ in range(rng.randrange(13)):
        pieces += [_line(rng), rng.choice(ends), b"" if rng.random() < 0.5 else rng.choice(ends)]
    pieces.append(rng.choice((b"", b"", _line(rng), rng.choice(BROKEN_UTF_8))))
    return b"".join(pieces)


def _line(rng: Random) -> bytes:
    return rng.choice(rng.choice(LINES))


def random_chunks(rng: Random, data: bytes, cuts: Cuts | None = None) -> list[bytes]:
    """One way to cut a stream: at places that were aimed at, anywhere, everywhere, nowhere."""
    kinds = (cuts or aimed_cuts(data)).kinds()
    way = rng.randrange(6)
    at: list[int] = []
    if way == 0:
        at = list(range(1, len(data)))
    elif way == 1:
        at = [rng.randint(0, len(data)) for _ in range(rng.randint(1, 4))]
    elif way > 2 and kinds:
        kind = rng.choice(kinds)
        at = list(kind) if way == 3 else rng.sample(kind, rng.randint(1, len(kind)))
        at += [rng.randint(0, len(data)) for _ in range(rng.randrange(3))]
    return [data[start:end] for start, end in pairwise([0, *sorted(at), len(data)])]
