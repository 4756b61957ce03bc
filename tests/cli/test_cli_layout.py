"""Columns and blocks."""

from __future__ import annotations

from sseware.cli._layout import columns, indented


def test_columns_are_as_wide_as_their_widest_cell_and_lines_end_where_their_text_does() -> None:
    assert columns([("a", "bb", ""), ("ccc", "d", "e")]) == "a    bb\nccc  d   e"


def test_an_empty_line_stays_empty_when_it_is_indented() -> None:
    assert indented("a\n\nb", by="> ") == "> a\n\n> b"


def test_a_line_ends_at_lf_only() -> None:
    assert indented("a\u2028b\x0bc") == "    a\u2028b\x0bc"
