"""What the benchmarks of growth and of fan-out time is what they say."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import anyio
import pytest

from benchmarks import bench_fanout, bench_growth, bench_imports, suite
from benchmarks.medians import Median
from benchmarks.plots import Plot
from benchmarks.report import Report


@pytest.mark.parametrize("count", [1, 7])
def test_every_subscriber_gets_every_event(count: int) -> None:
    assert anyio.run(bench_fanout.fan_out, count) == 10 * count
    assert anyio.run(bench_fanout.stream_out, count) == 10 * count


def test_fan_out_is_measured_for_each_number_of_subscribers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_fanout, "SUBSCRIBERS", (400, 800))
    (table,) = bench_fanout.run(1).tables
    assert [row[0] for row in table.rows] == ["400", "800"]
    assert all(isinstance(cell, float) and cell > 0 for row in table.rows for cell in row[1:])


def test_growth_is_measured_for_each_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_growth, "FACTORS", (1, 2))
    report = bench_growth.run(1)
    assert [len(row) for table in report.tables for row in table.rows] == [4] * 11
    assert all(
        isinstance(cell, float) and cell > 0
        for table in report.plain()["tables"]
        for row in table["rows"]
        for cell in row[1:]
    )


def test_a_package_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_imports, "_IMPORTS", {"json": ("json", ""), "no": ("no_such", "")})
    (table,) = bench_imports.run(1).tables
    assert isinstance(table.rows[0][1], Median)
    assert table.rows[1][1] == "not installed"


@pytest.mark.parametrize("kind", ["bars", "lines"])
def test_a_plot_is_the_same_for_the_same_figures(kind: str, tmp_path: Path) -> None:
    pytest.importorskip(
        "matplotlib", reason="matplotlib draws the plots; it is in benchmarks/requirements.txt"
    )
    values, spreads = {"a": [1.0, 2.0], "b": [3.0, None]}, {"a": [0.1, None]}
    plot = Plot("p", "t", kind, (1, 2), "x", "y", values, 1.0, spreads)  # type: ignore[arg-type]  # one of the two
    drawn = []
    for _ in range(2):
        suite.write(Report("some", (), 1, (), plots=(plot,)), tmp_path)
        drawn.append((tmp_path / "p.svg").read_text("utf-8"))
    assert drawn[0] == drawn[1]
    assert ET.fromstring(drawn[0]).tag.endswith("svg")
