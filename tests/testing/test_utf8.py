"""`sseware.testing._utf8`: the standard's decoder, held against Python's, which was written by other people."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sseware.testing._grammar import BROKEN_UTF_8
from sseware.testing._utf8 import utf_8_decode

# Both ends of every range of bytes that the decoder tells apart.
BORDERS = bytes.fromhex("007F808F909FA0BFC0C1C2DFE0E1ECEDEEEFF0F1F3F4F5FF")


def with_replacement(data: bytes) -> str:
    return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")


@pytest.mark.parametrize("length", [0, 1, 2, 3])
def test_every_border_after_every_border_decodes_as_python_decodes_it(length: int) -> None:
    for data in map(bytes, product(BORDERS, repeat=length)):
        assert utf_8_decode(data) == with_replacement(data)


@pytest.mark.parametrize("lead", [0xE0, 0xE1, 0xED, 0xF0, 0xF1, 0xF4, 0xF5])
def test_long_sequences_decode_as_python_decodes_them(lead: int) -> None:
    for rest in product(BORDERS[1:10:2], repeat=3):
        data = bytes((lead, *rest))
        assert utf_8_decode(data) == with_replacement(data)


@given(st.lists(st.sampled_from(BROKEN_UTF_8) | st.text(max_size=2).map(str.encode) | st.binary(max_size=3)))
def test_broken_and_whole_sequences_decode_as_python_decodes_them(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    assert utf_8_decode(data) == with_replacement(data)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        pytest.param(b"\xef\xbb\xbfa", "a", id="one-mark-is-dropped"),
        pytest.param(b"\xef\xbb\xbf\xef\xbb\xbfa", "\ufeffa", id="the-second-mark-stays"),
        pytest.param(b"a\xef\xbb\xbf", "a\ufeff", id="a-mark-later-on-stays"),
        pytest.param(b"\xef\xbba", "\ufffda", id="half-a-mark-is-broken"),
        pytest.param(b"\xe2\x82", "\ufffd", id="a-sequence-that-the-end-cuts-short-is-one"),
        pytest.param(b"", "", id="nothing-is-nothing"),
    ],
)
def test_decodes(data: bytes, text: str) -> None:
    assert utf_8_decode(data) == text
