"""How long does an import take, over what the interpreter takes by itself?"""

from __future__ import annotations

import os
import subprocess
import sys

from .medians import Cell, Median
from .report import Report, Table

__all__ = ["run"]

# What is imported, and what was imported before it and does not count.
_IMPORTS = {
    "import sseware": ("sseware", ""),
    "from sseware import SSEMiddleware": ("sseware; sseware.SSEMiddleware", ""),
    "from sseware import EventStreamParser": ("sseware; sseware.EventStreamParser", ""),
    "the pytest plugin": ("sseware.testing.plugin", "import pytest, _pytest.terminal"),
    "import sse_starlette": ("sse_starlette", ""),
    "import starlette.applications": ("starlette.applications", ""),
    "import fastapi": ("fastapi", ""),
}
# Files that are compiled are kept, whatever was said to us.
_COMPILING = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
_PROGRAM = """{before}
import time
begun = time.process_time_ns()
import {what}
print(time.process_time_ns() - begun)
"""


def run(rounds: int) -> Report:
    """Returns the table."""
    spent: dict[str, list[float]] = {name: [] for name in _IMPORTS}
    _in_turn(spent)  # compiles what is not compiled
    for each in spent.values():
        each.clear()
    for _ in range(rounds):
        _in_turn(spent)
    rows: list[list[Cell]] = [
        [name, Median.of(each) if each else "not installed"] for name, each in spent.items()
    ]
    table = Table(
        "Importing",
        "Milliseconds of processor time of one import in a fresh interpreter, from compiled files; for the plugin, where "
        "pytest has been imported already.",
        ["what", "ms"],
        rows,
        ours="import sseware",
        peers=[name for name in _IMPORTS if name.startswith("import ") and "sseware" not in name],
    )
    return Report(
        "imports", ("sse-starlette", "starlette", "fastapi"), rounds, [table], "processor time of the process"
    )


def _in_turn(spent: dict[str, list[float]]) -> None:
    for name, (what, before) in _IMPORTS.items():
        program = _PROGRAM.format(what=what, before=before)
        command = [sys.executable, "-c", program]
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=_COMPILING, check=False
        )
        if done.returncode == 0:
            spent[name].append(int(done.stdout) / 1e6)
