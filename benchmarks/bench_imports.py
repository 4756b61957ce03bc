"""How long does an import take, over what the interpreter takes by itself?"""

from __future__ import annotations

import resource
import subprocess
import sys
from statistics import median

from .report import Report, Table

__all__ = ["run"]

# What is imported, and what it is measured over.
_IMPORTS = {
    "import sseware": ("import sseware", "pass"),
    "from sseware import SSEMiddleware": ("from sseware import SSEMiddleware", "pass"),
    "from sseware import EventStreamParser": ("from sseware import EventStreamParser", "pass"),
    "the pytest plugin": ("import pytest, sseware.testing.plugin", "import pytest"),
    "import sse_starlette": ("import sse_starlette", "pass"),
    "import starlette.applications": ("import starlette.applications", "pass"),
    "import fastapi": ("import fastapi", "pass"),
}


def run(rounds: int) -> Report:
    """Returns the table."""
    programs = {program for pair in _IMPORTS.values() for program in pair}
    spent: dict[str, list[float]] = {program: [] for program in programs}
    missing = {program for program in programs if _seconds(program) is None}
    for _ in range(rounds):
        for program in sorted(programs - missing):
            spent[program].append(_seconds(program) or 0.0)
    rows: list[list[str | float]] = []
    for name, (program, base) in _IMPORTS.items():
        if program in missing:
            rows.append([name, "not installed"])
        else:
            rows.append([name, (median(spent[program]) - median(spent[base])) * 1e3])
    table = Table(
        "Importing",
        "Milliseconds of processor time, over those of `python -c pass` (for the plugin: over `import pytest`), from "
        "compiled files.",
        ["what", "ms"],
        rows,
    )
    return Report(
        "imports", ("sse-starlette", "starlette", "fastapi"), rounds, [table], "processor time of the process"
    )


def _seconds(program: str) -> float | None:
    """Runs a program in an interpreter of its own; returns its processor time, ``None`` where it fails."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", program], stderr=subprocess.DEVNULL, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        return None
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
