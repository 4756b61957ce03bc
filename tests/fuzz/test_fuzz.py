"""The fuzzers do what ``make fuzz`` says they do; what they find is in `tests/testing/test_mutants.py`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from sseware.testing._grammar import aimed_cuts
from tests.fuzz import guided
from tests.fuzz.guided import cut
from tests.fuzz.hunt import hunt
from tests.fuzz.streams import random_chunks, random_stream

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.fuzz", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_hunt_tells_how_much_was_checked() -> None:
    done = run("--checks", "300", "--seed", "5", "--jobs", "1")
    assert done.stderr == ""
    assert done.stdout.startswith("300 checks (a stream in a chunking) of 15 streams, ")
    assert done.stdout.endswith("0 divergences\n")
    assert done.returncode == 0


def test_planted_parsers_are_counted() -> None:
    done = run("--mutants", "26", "--jobs", "1")
    assert done.stderr == ""
    assert "LF-only split          found in 2 of 2 runs" in done.stdout
    assert done.stdout.endswith("26 of 26 planted mutants found; seeds 1 to 26\n")
    assert done.returncode == 0


def test_a_hunt_can_be_repeated() -> None:
    first, second = hunt(3, 50), hunt(3, 50)
    assert (first.bytes, first.prefixes) == (second.bytes, second.prefixes)


def test_streams_and_chunks_are_of_all_kinds() -> None:
    rng = Random(1)
    streams = [random_stream(rng) for _ in range(400)]
    assert any(stream.startswith(b"\xef\xbb\xbf") for stream in streams)
    assert any(b"\r\n\r\n" in stream for stream in streams)
    assert any(b"\n" not in stream and b"\r\r" in stream for stream in streams)
    wire = "id: é\r\n\r\n".encode()
    ways = {tuple(random_chunks(rng, wire)) for _ in range(400)}
    assert {b"".join(way) for way in ways} == {wire}
    assert {(wire,), tuple(bytes((byte,)) for byte in wire)} <= ways
    for kind in aimed_cuts(wire).kinds():
        assert any((wire[: kind[0]], wire[kind[0] :]) == way for way in ways)


@pytest.mark.parametrize(
    ("data", "chunks"),
    [
        pytest.param(b"", [b""], id="nothing"),
        pytest.param(b"data: a long line without a zero", [b"data: a long line without a zero"], id="one-chunk"),
        pytest.param(b"\x02\x01\0abcd", [b"ab", b"c", b"d"], id="lengths-and-a-stream"),
        pytest.param(b"\x02\xff\xff\0abcd", [b"ab", b"cd", b"", b""], id="lengths-past-the-end"),
        pytest.param(b"\0\0a", [b"\0a"], id="only-the-first-zero-counts"),
        pytest.param(b"abcdefgh\0i", [b"i", *[b""] * 8], id="eight-lengths"),
        pytest.param(b"abcdefghi\0j", [b"abcdefghi\0j"], id="nine-are-no-lengths"),
    ],
)  # fmt: skip
def test_bytes_are_read_as_a_stream_and_its_chunks(data: bytes, chunks: list[bytes]) -> None:
    assert cut(data) == chunks


def test_guided_fuzzing_says_so_where_atheris_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tests.fuzz.guided.find_spec", {}.get)
    assert guided.main(["-runs=1"]) == 0
    assert capsys.readouterr().out == "atheris is not installed here: no guided fuzzing\n"
