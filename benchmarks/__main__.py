"""``python -m benchmarks parse|encode|driver|dialects [--quick] [--json FILE] [--markdown FILE]``."""

from __future__ import annotations

import argparse
import json
import sys
from importlib import import_module
from pathlib import Path

from .report import Report

# One file a question. A benchmark has a function run(rounds) that returns a Report.
BENCHMARKS = {
    "parse": "bench_parse",
    "encode": "bench_encode",
    "driver": "bench_driver",
    "dialects": "bench_dialects",
}
ROUNDS = 11
QUICK_ROUNDS = 3


def main(arguments: list[str] | None = None) -> int:
    options = _options(arguments)
    report: Report = import_module(f".{BENCHMARKS[options.benchmark]}", __package__).run(
        QUICK_ROUNDS if options.quick else ROUNDS
    )
    print(report.markdown())
    if options.markdown:
        options.markdown.write_text(report.markdown(), encoding="utf-8")
    if options.json:
        options.json.write_text(json.dumps(report.plain(), indent=1) + "\n", encoding="utf-8")
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("benchmark", choices=sorted(BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} rounds instead of {ROUNDS}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
