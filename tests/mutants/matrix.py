"""The kill matrix: which law finds which mutant, and that none finds anything in what is right."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from sseware import EventStreamParser, encode
from sseware.dialects import Registry
from sseware.testing import laws

from .apps import APPS, FLOOD, RIGHT
from .dialects import DIALECTS
from .encoders import ENCODERS
from .encoders import right as right_encoder
from .mutant import Mutant
from .parsers import PARSERS

__all__ = ["MUTANTS", "REFERENCES", "killers_of", "laws_for", "page"]

MUTANTS: tuple[Mutant, ...] = (*PARSERS, *ENCODERS, *DIALECTS, *APPS)
REFERENCES: dict[str, list[tuple[str, Any]]] = {
    "parser": [("sseware.EventStreamParser", EventStreamParser)],
    "encoder": [("sseware.encode", encode), ("the right encoder", right_encoder)],
    "dialect": [(name, name) for name in Registry(installed=False).names()],
    "app": [("the right application", RIGHT), ("the right application, endless", FLOOD)],
}
COST = {"parser/bounded-memory", "parser/bounded-comment", "parser/bounded-event", "parser/linear-time"}
ABOUT = """# The kill matrix

Laws are code, and code may be wrong: a law that finds nothing proves nothing. So each law is held against targets
that are known to be wrong. They differ from a right one in one thing each, and are modelled on what released parsers,
encoders, servers and middlewares have done. A cross is a law that finds a mutant. Every mutant is found by a law;
every law finds one; what is right is found by none.

`python -m tests.mutants` makes this page and takes a minute or two. A test holds that each mutant is found by the law
whose cross is bold, and that no row and no column is missing; with `SSEWARE_SLOW=1` it makes the whole page again.

Mutant parsers are plain ones that promise nothing about cost; the laws of cost are held against those that are wrong
in cost alone.
"""
TITLES = {"parser": "Parsers", "encoder": "Encoders", "dialect": "Dialects", "app": "Applications"}


def laws_for(mutant: Mutant) -> tuple[laws.Law, ...]:
    """Returns the laws that a mutant is held against."""
    table: tuple[laws.Law, ...] = getattr(laws, mutant.kind)()
    if mutant.kind != "parser":
        return table
    return tuple(law for law in table if (law.id in COST) <= mutant.cost)


def killers_of(mutant: Mutant) -> list[str]:
    """Returns the laws that find a mutant."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        verdicts = laws.judge(laws_for(mutant), mutant.target)
        return [verdict.law.id for verdict in verdicts if verdict.grade in ("FAILED", "SHOULD")]


def page(*, tell: Any = partial(print, flush=True)) -> str:
    """Returns the page, and tells how far it is."""
    parts = [ABOUT]
    for kind, title in TITLES.items():
        mutants = [mutant for mutant in MUTANTS if mutant.kind == kind]
        rows = []
        for mutant in mutants:
            began = time.perf_counter()
            rows.append((mutant, killers_of(mutant)))
            tell(f"{kind}: {mutant.name}, {time.perf_counter() - began:.1f} s")
        table: tuple[laws.Law, ...] = getattr(laws, kind)()
        parts.append(_section(title, kind, [law.id for law in table], rows))
    return "\n".join(parts)


def _section(title: str, kind: str, ids: Sequence[str], rows: Iterable[tuple[Mutant, list[str]]]) -> str:
    names = [f"`{each.partition('/')[2]}`" for each in ids]
    lines = [["mutant", *names], ["---", *[":-:"] * len(ids)]]
    for mutant, killers in rows:
        lines.append([mutant.name, *(_cross(mutant, each, killers) for each in ids)])
    survivors = ", ".join(name for name, _ in REFERENCES[kind])
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"## {title}\n\nFound by none: {survivors}.\n\n{table}\n"


def _cross(mutant: Mutant, law: str, killers: list[str]) -> str:
    if law not in killers:
        return ""
    return "**x**" if law == mutant.killer else "x"
