"""`sseware.kernels._output`: bytes of two pipes become items."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sseware.items import Log, Text
from sseware.kernels._output import Output
from sseware.kernels._process import STDERR, STDOUT

TICK = "✓".encode()


def test_each_pipe_is_decoded_on_its_own() -> None:
    """D5."""
    output = Output(None, [])
    assert output.take(STDOUT, TICK[:2]) is None
    assert output.take(STDERR, TICK[:1]) is None
    assert output.take(STDOUT, TICK[2:] + b"!") == Text("✓!")
    assert output.take(STDERR, TICK[1:]) == Log("✓")
    assert list(output.close()) == []


def test_stderr_is_redacted_and_stdout_is_not() -> None:
    output = Output(None, ["key"])
    assert output.take(STDOUT, b"a key\n") == Text("a key\n")
    assert output.take(STDERR, b"a key\n") == Log("a [redacted]")
    assert list(output.close()) == [Log("\n")]


def test_an_unfinished_end_of_stdout_stays_bytes_and_one_of_stderr_is_dropped() -> None:
    output = Output(None, ["secret"])
    output.take(STDOUT, b"ok " + TICK[:2])
    output.take(STDERR, b"sec" + TICK[:2])
    assert list(output.close()) == [TICK[:2], Log("sec")]


@pytest.mark.parametrize(
    ("data", "want"),
    [
        pytest.param(b"\xff", "\ufffd", id="a-byte-that-never-is-in-utf-8"),
        pytest.param(b"\xe2\x9cA", "\ufffdA", id="a-sequence-cut-off-by-a-letter"),
        pytest.param(b"\xed\xa0\x80", "\ufffd" * 3, id="a-surrogate"),
        pytest.param(b"\xf0\x80\x80\x80", "\ufffd" * 4, id="an-overlong-form"),
        pytest.param(b"\xef\xbb\xbfA", "\ufeffA", id="a-mark-of-byte-order-is-text"),
        pytest.param(b"\x00\x1b[31m\r50 %\r", "\x00\x1b[31m\r50 %\r", id="controls-pass"),
    ],
)
@pytest.mark.parametrize("cut", [pytest.param(True, id="byte-by-byte"), pytest.param(False, id="whole")])
def test_invalid_bytes_become_replacement_characters(data: bytes, want: str, cut: bool) -> None:
    output = Output(None, [])
    chunks = [data[i : i + 1] for i in range(len(data))] if cut else [data]
    items = [output.take(STDOUT, chunk) for chunk in chunks]
    assert "".join(item.text for item in items if item) == want
    assert list(output.close()) == []


@given(st.lists(st.binary(max_size=6) | st.text("aé✓😀", max_size=3).map(str.encode), max_size=8))
def test_text_and_end_are_what_one_decoding_of_the_whole_says(chunks: list[bytes]) -> None:
    """D5."""
    output = Output(None, [])
    items = [output.take(STDOUT, chunk) for chunk in chunks]
    text = "".join(item.text for item in items if item)
    end = b"".join(rest for rest in output.close() if isinstance(rest, bytes))
    assert text + end.decode("utf-8", "replace") == b"".join(chunks).decode("utf-8", "replace")


def test_the_limit_counts_the_bytes_of_both_pipes() -> None:
    output = Output(4, [])
    assert output.fits(TICK)
    assert output.fits(b"x")
    assert not output.fits(b"x")


def test_without_a_limit_everything_fits() -> None:
    output = Output(None, [])
    assert output.fits(b"x" * 2**20)
