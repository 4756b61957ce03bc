"""`sseware.testing._grammar`: the tables say what they claim, and the cuts are where it hurts."""

from __future__ import annotations

import pytest

from sseware.testing._grammar import (
    BEGINNINGS,
    BROKEN_UTF_8,
    LINES,
    NEWLINE_LOOKALIKES,
    Cuts,
    aimed_cuts,
    written,
)


@pytest.mark.parametrize("sequence", BROKEN_UTF_8)
def test_broken_utf_8_is_broken(sequence: bytes) -> None:
    with pytest.raises(UnicodeDecodeError):
        sequence.decode()


@pytest.mark.parametrize("character", NEWLINE_LOOKALIKES)
def test_a_lookalike_ends_a_line_for_splitlines_only(character: str) -> None:
    assert len(f"a{character}b".splitlines()) == 2
    assert character not in "\r\n"


def test_lines_have_no_ends_in_them() -> None:
    assert [line for kind in LINES for line in kind if b"\n" in line or b"\r" in line] == []


def test_lines_are_written_in_one_line_end() -> None:
    assert written(b"\r\n", b"id: 1", b"data: a", b"") == b"id: 1\r\ndata: a\r\n\r\n"


def test_the_simplest_line_stands_first() -> None:
    assert LINES[0] == (b"data: a",)
    assert BEGINNINGS[0] == b""


@pytest.mark.parametrize(
    ("data", "cuts"),
    [
        pytest.param(b"", Cuts(), id="nothing-has-no-cuts"),
        pytest.param(b"a", Cuts(), id="a-byte-has-no-cuts"),
        pytest.param(b"a\r\nb", Cuts(crlf=(2,), line=(3,)), id="between-cr-and-lf"),
        pytest.param(b"a\rb", Cuts(after_cr=(2,)), id="after-a-lone-cr"),
        pytest.param(b"a\r\r\n", Cuts(crlf=(3,), after_cr=(2,), block=(3,)), id="between-two-crs"),
        pytest.param(b"a\n\nb", Cuts(line=(2, 3), block=(3,)), id="after-a-blank-line"),
        pytest.param(b"\xef\xbb\xbfa", Cuts(utf_8=(1, 2)), id="inside-the-mark"),
        pytest.param("é€".encode(), Cuts(utf_8=(1, 3, 4)), id="inside-characters"),
        pytest.param(b"id: 1", Cuts(colon=(3,)), id="after-the-colon"),
        pytest.param(b"a\r", Cuts(), id="nothing-behind-the-last-byte"),
    ],
)
def test_cuts(data: bytes, cuts: Cuts) -> None:
    assert aimed_cuts(data) == cuts


def test_kinds_leave_out_what_a_stream_has_none_of() -> None:
    assert aimed_cuts(b"id:1\r\n2").kinds() == ((5,), (3,), (6,))
    assert Cuts().kinds() == ()
