"""`sseware._lazy`: importing the package costs next to nothing, and everything is there when it is asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

import sseware
from sseware._lazy import looked_up_late


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout.strip()


def test_the_front_door_loads_nothing_before_it_is_asked() -> None:
    late = {"anyio", "msgspec", "pluggy", "asyncio", "sseware.wire", "sseware.items"}
    assert run(f"import sys, sseware, sseware.testing; print({late} & set(sys.modules))") == "set()"


def test_reading_and_writing_events_needs_neither_a_server_nor_a_dialect() -> None:
    late = {"anyio", "pluggy", "asyncio", "sseware.asgi", "sseware.dialects"}
    use = "sseware.encode(sseware.ServerSentEvent()), sseware.EventStreamParser()"
    assert run(f"import sys, sseware; {use}; print({late} & set(sys.modules))") == "set()"


def test_everything_can_be_imported_with_a_star() -> None:
    assert run("from sseware import *; print(items.Text('a'), encode(ServerSentEvent('b')))") == (
        "Text(text='a') b'data: b\\n\\n'"
    )


@pytest.mark.parametrize("name", ["asgi", "dialects", "errors", "events", "items", "negotiation", "wire"])
def test_the_modules_are_there_without_being_imported(name: str) -> None:
    assert run(f"import sseware; print(sseware.{name}.__name__)") == f"sseware.{name}"


def test_dir_lists_what_was_not_looked_up() -> None:
    assert run(f"import sseware; print({set(sseware.__all__)} <= set(dir(sseware)))") == "True"


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'sseware' has no attribute 'nothing'"):
        _ = getattr(sseware, "nothing")  # type checkers know that it is not there
    with pytest.raises(ImportError, match="cannot import name 'nothing'"):
        exec("from sseware import nothing")


def test_a_name_is_looked_up_once() -> None:
    look_up, _ = looked_up_late("sseware", {"encode": "wire"})
    assert look_up("encode") is vars(sseware)["encode"]
