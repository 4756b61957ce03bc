"""`sseware.testing` costs those who do not use it nothing, and needs neither pytest nor hypothesis."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

import sseware.testing


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout.strip()


def test_everything_but_the_strategies_works_without_pytest_and_hypothesis() -> None:
    blocked = "import sys; sys.modules['pytest'] = sys.modules['hypothesis'] = None\n"
    use = (
        "from sseware.testing import *\n"
        "from sseware.wire import EventStreamParser\n"
        "print(check_prefixes(EventStreamParser, [load_vectors()[0].wire]))"
    )
    assert run(blocked + use) == "2"
    with_strategies = "try: import sseware.testing.strategies\nexcept ImportError as error: print(error.name)"
    assert run(blocked + with_strategies) == "hypothesis"


def test_hypothesis_and_the_vectors_are_not_loaded_before_they_are_used() -> None:
    late = {"hypothesis", "pytest", "sseware.testing.vectors"}
    assert run(f"import sys, sseware.testing; print({late} & set(sys.modules))") == "set()"


def test_hypothesis_is_told_of_our_values_and_loads_nothing_else() -> None:
    # Trio is told to hypothesis in the same way, and loads much.
    alone = "import os, sys; os.environ['HYPOTHESIS_NO_PLUGINS'] = '1'; import hypothesis\n"
    before = f"{alone}before = set(sys.modules)\n"
    late = {"anyio", "pluggy", "sseware.testing.strategies", "sseware.dialects"}
    ours = "from sseware.testing._hypothesis import register; register()\n"
    assert run(f"{before}{ours}print({late} & (set(sys.modules) - before))") == "set()"


def test_the_strategies_are_imported_by_their_own_name() -> None:
    assert run("from sseware.testing import strategies; print(strategies.events())") == "events()"


@pytest.mark.parametrize("name", sseware.testing.__all__)
def test_a_name_is_found_where_it_is_used(name: str) -> None:
    found = getattr(import_module("sseware.testing"), name)
    assert getattr(found, "__name__", name) == name
    assert found is vars(sseware.testing)[name]
    if not name.isupper():
        assert found.__module__.startswith("sseware.testing.")


def test_what_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"module 'sseware.testing' has no attribute 'nothing'"):
        _ = getattr(sseware.testing, "nothing")  # type checkers know that it is not there


def test_dir_lists_what_was_not_looked_up_yet() -> None:
    assert set(sseware.testing.__all__) <= set(dir(sseware.testing))
