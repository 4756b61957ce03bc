"""A shell is found by the name of its framework, where that is loaded, and says itself whether a call is its own."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from sseware import EventStream
from sseware.asgi import _frameworks
from sseware.asgi._frameworks import Shell, find_shell, response_class


async def answer(stream: object, args: tuple[object, ...]) -> object:
    return stream


@pytest.fixture
def framework(monkeypatch: pytest.MonkeyPatch) -> None:
    """A framework that is loaded, with two shells: one claims strings, one numbers."""
    monkeypatch.setitem(sys.modules, "a_framework", ModuleType("a_framework"))
    rows = [("not_loaded", "no_shell_at_all")]
    for kind in (str, int):
        module = ModuleType(f"shell_of_{kind.__name__}")
        module.SHELL = Shell(lambda args, kind=kind: isinstance(args[0], kind), answer)  # type: ignore[attr-defined, misc]  # made here
        monkeypatch.setitem(sys.modules, module.__name__, module)
        rows.append(("a_framework", module.__name__))
    monkeypatch.setattr(_frameworks, "_SHELLS", tuple(rows))


@pytest.mark.usefixtures("framework")
def test_the_shell_that_claims_a_call_is_found() -> None:
    assert find_shell(("text",)) is sys.modules["shell_of_str"].SHELL
    assert find_shell((3,)) is sys.modules["shell_of_int"].SHELL
    assert find_shell((None,)) is None


def test_where_no_framework_wants_its_own_class_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_frameworks, "_RESPONSES", (("not_loaded", "no_shell_at_all"),))
    assert response_class() is None
    assert type(EventStream([])) is EventStream


def test_a_shell_is_loaded_when_its_framework_is(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("starlette.responses")
    monkeypatch.delitem(sys.modules, "sseware.integrations.starlette", raising=False)
    found = response_class()
    assert found is sys.modules["sseware.integrations.starlette"].EventStream
    assert response_class() is found


def test_a_class_of_a_users_own_stays_what_it_is() -> None:
    class Own(EventStream):
        pass

    assert type(Own([])) is Own
