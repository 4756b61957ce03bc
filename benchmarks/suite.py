"""All benchmarks, one after the other, and what they say of the performance table."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from .report import Report
from .verdicts import verdicts

__all__ = ["RESULTS", "run_all", "write"]

RESULTS = Path(__file__).parent / "results"


def write(report: Report, directory: Path) -> None:
    """Writes a report as JSON and Markdown, and draws its plots.

    Without the plotting library there are no plots, and a line says so.
    """
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{report.name}.json").write_text(json.dumps(report.plain(), indent=1) + "\n", "utf-8")
    (directory / f"{report.name}.md").write_text(report.markdown(), "utf-8")
    try:
        from .plots import draw

        for plot in report.plots:
            draw(plot, directory)
    except ImportError as exc:
        print(f"no plots of {report.name}: {exc}", file=sys.stderr)


def run_all(names: Sequence[str], directory: Path, *, quick: bool) -> tuple[str, list[str]]:
    """Runs benchmarks, each in an interpreter of its own, into a directory.

    Args:
        names: Which.
        directory: Where the figures go.
        quick: Whether to take few rounds.

    Returns:
        The performance table with what was found, as Markdown; and why some have failed.
    """
    failed = []
    for name in _progress(names):
        command = [sys.executable, "-m", "benchmarks", name, "--into", str(directory), *["--quick"] * quick]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            failed.append(f"{name}: {(done.stderr.strip() or done.stdout.strip()).splitlines()[-1]}")
    reports: dict[str, Mapping[str, Any]] = {
        name: json.loads(path.read_text("utf-8"))
        for name in names
        if (path := directory / f"{name}.json").exists()
    }
    table = "# The performance table\n\n" + verdicts(reports).markdown() + _where(reports.values(), failed)
    (directory / "performance.md").write_text(table, "utf-8")
    return table, failed


def _where(reports: Collection[Mapping[str, Any]], failed: Sequence[str]) -> str:
    facts: dict[str, str] = {}
    for report in reports:
        facts |= {f"{name} {number}": "" for name, number in report["environment"]["versions"].items()}
        facts[f"{report['environment']['interpreter']}, {report['environment']['machine']}"] = ""
    missing = "".join(f"\n- not measured: {line}" for line in failed)
    for report in reports:
        left_out = report.get("left out", {}).items()
        missing += "".join(f"\n- left out of {report['benchmark']}: {peer}: {why}" for peer, why in left_out)
    return f"\nMeasured with {', '.join(sorted(facts))}.\n{missing}"


def _progress(names: Sequence[str]) -> Iterable[str]:
    try:
        tqdm = import_module("tqdm").tqdm
    except ImportError:
        return names
    bar = tqdm(names, disable=None, unit="benchmark")  # shows itself on a terminal only

    def each() -> Iterable[str]:
        for name in bar:
            bar.set_description(name)
            yield name

    return each()
