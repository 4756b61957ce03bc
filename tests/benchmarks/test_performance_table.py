"""The performance table is filled from figures, and says so where one is missing or falls short."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from benchmarks import suite
from benchmarks.__main__ import BENCHMARKS, main
from benchmarks.compare import changes, comparison
from benchmarks.medians import Median
from benchmarks.peers import tried
from benchmarks.report import Report, Table
from benchmarks.targets import TARGETS, Target
from benchmarks.verdicts import judge, number, verdicts


def report(*rows: list[str | float]) -> dict[str, Any]:
    table = Table("Parsing", "", ["shape", "chunk", "of bare", "httpx-sse"], rows)
    plain = Report("parse", ["httpx-sse"], 3, [table]).plain()
    again: dict[str, Any] = json.loads(json.dumps(plain))
    return again


ROWS: tuple[list[str | float], ...] = (["small", "1 KiB", "71%", 4.0], ["with CRLF", "1 KiB", "20%", "(0.5)"])


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        (2.5, 2.5),
        ("71%", 0.71),
        ("71% ± 2%", 0.71),
        ("(0.5)", 0.5),
        ("(0.5 ± 0.1)", 0.5),
        ("minutes", None),
        ("not installed", None),
    ],
)
def test_a_cell_is_the_number_that_it_shows(cell: object, value: float | None) -> None:
    assert number(cell) == value


@pytest.mark.parametrize(
    ("target", "found", "holds"),
    [
        (Target(work="w", benchmark="parse", rows=("small",), column="httpx-sse", at_least=4), 4.0, True),
        (Target(work="w", benchmark="parse", rows=("small",), column="httpx-sse", at_least=4.1), 4.0, False),
        (Target(work="w", benchmark="parse", rows=("", "1 KiB"), column="httpx-sse", at_least=1), 0.5, False),
        (Target(work="w", benchmark="parse", but=("with CRLF",), column="httpx-sse", at_least=1), 4.0, True),
        (Target(work="w", benchmark="parse", column="of bare", at_most=0.7), 0.71, False),
        (Target(work="w", benchmark="parse", column="of bare", at_most=0.8), 0.71, True),
        (Target(work="w", benchmark="parse", rows=("large",), column="of bare", at_most=0.8), None, None),
        (Target(work="w", benchmark="parse", column="openai", at_most=0.8), None, None),
        (Target(work="w", benchmark="encode", column="of bare", at_most=0.8), None, None),
    ],
)
def test_the_worst_figure_that_fits_is_judged(
    target: Target, found: float | None, holds: bool | None
) -> None:
    verdict = judge(target, {"parse": report(*ROWS)})
    assert (verdict.found and verdict.found.value, verdict.holds) == (found, holds)


def test_a_figure_is_told_with_the_spread_of_its_rounds() -> None:
    several, once = Median.of([4.0, 5.0, 6.0, 9.0, 10.0]), Median.of([4.0])
    assert (several, once) == (Median(6.0, 2.0), Median(4.0))
    assert f"{several:.1f}, {once:.1f}, {Median.of([0.5, 0.5]):.0%}" == "6.0 ± 2.0, 4.0, 50% ± 0%"
    table = Table(
        "T", "", ["scene", "of bare", "a", "b"], [["x", f"{several:.0%}", several, f"({several:.2f})"]]
    )
    assert "| x | 600% ± 200% | 6.00 ± 2.00 | (6.00 ± 2.00) |" in table.markdown()
    plain = json.loads(json.dumps(table.plain()))
    assert plain["rows"] == [["x", "600% ± 200%", 6.0, "(6.00 ± 2.00)"]]
    assert plain["spreads"] == [[None, None, 2.0, None]]
    for column in ("of bare", "a", "b"):
        verdict = judge(
            Target(work="w", benchmark="t", column=column, at_least=6), {"t": {"tables": [plain]}}
        )
        assert (verdict.found, verdict.holds) == (several, True)
    (row,) = verdicts(
        {"t": {"tables": [plain]}}, [Target(work="w", benchmark="t", column="a", at_most=5)]
    ).rows
    assert row[2:4] == ["6.00 ± 2.00", "**falls short**"]


def test_what_was_not_measured_is_not_passed_over() -> None:
    table = verdicts({})
    assert len(table.rows) == len(TARGETS)
    assert {row[3] for row in table.rows} == {"not measured"}


def test_each_row_shows_our_figure_beside_the_best_peer_and_the_bare_limit() -> None:
    columns = ["scene", "of each", "µs", "a", "b", "bare loop"]
    table = Table(
        "T",
        "",
        columns,
        [["a burst", "event", 2.0, 3.0, 1.5, "50%"]],
        ours="µs",
        peers="ab",
        bare="bare loop",
    )
    of_burst = Target(work="a burst", benchmark="driver", column="a", at_least=2)
    rest = Table("R", "", ["peer", "KiB"], [["us", 20.0], ["a", 9.0]], ours="us", peers=["a"])
    of_rest = Target(work="at rest", benchmark="server", rows=("us",), column="KiB", at_most=26)
    reports = {
        "driver": Report("driver", (), 1, [table]).plain(),
        "server": Report("server", (), 1, [rest]).plain(),
    }
    assert verdicts(reports, [of_burst, of_rest]).rows == [
        ["a burst", "≥ 2", "3.00", "holds", "2 µs", "3 µs (b)", "1 µs", "a burst, event"],
        ["at rest", "≤ 26", "20.00", "holds", "20", "9 (a)", "-", "us"],
    ]


def test_a_peer_that_is_missing_or_has_changed_is_left_out_with_its_reason() -> None:
    def changed() -> str:
        raise AttributeError("no attribute 'Decoder'")

    makers = {"one": lambda: "one", "other": lambda: import_module("no_such_peer").one, "third": changed}
    peers = tried(makers, str)
    assert peers.found == {"one": "one"}
    why = {"other": "no_such_peer is not installed", "third": "AttributeError: no attribute 'Decoder'"}
    assert peers.left_out == why
    written = Report("driver", (), 1, [], left_out=why).markdown()
    assert "- left out: other: no_such_peer is not installed\n" in written


def test_a_peer_that_fails_when_it_is_tried_is_left_out() -> None:
    assert tried({"number": lambda: "x"}, int).left_out["number"].startswith("ValueError: invalid literal")


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.work)
def test_a_target_is_for_a_benchmark_that_there_is(target: Target) -> None:
    assert target.benchmark in BENCHMARKS
    assert (target.at_least is None) is not (target.at_most is None)


def test_a_ratio_that_was_lost_is_the_first_to_be_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slower = report(["small", "1 KiB", "71%", 3.0], ["with CRLF", "1 KiB", "20%", 0.9])
    found = list(changes(report(*ROWS), slower))
    assert [change.is_worse for change in found] == [True, False]
    assert [row[-1] for row in comparison(found).rows] == ["-25%", "+80%"]
    for name, plain in (("old", report(*ROWS)), ("new", slower)):
        (tmp_path / name).write_text(json.dumps(plain), "utf-8")
    assert main(["compare", str(tmp_path / "old"), str(tmp_path / "new")]) == 1
    assert "Parsing: small, 1 KiB: httpx-sse" in capsys.readouterr().out
    assert main(["compare", str(tmp_path / "old"), str(tmp_path / "old")]) == 0


def test_a_benchmark_that_fails_is_named_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suite, "_progress", list)
    table, failed = suite.run_all(["no such benchmark"], tmp_path, quick=True)
    assert failed
    assert "not measured: no such benchmark: " in table
    assert (tmp_path / "performance.md").read_text("utf-8") == table


def test_each_benchmark_has_its_question_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    assert all(name in shown for name in BENCHMARKS)
    assert shown.count("?") >= len(BENCHMARKS)
