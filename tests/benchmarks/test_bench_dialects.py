"""What the benchmark of the dialects measures is what it says."""

from __future__ import annotations

import pytest

from benchmarks import bench_dialects
from benchmarks.bench_dialects import DIALECTS, ITEMS, decoded, encoded, run
from sseware.items import Text


@pytest.mark.parametrize("name", DIALECTS)
def test_each_input_can_be_read_again_and_says_the_same(name: str) -> None:
    dialect, items = DIALECTS[name], ITEMS["text"]
    read = decoded(dialect, b"".join(encoded(dialect, items)))
    said = "".join(item.text for item in items if isinstance(item, Text))
    assert "".join(item.text for item in read if isinstance(item, Text)) == said


def test_there_is_a_figure_for_each_dialect_and_item(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_dialects, "ITEMS", {kind: items[:50] for kind, items in ITEMS.items()})
    report = run(1)
    for table in report.tables:
        assert [row[0] for row in table.rows] == [*DIALECTS]
        assert all(isinstance(cell, float) and cell > 0 for row in table.rows for cell in row[1:])
        assert len(table.columns) == len(ITEMS) + 1
