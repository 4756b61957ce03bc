"""Measures sseware beside its peers.

``python -m benchmarks NAME`` prints one question's tables; ``all`` runs every one and writes tables, figures and plots
into ``benchmarks/results``; ``compare OLD NEW`` says what has become slower between two files of figures; ``soak``
lets clients come and go for minutes; ``conformance`` holds others against our laws.
"""

from __future__ import annotations

import argparse
import json
import sys
from importlib import import_module
from pathlib import Path

from . import conformance, soak
from .compare import changes, comparison
from .report import Report
from .suite import RESULTS, run_all, write
from .timing import QUICK_ROUNDS

# One file a question. A benchmark has a function run(rounds) that returns a Report.
BENCHMARKS = {
    "parse": "bench_parse",
    "encode": "bench_encode",
    "dialects": "bench_dialects",
    "driver": "bench_driver",
    "fanout": "bench_fanout",
    "growth": "bench_growth",
    "imports": "bench_imports",
    "keepalive": "bench_keepalive",
    "passthrough": "bench_passthrough",
    "server": "bench_server",
    "servers": "bench_servers",
}
ROUNDS = 11


def main(arguments: list[str] | None = None) -> int:
    options = _options(arguments)
    if options.benchmark == "compare":
        return _compare(options.before, options.after)
    if options.benchmark == "soak":
        return soak.run(options)
    if options.benchmark == "conformance":
        return conformance.run(options)
    if options.benchmark == "all":
        table, failed = run_all(tuple(BENCHMARKS), options.into or RESULTS, quick=options.quick)
        print(table)
        return 1 if failed else 0
    report: Report = import_module(f".{BENCHMARKS[options.benchmark]}", __package__).run(
        QUICK_ROUNDS if options.quick else ROUNDS
    )
    print(report.markdown())
    if options.markdown:
        options.markdown.write_text(report.markdown(), encoding="utf-8")
    if options.json:
        options.json.write_text(json.dumps(report.plain(), indent=1) + "\n", encoding="utf-8")
    if options.into:
        write(report, options.into)
    return 0


def _compare(before: Path, after: Path) -> int:
    found = list(changes(json.loads(before.read_text("utf-8")), json.loads(after.read_text("utf-8"))))
    print(comparison(found).markdown())
    return 1 if any(change.is_worse for change in found) else 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(dest="benchmark", required=True, metavar="NAME")
    for name in ("all", *sorted(BENCHMARKS)):
        command = commands.add_parser(name, help="all of them" if name == "all" else _question(name))
        command.add_argument(
            "--quick",
            action="store_true",
            help=f"{QUICK_ROUNDS} rounds instead of {ROUNDS}, or fewer, and less in each",
        )
        command.add_argument(
            "--into", type=Path, metavar="DIRECTORY", help="write tables, figures and plots there"
        )
        if name != "all":
            command.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
            command.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there")
    compare = commands.add_parser("compare", help="What has become slower between two files of figures?")
    compare.add_argument("before", type=Path, metavar="OLD", help="what --json wrote, or --into")
    compare.add_argument("after", type=Path, metavar="NEW")
    soak.add_options(commands.add_parser("soak", help=(soak.__doc__ or "").strip()))
    conformance.add_options(commands.add_parser("conformance", help=(conformance.__doc__ or "").strip()))
    return parser.parse_args(arguments)


def _question(name: str) -> str:
    source = (Path(__file__).parent / f"{BENCHMARKS[name]}.py").read_text("utf-8")
    return source.partition('"""')[2].partition("\n")[0].partition('"""')[0].replace("%", "%%")


if __name__ == "__main__":
    sys.exit(main())
