"""`sseware.kernels._redaction`: what was a secret is gone, however the text was cut."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sseware.kernels._redaction import REDACTED, Redactor


def redact_slowly(text: str, secrets: list[str]) -> str:
    """From left to right, the longest secret at each place; shares no code with the product."""
    done = ""
    while text:
        here = [secret for secret in secrets if text.startswith(secret)]
        if here:
            done, text = done + REDACTED, text[max(map(len, here)) :]
        else:
            done, text = done + text[0], text[1:]
    return done


def redact(pieces: list[str], secrets: list[str]) -> list[str]:
    redactor = Redactor(secrets)
    return [*(redactor.feed(piece) for piece in pieces), redactor.close()]


@pytest.mark.parametrize(
    ("pieces", "secrets", "want"),
    [
        pytest.param(["a", "b"], [], ["a", "b", ""], id="without-secrets-nothing-is-held-back"),
        pytest.param(["key=hunter2\n"], ["hunter2"], ["key=[redacted]", "\n"], id="within-one-piece"),
        pytest.param(["key=hun", "ter2"], ["hunter2"], ["k", "ey=[redacted]", ""], id="split-over-two"),
        pytest.param(list("hunter2"), ["hunter2"], [""] * 6 + ["[redacted]", ""], id="split-everywhere"),
        pytest.param(["hunter"], ["hunter2"], ["", "hunter"], id="what-only-began-like-one-comes-at-the-end"),
        pytest.param(["ab", "cdX"], ["ab", "abcd"], ["", "[redacted]", "X"], id="the-longest-wins"),
        pytest.param(["ab", "cXYZ"], ["ab", "abcd"], ["", "[redacted]c", "XYZ"], id="else-the-shorter-one"),
        pytest.param(
            ["xxabc", "d"], ["ab", "abcd"], ["xx", "[redacted]", ""], id="it-may-still-become-longer"
        ),
        pytest.param(["ab"], ["ab", "abcd"], ["", "[redacted]"], id="the-shorter-one-at-the-end"),
        pytest.param(["aaaa"], ["aa"], ["[redacted][redacted]", ""], id="one-after-the-other"),
        pytest.param(["a.c abc\n"], ["a.c"], ["[redacted] ab", "c\n"], id="a-dot-is-a-dot"),
        pytest.param(["x"], ["x"], ["[redacted]", ""], id="a-secret-of-one-character"),
        pytest.param(["pâss", "wörd"], ["sswör"], ["", "pâ[redacted]", "d"], id="characters-not-bytes"),
    ],
)
def test_redacts(pieces: list[str], secrets: list[str], want: list[str]) -> None:
    assert redact(pieces, secrets) == want


letters = st.text(alphabet="abc", max_size=12)


@given(pieces=st.lists(letters, max_size=8), secrets=st.lists(letters.filter(bool), max_size=4))
def test_the_cuts_make_no_difference(pieces: list[str], secrets: list[str]) -> None:
    assert "".join(redact(pieces, secrets)) == redact_slowly("".join(pieces), secrets)


@given(pieces=st.lists(letters, max_size=8), secrets=st.lists(letters.filter(bool), min_size=1, max_size=4))
def test_no_more_is_held_back_than_may_begin_a_secret(pieces: list[str], secrets: list[str]) -> None:
    redactor = Redactor(secrets)
    for piece in pieces:
        redactor.feed(piece)
        assert len(redactor._held) <= max(map(len, secrets)) - 1


def test_the_time_grows_with_the_text_and_not_with_its_square() -> None:
    def seconds(size: int) -> float:
        redactor = Redactor(["s" * 40 + "x"])
        start = time.process_time()
        for _ in range(size):
            redactor.feed("s" * 1000)
        return time.process_time() - start

    seconds(10)
    # Eight times the text: eight times the time if linear, 64 if quadratic.
    assert min(seconds(800) for _ in range(5)) < 24 * min(seconds(100) for _ in range(5))
