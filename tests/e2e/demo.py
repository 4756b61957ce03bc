"""The demo as one starts it: ``python -m sseware demo``, in a process of its own."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

__all__ = ["Demo", "running_demo"]

PATIENCE = 45.0


class Demo(NamedTuple):
    """A demo that runs.

    Attributes:
        url: Where.
        pid: Its process.
        said: What it has printed at the start.
    """

    url: str
    pid: int
    said: str


@contextmanager
def running_demo(directory: Path, *options: str) -> Iterator[Demo]:
    """Starts it from some directory and ends it as Ctrl+C does; it must end in good order."""
    command = [sys.executable, "-m", "sseware", "demo", "--port", "0", *options]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=directory, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            said = welcome(process)
            found = re.search(r"^The demo runs at (http://localhost:\d+)$", said, re.MULTILINE)
            assert found is not None, said
            yield Demo(found[1], process.pid, said)
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                rest, complaints = process.communicate(timeout=PATIENCE)
                assert (process.returncode, rest.strip(), complaints) == (0, "The demo has ended.", "")
        finally:
            process.kill()


def welcome(process: subprocess.Popen[str]) -> str:
    """Reads what is printed at the start."""
    assert process.stdout is not None
    said = ""
    while "Ctrl+C ends it.\n" not in said:
        line = process.stdout.readline()
        assert line, f"the demo has ended: {process.communicate()}"
        said += line
    return said
