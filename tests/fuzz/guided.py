"""``python -m tests.fuzz.guided``: lets atheris look for bytes that take the parser where no stream has been.

Takes libFuzzer's options, such as ``-runs=100000`` or ``-max_total_time=60``. It begins with the conformance
vectors, and keeps what it finds in ``build/fuzz`` for the next time. Where atheris is not installed it says so,
and that is no failure: it has wheels for few interpreters.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from itertools import accumulate, pairwise
from pathlib import Path

CORPUS = Path(__file__).resolve().parents[2] / "build" / "fuzz"
MOST_LENGTHS = 8


def cut(data: bytes) -> list[bytes]:
    """Reads any bytes as a stream and its chunks: up to 8 lengths, a zero, and the stream.

    Bytes without that zero are a stream in one chunk.
    """
    lengths, zero, _ = data[: MOST_LENGTHS + 1].partition(b"\0")
    if not zero:
        return [data]
    stream = data[len(lengths) + 1 :]
    ends = [min(end, len(stream)) for end in accumulate(lengths)]
    return [stream[start:end] for start, end in pairwise([0, *ends, len(stream)])]


def main(arguments: list[str]) -> int:
    """Fuzzes until libFuzzer ends the process."""
    if find_spec("atheris") is None:
        print("atheris is not installed here: no guided fuzzing")
        return 0
    atheris = import_module("atheris")
    with atheris.instrument_imports(include=["sseware.wire"]):
        # Nothing of ours may have been imported before: what is loaded already is not instrumented.
        wire, testing = import_module("sseware.wire"), import_module("sseware.testing")

    def check(data: bytes) -> None:
        testing.check_prefixes(wire.EventStreamParser, cut(data))

    CORPUS.mkdir(parents=True, exist_ok=True)
    for vector in testing.load_vectors():
        CORPUS.joinpath(vector.id.replace("/", "-")).write_bytes(b"\x07\x07\x07\0" + vector.wire)
    atheris.Setup([sys.argv[0], *arguments, str(CORPUS)], check)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
