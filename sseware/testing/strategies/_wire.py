"""Streams as they arrive: lines of the grammar, cut where it hurts."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

from hypothesis import strategies as st

from .._grammar import (
    BEGINNINGS,
    BROKEN_UTF_8,
    LINE_ENDS,
    LINES,
    OPENINGS,
    SEQUELS,
    VALUES,
    aimed_cuts,
    written,
)

__all__ = ["chunkings", "wire_streams"]

_LINES = st.one_of([st.sampled_from(kind) for kind in LINES])
_BEGINNINGS = st.just(b"") | st.sampled_from(BEGINNINGS)
_TAILS = st.just(b"") | _LINES | st.sampled_from(BROKEN_UTF_8)
_ENDS = {"LF": LINE_ENDS[:1], "CRLF": LINE_ENDS[1:2], "CR": LINE_ENDS[2:], "mixed": LINE_ENDS}
_ANY_ENDS = st.sampled_from(tuple(_ENDS))


@cache
def _pieces(line_ends: str, max_size: int) -> st.SearchStrategy[list[bytes]]:
    ends = st.sampled_from(_ENDS[line_ends])
    line = st.builds(
        lambda end, line, sequel: written(end, line, *sequel), ends, _LINES, st.sampled_from(SEQUELS)
    )
    return st.lists(st.one_of(line, line, line, line, _runs(ends)), max_size=max_size)


def _runs(ends: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Several events of one shape, as servers write them."""
    data = st.lists(st.sampled_from(VALUES).map(b"data: ".__add__), min_size=1, max_size=2)
    return st.builds(
        lambda end, opening, run: b"".join(written(end, *opening, *lines, b"") for lines in run),
        ends,
        st.sampled_from(OPENINGS),
        st.lists(data, min_size=1, max_size=4),
    )


@st.composite
def wire_streams(
    draw: st.DrawFn,
    *,
    max_size: int = 8,
    line_ends: str | None = None,
    beginnings: bool = True,
    valid_utf_8: bool = False,
) -> bytes:
    """Streams of lines of the grammar, and of lines that are nearly of it, in the standard's three line ends.

    Args:
        draw: Given by hypothesis.
        max_size: The most pieces: lines, alone or with their block's end, and runs of events of one shape.
        line_ends: ``"LF"``, ``"CRLF"``, ``"CR"`` or ``"mixed"``; any of these by default.
        beginnings: Whether a stream may begin with a byte order mark, or with what is nearly one.
        valid_utf_8: Whether broken UTF-8 is left out: what is broken is then replaced, piece by piece.
    """
    body = draw(_pieces(draw(_ANY_ENDS) if line_ends is None else line_ends, max_size))
    pieces = [draw(_BEGINNINGS) if beginnings else b"", *body, draw(_TAILS)]
    if valid_utf_8:
        return "".join(piece.decode(errors="replace") for piece in pieces).encode()
    return b"".join(pieces)


@st.composite
def chunkings(draw: st.DrawFn, data: bytes, *, empty: bool = True) -> list[bytes]:
    """Ways to cut a stream into chunks: between CR and LF, inside UTF-8 and the BOM, after a colon, anywhere.

    Args:
        draw: Given by hypothesis.
        data: The stream.
        empty: Whether empty chunks may be among the others; they mean nothing, and never the end.
    """
    inner = range(1, len(data))
    kinds = aimed_cuts(data).kinds()
    ways: list[st.SearchStrategy[list[int]]] = [st.just([])]
    if kinds:
        one_of_a_kind = st.sampled_from(kinds).flatmap(st.sampled_from)
        ways += [st.lists(one_of_a_kind, min_size=1, max_size=6), st.sampled_from(kinds).map(list)]
    if inner:
        ways += [st.lists(st.sampled_from(inner), min_size=1, max_size=4), st.just(list(inner))]
    cuts = sorted(draw(st.one_of(ways)))
    if not empty:
        cuts = sorted(set(cuts))
    elif draw(st.integers(0, 3)) == 3:
        cuts = sorted([0, *cuts, *cuts, len(data)])
    return [data[start:end] for start, end in pairwise([0, *cuts, len(data)])]
