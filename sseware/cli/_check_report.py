"""What ``check`` prints and writes: lines for people, JSON, JUnit's XML, and a bar while it works."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, TextIO
from xml.etree import ElementTree as ET

from ._layout import indented

if TYPE_CHECKING:
    from ..testing.laws import Law, Verdict

__all__ = ["ProgressBar", "as_json", "as_junit", "as_lines", "is_bad", "summary"]

_GRADES: Final = ("OK", "SHOULD", "FAILED", "SKIPPED")
_BAR: Final = 24


def is_bad(verdict: Verdict, *, strict: bool) -> bool:
    """Tells whether a verdict lets the check fail."""
    return verdict.grade == "FAILED" or (strict and verdict.grade == "SHOULD")


def as_lines(verdict: Verdict, width: int) -> str:
    """Returns what is told of one law.

    Args:
        verdict: What became of it.
        width: How wide the column of the ids is.
    """
    law = verdict.law
    told = verdict.reason if verdict.grade == "SKIPPED" else law.rule
    head = f"{verdict.grade:8} {law.id:{width}}  {told}"
    if verdict.grade in ("OK", "SKIPPED"):
        return head
    about = f"{'':9}{law.level}, {law.reference}"
    shown = indented(verdict.reproducer.rstrip("\n"), " " * 13)
    return "\n".join([head, about, textwrap.indent(verdict.reason, " " * 9), "", shown, ""])


def summary(verdicts: Sequence[Verdict]) -> str:
    """Returns how many verdicts there are of each grade."""
    counts = Counter(verdict.grade for verdict in verdicts)
    return ", ".join(f"{counts[grade]} {grade}" for grade in _GRADES if counts[grade])


def as_json(kind: str, target: str, verdicts: Sequence[Verdict]) -> str:
    """Returns everything, for programs."""
    counts = Counter(verdict.grade for verdict in verdicts)
    document: dict[str, Any] = {
        "kind": kind,
        "target": target,
        "counts": {grade: counts[grade] for grade in _GRADES},
        "verdicts": [
            {
                "law": verdict.law.id,
                "level": verdict.law.level,
                "grade": verdict.grade,
                "rule": verdict.law.rule,
                "reference": verdict.law.reference,
                "reason": verdict.reason,
                "reproducer": verdict.reproducer,
                "seconds": round(verdict.seconds, 3),
            }
            for verdict in verdicts
        ],
    }
    return json.dumps(document, indent=1, ensure_ascii=False)


def as_junit(kind: str, target: str, verdicts: Sequence[Verdict], *, strict: bool) -> bytes:
    """Returns the verdicts as JUnit's XML: a test case a law. A SHOULD is a skipped one, unless it is strict."""
    bad = [verdict for verdict in verdicts if is_bad(verdict, strict=strict)]
    suite = ET.Element(
        "testsuite",
        name=f"sseware check {kind} {_printable(target)}",
        tests=str(len(verdicts)),
        failures=str(len(bad)),
        errors="0",
        skipped=str(sum(verdict.grade != "OK" for verdict in verdicts) - len(bad)),
        time=f"{sum(verdict.seconds for verdict in verdicts):.3f}",
    )
    for verdict in verdicts:
        case = ET.SubElement(
            suite,
            "testcase",
            classname=f"sseware.{kind}",
            name=verdict.law.id,
            time=f"{verdict.seconds:.3f}",
        )
        if verdict.grade == "OK":
            continue
        first = _printable(verdict.reason.partition("\n")[0])
        if is_bad(verdict, strict=strict):
            told = ET.SubElement(case, "failure", type=verdict.law.level, message=first)
            told.text = _printable(f"{verdict.law.rule}\n{verdict.reason}\n\n{verdict.reproducer}")
        else:
            ET.SubElement(case, "skipped", message=f"{verdict.grade}: {first}")
    suites = ET.Element("testsuites")
    suites.append(suite)
    ET.indent(suites)
    document: bytes = ET.tostring(suites, encoding="utf-8", xml_declaration=True)
    return document


def _printable(text: str) -> str:
    """Spells out what XML 1.0 cannot carry."""
    return "".join(
        each if each in "\t\n" or (each >= " " and each not in "\ufffe\uffff" and not "\ud800" <= each <= "\udfff")
        else ascii(each)[1:-1]
        for each in text
    )  # fmt: skip


class ProgressBar:
    """A bar on a terminal; nothing at all where there is none.

    Args:
        stream: Where it is drawn.
        total: How many laws there are.
    """

    def __init__(self, stream: TextIO, total: int) -> None:
        self._stream = stream
        self._total = total
        self._done = 0
        self._shows = stream.isatty()

    def begin(self, law: Law) -> None:
        """Shows which law is checked."""
        if self._shows:
            full = _BAR * self._done // max(self._total, 1)
            bar = "#" * full + "." * (_BAR - full)
            self._stream.write(f"\r\x1b[K[{bar}] {self._done + 1}/{self._total} {law.id}")
            self._stream.flush()
        self._done += 1

    def clear(self) -> None:
        """Makes room for a line."""
        if self._shows:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
