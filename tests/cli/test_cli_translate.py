"""``translate``: one dialect in, another out."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest

from sseware.cli import main

ASH = (
    b'event: message\ndata: {"type":"assistant","message":{"content":[{"type":"text","text":"Hi"}]}}\n\n'
    b'event: done\ndata: {"sessionId":"s1"}\n\n'
)


def translate(monkeypatch: pytest.MonkeyPatch, stream: bytes, *words: str) -> int:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stream)))
    return main(["translate", *words])


def test_an_ash_stream_is_written_for_hector(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert translate(monkeypatch, ASH, "--from", "ash", "--to", "hector") == 0
    assert capfdbinary.readouterr().out == b'data: {"chunk": "Hi"}\n\ndata: [DONE]\n\n'


def test_a_stream_that_was_cut_off_says_so_in_the_stream_and_beside_it(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert translate(monkeypatch, ASH.partition(b"event: done")[0], "--from", "ash", "--to", "hector") == 1
    out, err = capfdbinary.readouterr()
    assert b"event: error\n" in out
    assert b"[DONE]" not in out
    assert b"translate: the ash stream ended without done or error" in err


def test_an_unknown_dialect_is_told_with_those_that_there_are(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert translate(monkeypatch, ASH, "--from", "ash", "--to", "hecter") == 1
    assert "unknown dialect 'hecter'; there are: ash, chronos, hector" in capfd.readouterr().err


def test_what_comes_is_written_before_the_end_comes() -> None:
    command = [sys.executable, "-m", "sseware", "translate", "--from", "plain", "--to", "hector"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"data: Once\n\n")
        process.stdin.flush()
        assert process.stdout.readline() == b'data: {"chunk": "Once"}\n'
        process.stdin.close()
        assert process.stdout.read() == b"\ndata: [DONE]\n\n"
    assert process.returncode == 0
