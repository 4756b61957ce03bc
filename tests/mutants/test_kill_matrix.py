"""The laws are proved: each wrong target is found by its law, each law finds one, what is right is found by none."""

from __future__ import annotations

import faulthandler
import gc
import os
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sseware.testing import laws
from sseware.testing.errors import LawBroken
from sseware.wire import iter_events
from tests.mutants.encoders import right as right_encoder
from tests.mutants.matrix import MUTANTS, REFERENCES, killers_of, laws_for, page
from tests.mutants.mutant import Mutant
from tests.mutants.parsers import rescanned

PAGE = Path(__file__).resolve().parents[2] / "docs" / "kill-matrix.md"


def ident(mutant: Mutant) -> str:
    return f"{mutant.kind}-{mutant.name}".replace(" ", "-")


@pytest.mark.parametrize("mutant", MUTANTS, ids=ident)
def test_a_mutant_is_found_by_its_law_in_less_than_ten_seconds(mutant: Mutant) -> None:
    assert mutant.killer in {law.id for law in laws_for(mutant)}
    began = time.thread_time()
    with pytest.raises(LawBroken) as caught:
        laws.check(mutant.killer, mutant.target)
    assert time.thread_time() - began < 10
    if caught.value.example is not None:
        # What is shown is enough to see it again.
        with pytest.raises(LawBroken):
            laws.check(mutant.killer, mutant.target, caught.value.example)


@pytest.fixture
def slow_collections() -> Iterator[None]:
    """Makes each collection of garbage as slow as in a session with a large heap, and has one very often."""

    def burn(phase: str, _: object) -> None:
        end = time.thread_time() + 0.02
        while phase == "start" and time.thread_time() < end:
            pass

    before = gc.get_threshold()
    gc.callbacks.append(burn)
    gc.set_threshold(5)
    yield
    gc.set_threshold(*before)
    gc.callbacks.remove(burn)


@pytest.mark.usefixtures("slow_collections")
def test_what_the_session_collects_neither_hides_a_slow_parser_nor_makes_one() -> None:
    with pytest.raises(LawBroken):
        laws.check("parser/linear-time", rescanned)
    assert gc.isenabled()
    laws.check("parser/linear-time", iter_events)


def test_a_machine_that_is_slow_for_a_moment_does_not_hide_a_slow_parser(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, reads = 0.0, 0

    def quadratic(chunks: Iterable[bytes]) -> Iterator[Any]:
        nonlocal now, reads
        reads += 1
        # All in which a few pieces are read, before many are, take ten times as long as they should.
        now += len([*chunks]) ** 2 * (1e-5 if reads <= 16 else 1e-6)
        yield from ()

    clock = SimpleNamespace(thread_time=lambda: now)
    monkeypatch.setattr("sseware.testing.laws._parser_cost.time", clock)
    with pytest.raises(LawBroken):
        laws.check("parser/linear-time", quadratic, "one data line in pieces")


def test_a_machine_that_is_fast_for_a_moment_does_not_make_a_slow_parser(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0

    def linear(chunks: Iterable[bytes]) -> Iterator[Any]:
        nonlocal now
        # A few pieces fit into such a moment, many do not.
        for _ in chunks:
            now += 1e-6 if now % 0.02 < 0.001 else 1e-5
        yield from ()

    clock = SimpleNamespace(thread_time=lambda: now)
    monkeypatch.setattr("sseware.testing.laws._parser_cost.time", clock)
    laws.check("parser/linear-time", linear, "one data line in pieces")


def test_every_law_finds_a_mutant() -> None:
    # What is wrong with live endpoints is in tests/testing/test_url_laws.py.
    assert {law.id for law in laws.every() if law.kind != "url"} == {mutant.killer for mutant in MUTANTS}


@pytest.mark.parametrize(
    ("name", "target"),
    [pytest.param(name, target, id=name.replace(" ", "-")) for name, target in REFERENCES["app"]],
)
@pytest.mark.parametrize("law", laws.app())
def test_the_right_application_survives(law: laws.Law, name: str, target: Any) -> None:
    if name.endswith("endless") == (law.id in ("app/backpressure", "app/stalled-reader")):
        laws.check(law, target)
        return
    (verdict,) = laws.judge([law], target)
    # It sends too much to be silent, or too little to be stopped.
    assert verdict.grade in ("OK", "SKIPPED"), verdict.reason


@pytest.mark.parametrize("law", laws.encoder())
def test_the_right_encoder_survives(law: laws.Law) -> None:
    laws.check(law, right_encoder, max_examples=20)


def test_the_page_names_every_mutant_every_law_and_who_finds_whom() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for kind in REFERENCES:
        section = next(part for part in text.split("\n## ") if f"`{_first(kind)}`" in part)
        rows = [
            [cell.strip() for cell in line.strip("|").split("|")]
            for line in re.findall(r"^\|.*\|$", section, re.MULTILINE)
        ]
        ids = [f"{kind}/{name.strip('`')}" for name in rows[0][1:]]
        assert ids == [law.id for law in getattr(laws, kind)()]
        mutants = {mutant.name: mutant for mutant in MUTANTS if mutant.kind == kind}
        assert [row[0] for row in rows[2:]] == list(mutants)
        for name, *cells in rows[2:]:
            assert cells[ids.index(mutants[name].killer)] == "**x**", "make it again: python -m tests.mutants"
        for name, _ in REFERENCES[kind]:
            assert name in section


def _first(kind: str) -> str:
    name: str = getattr(laws, kind)()[0].id
    return name.partition("/")[2]


def test_killers_are_told_of_a_mutant() -> None:
    mutant = next(each for each in MUTANTS if each.name == "surrogates raise")
    assert killers_of(mutant) == ["encoder/surrogates"]


@pytest.mark.skipif("SSEWARE_SLOW" not in os.environ, reason="takes minutes; set SSEWARE_SLOW=1")
def test_the_page_is_current() -> None:
    faulthandler.cancel_dump_traceback_later()  # it does not hang: it takes two minutes, and the limit is as long
    assert page(tell=lambda _: None) == PAGE.read_text(encoding="utf-8")
