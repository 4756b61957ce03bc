"""Writes ``docs/faults.md`` from the docstrings of the tests: ``python -m tests.faults``."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.faults.rows import SECTIONS, Row

__all__ = ["PAGE", "cases", "page"]

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "faults.md"
IDS = re.compile(r"((?:[EPHGXCSAD]\d+|B14|T\d)(?:, [A-Z]\d+)*)[.:]")
REAL = ("tests/faults", "tests/e2e", "tests/servers")

HEAD = """\
# Faults, and the tests that hold them

*Generated from the tests by `python -m tests.faults`; a test fails where it says what is not so.*

What must hold when things go wrong: each row is a fault, and the tests that bear its id in their docstrings. A
test is *in process* (asyncio and Trio) or *over real servers*: uvicorn with h11 and httptools in every run; uvloop,
hypercorn on asyncio and on Trio, granian and daphne where `SSEWARE_SLOW=1` is set. What cannot hold on a server
because of that server is in `servers.md`.
"""


class Case(NamedTuple):
    """A test that holds a row."""

    row: str
    file: str
    name: str

    @property
    def real(self) -> bool:
        """Whether it runs over real servers."""
        return self.file.startswith(REAL) or "over_servers" in self.file or "real_servers" in self.file

    @property
    def sentence(self) -> str:
        return self.name.removeprefix("test_").replace("_", " ")


def cases() -> list[Case]:
    """Finds every test whose docstring begins with the ids of rows."""
    return [case for path in sorted((ROOT / "tests").rglob("test_*.py")) for case in _in_file(path)]


def _in_file(path: Path) -> Iterator[Case]:
    file = path.relative_to(ROOT).as_posix()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            match = IDS.match(ast.get_docstring(node) or "")
            for row in match.group(1).split(", ") if match else ():
                yield Case(row, file, node.name)


def page() -> str:
    """Makes the page."""
    found: defaultdict[str, list[Case]] = defaultdict(list)
    for case in cases():
        found[case.row].append(case)
    open_rows = [gap for rows in SECTIONS.values() for row in rows if (gap := _gap(row, found[row.id]))]
    parts = [HEAD]
    parts.append("## What no test holds\n\n" + ("\n".join(open_rows) if open_rows else "Nothing.") + "\n")
    for title, rows in SECTIONS.items():
        parts.append(f"## {title}\n")
        parts += [_entry(row, found[row.id]) for row in rows]
    return "\n".join(parts)


def _gap(row: Row, tests: list[Case]) -> str | None:
    missing = [] if any(not case.real for case in tests) or (row.real and tests) else ["in process"]
    if row.real and not any(case.real for case in tests):
        missing.append("over real servers")
    return f"- **{row.id}** {row.fault}: {', '.join(missing)}" if missing else None


def _entry(row: Row, tests: list[Case]) -> str:
    lines = [f"**{row.id}** {row.fault}\n"]
    for title, real in (("in process", False), ("over real servers", True)):
        these = [case for case in tests if case.real is real]
        lines += [f"- {title}: {case.sentence} (`{case.file}`)" for case in these]
    if not tests:
        lines.append("- no test")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE}")
