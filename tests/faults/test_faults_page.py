"""The page of faults says what the tests hold."""

from __future__ import annotations

import re

from tests.faults.__main__ import PAGE, cases, page
from tests.faults.rows import SECTIONS

WRITE_IT = "it is out of date; write it again: python -m tests.faults"


def told(text: str) -> set[tuple[str, str, str]]:
    """Which row, which test in which file."""
    found, row = set(), ""
    for line in text.splitlines():
        if match := re.match(r"\*\*([A-Z]\d+)\*\*", line):
            row = match[1]
        elif match := re.match(r"- (?:in process|over real servers): (.+) \(`(.+)`\)", line):
            found.add((row, match[1], match[2]))
    return found


def gaps(text: str) -> str:
    return text.partition("## What no test holds")[2].partition("## ")[0]


def test_what_the_page_says_is_so() -> None:
    # A test that is not on it yet is no lie; one that is gone, or a row that has changed its state, is.
    written, current = PAGE.read_text(encoding="utf-8"), page()
    assert told(written) - told(current) == set(), WRITE_IT
    assert len(told(current) - told(written)) < 60, WRITE_IT
    assert set(gaps(current).splitlines()) <= set(gaps(written).splitlines()), WRITE_IT


def test_every_id_in_a_docstring_is_a_row() -> None:
    rows = {row.id for rows in SECTIONS.values() for row in rows}
    named = {case.row for case in cases() if case.row[0] in "EPHGXCSAD"}
    assert named - rows == set()
