"""Which laws do the parsers, encoders and responses of others keep?"""

from __future__ import annotations

import argparse
import json
import logging
import platform
import re
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from sseware.testing import laws

from .conformance_apps import APPS, FLOOD, STORY, target
from .conformance_encoders import ENCODERS
from .conformance_parsers import PARSERS
from .report import installed

__all__ = ["add_options", "run"]

RESULT = Path(__file__).parent / "results" / "conformance.md"
DOCS = Path(__file__).resolve().parents[1] / "docs" / "conformance.md"
MARKS = {"OK": "ok", "SHOULD": "(no)", "FAILED": "**no**", "SKIPPED": "-"}
ABOUT = """# Conformance

What the laws of `sseware.testing` say of parsers, encoders and responses in other packages, in the versions that were
the newest on the day. `python -m benchmarks conformance` makes this page.

*ok*: the law holds for everything that was tried. **no**: a MUST is broken. (no): a SHOULD is broken. -: it could not
be judged, or is none of its business. Below each table stands, for each broken law, the smallest example that was
found. A broken law is not always a bug: some packages read and write their own systems' streams only, and say so.
"""
PARSER_NOTE = """A parser is called below its HTTP client, as the client calls it. langgraph-sdk takes all data for
JSON; here its JSON decoder is replaced by one that takes any text."""
ENCODER_NOTE = (
    """datastar-py writes events of its own: what is called is the function beneath its public ones."""
)
APP_NOTE = """One handler (four events, then silence; at another path a flood that never awaits) in each response class,
with its default options, in process, in virtual time, on each of the server personalities: uvicorn on HTTP/1.1 and 2,
hypercorn, granian, daphne, a server of ASGI 2.4, one in lockstep, and Starlette's test client."""


class Column(msgspec.Struct, frozen=True):
    """What became of one package.

    Attributes:
        name: The distribution.
        version: Its version, or ``None`` where it is not installed.
        why: Why it was not tried.
        verdicts: By law.
    """

    name: str
    version: str | None
    why: str
    verdicts: dict[str, laws.Verdict]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every verdict there")
    parser.add_argument(
        "--into", type=Path, metavar="FILE", help=f"write the page there, not to {RESULT.name} and docs"
    )
    parser.add_argument(
        "--only", metavar="KIND", choices=("parser", "encoder", "app"), help="one of the tables"
    )


def run(options: argparse.Namespace) -> int:
    """Holds others against the laws, and writes the page."""
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _run(options)
    finally:
        logging.disable(logging.NOTSET)


def _run(options: argparse.Namespace) -> int:
    sections: dict[str, Callable[[], tuple[str, list[Column]]]] = {
        "parser": lambda: _section(
            "Parsers", PARSER_NOTE, laws.parser(), columns(PARSERS, _judge_with(laws.parser()))
        ),
        "encoder": lambda: _section(
            "Encoders", ENCODER_NOTE, laws.encoder(), columns(ENCODERS, _judge_with(laws.encoder()))
        ),
        "app": lambda: _section("Responses", APP_NOTE, _app_laws(), columns(APPS, _judge_app)),
    }
    when = f"{datetime.now(UTC):%Y-%m-%d}, {platform.python_implementation()} {platform.python_version()}."
    made = [section() for kind, section in sections.items() if options.only in (None, kind)]
    page = "\n".join([ABOUT, when, "", *(text for text, _ in made)])
    print(page)
    for path in (options.into,) if options.into else (RESULT, DOCS):
        path.write_text(page, encoding="utf-8")
    if options.json:
        options.json.write_text(
            json.dumps([_plain(found) for _, found in made], indent=1) + "\n", encoding="utf-8"
        )
    return 0


def _app_laws() -> list[laws.Law]:
    return [laws.get(name) for name in (*STORY[1:], *FLOOD[1:])]


def _judge_with(table: Sequence[laws.Law]) -> Callable[[str, Any], Iterable[laws.Verdict]]:
    return lambda name, made: laws.judge(table, made, name=f"{name}:target")


def _judge_app(name: str, app: Any) -> Iterable[laws.Verdict]:
    for path, *names in (STORY, FLOOD):
        yield from laws.judge([laws.get(law) for law in names], target(app, path, name))


def columns(
    makers: dict[str, Callable[[], Any]], judge: Callable[[str, Any], Iterable[laws.Verdict]]
) -> list[Column]:
    """Judges each package that is installed."""
    found: list[Column] = []
    for name, make in makers.items():
        version = installed(name)
        try:
            made = make()
        except ImportError as error:
            why = f"not installed ({error})"
            found.append(Column(name, None, why, {}))
            continue
        except AttributeError as error:
            found.append(Column(name, version, f"what is tried is not in this version: {error}", {}))
            continue
        verdicts: dict[str, laws.Verdict] = {}
        for verdict in judge(name, made):
            verdicts[verdict.law.id] = verdict
            print(
                f"{name} {verdict.law.id} {verdict.grade} {verdict.seconds:.1f} s",
                file=sys.stderr,
                flush=True,
            )
        found.append(Column(name, version, "", verdicts))
    return found


def _section(
    title: str, note: str, table: Sequence[laws.Law], found: list[Column]
) -> tuple[str, list[Column]]:
    tried = [column for column in found if not column.why]
    heads = ["law", *(_name(column) for column in tried)]
    lines = [heads, ["---", *[":-:"] * len(tried)]]
    for law in table:
        marks = [MARKS[column.verdicts[law.id].grade] for column in tried]
        lines.append([f"`{law.id}`", *marks])
    missing = [f"- {column.name}: {column.why}\n" for column in found if column.why]
    rows = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    broken = "\n".join(text for column in tried if (text := _broken(column)))
    return "\n".join([f"## {title}\n", note, "", rows, "", *missing, broken]), found


def _name(column: Column) -> str:
    # Run from its source, ours has no version.
    return column.name if column.version is None else f"{column.name} {column.version}"


def _broken(column: Column) -> str:
    told = [verdict for verdict in column.verdicts.values() if verdict.grade in ("FAILED", "SHOULD")]
    if not told:
        return ""
    lines = [f"### {_name(column)}\n"]
    lines += [f"- `{verdict.law.id}`: {_short(verdict)}" for verdict in told]
    return "\n".join([*lines, ""])


def _short(verdict: laws.Verdict) -> str:
    """Returns what is wrong, and the example, in one line."""
    what, *details = verdict.reason.split("\n")
    said = [what, *(line for line in details if line.startswith(("got:", "want:", "wrote:")))]
    call = " ".join(verdict.reproducer[verdict.reproducer.find("laws.check(") :].split())
    if verdict.law.kind == "app":
        server = re.search(r"'([a-z0-9.-]+)',? \)?$|, '([a-z0-9.-]+)'\)$", call)
        said += [f"on {server[1] or server[2]}"] if server and "/" not in server[0] else []
    else:
        arguments = call.removeprefix("laws.check(").rstrip("), ").split(", ", 2)
        said += [f"example {arguments[2]}"] if len(arguments) == 3 else []
    # A backtick in an example would end the code that it stands in; of a file its name will do.
    text = re.sub(r"\((?:/[^/()]+)+/([^/()]+:\d+)\)", r"(\1)", "; ".join(said).replace("`", "'"))
    return f"`{text[:300]}{'...' if len(text) > 300 else ''}`"


def _plain(found: list[Column]) -> list[dict[str, Any]]:
    return [
        {
            "name": column.name,
            "version": column.version,
            "why": column.why,
            "verdicts": {
                name: {"grade": each.grade, "reason": each.reason, "reproducer": each.reproducer}
                for name, each in column.verdicts.items()
            },
        }
        for column in found
    ]
