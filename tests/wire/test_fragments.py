"""The buffer for bytes that arrive in pieces."""

from __future__ import annotations

import tracemalloc

import pytest

from sseware.wire._fragments import Fragments


@pytest.mark.parametrize("size", [1, 2, 511, 512, 5000])
def test_what_went_in_comes_out_whole_and_once(size: int) -> None:
    fragments = Fragments()
    pieces = [bytes([i % 256]) * size for i in range(50)]
    for piece in pieces:
        fragments.append(piece)
    assert fragments.size == 50 * size
    assert fragments.take() == b"".join(pieces)
    assert (fragments.size, fragments.take()) == (0, b"")


def test_small_and_large_pieces_keep_their_order() -> None:
    fragments = Fragments()
    for piece in (b"a", b"b" * 600, b"c", b"d" * 5000, b"e"):
        fragments.append(piece)
    assert fragments.take() == b"a" + b"b" * 600 + b"c" + b"d" * 5000 + b"e"


def test_one_piece_is_not_copied() -> None:
    piece = b"x" * 10_000
    fragments = Fragments()
    fragments.append(piece)
    assert fragments.take() is piece


@pytest.mark.parametrize("size", [1, 2, 40, 1460])
def test_it_takes_little_more_memory_than_it_holds(size: int) -> None:
    total = 200_000
    fragments = Fragments()
    tracemalloc.start()
    try:
        for i in range(total // size):
            fragments.append(bytes([i % 256]) * size)
        assert tracemalloc.get_traced_memory()[1] < total * 1.05 + 10_000
    finally:
        tracemalloc.stop()
