"""The page of faults says what the tests hold."""

from __future__ import annotations

from tests.faults.__main__ import PAGE, cases, page
from tests.faults.rows import SECTIONS


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it again: python -m tests.faults"


def test_every_id_in_a_docstring_is_a_row() -> None:
    rows = {row.id for rows in SECTIONS.values() for row in rows}
    named = {case.row for case in cases() if case.row[0] in "EPHGXCSAD"}
    assert named - rows == set()
