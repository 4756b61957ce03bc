"""Each hook is documented by an example that runs, and tested by its name."""

from __future__ import annotations

import doctest
import inspect
from pathlib import Path

import pluggy
import pytest

from sseware.dialects import _hookspecs, hookimpl

HOOKS = [name for name in _hookspecs.__all__ if name.startswith("sseware_")]
EACH = pytest.mark.parametrize("name", HOOKS)
TESTS = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))


def test_pluggy_knows_the_hooks_that_are_listed() -> None:
    manager = pluggy.PluginManager("sseware")
    manager.add_hookspecs(_hookspecs)
    assert {name for name in vars(manager.hook) if not name.startswith("_")} == set(HOOKS)


@EACH
def test_a_hook_has_an_example_that_runs(name: str) -> None:
    hook = getattr(_hookspecs, name)
    (example,) = doctest.DocTestFinder(recurse=False).find(hook, name, module=_hookspecs)
    prose = example.docstring or ""
    assert name in prose
    assert len(example.examples) >= 2
    assert doctest.DocTestRunner(verbose=False).run(example).failed == 0
    assert "Returns:" in prose
    assert ("Args:" in prose) == bool(inspect.signature(hook).parameters)


@EACH
def test_a_hook_takes_positional_arguments_without_defaults(name: str) -> None:
    # pluggy 1.7 passes defaults on, and 1.6 does not; keyword-only ones it never sees.
    for parameter in inspect.signature(getattr(_hookspecs, name)).parameters.values():
        assert parameter.kind is parameter.POSITIONAL_OR_KEYWORD
        assert parameter.default is parameter.empty


@EACH
def test_a_hook_is_tested(name: str) -> None:
    assert f"def {name}(" in TESTS


def test_an_implementation_is_marked_for_this_project() -> None:
    assert hookimpl.project_name == "sseware"
