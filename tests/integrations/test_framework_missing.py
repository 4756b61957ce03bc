"""A framework that is not installed is an `ImportError` that names the extra; the front door never asks for one."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("shell", "package", "name"),
    [
        ("starlette", "starlette", "Starlette"),
        ("fastapi", "fastapi", "FastAPI"),
        ("litestar", "litestar", "Litestar"),
        ("quart", "quart", "Quart"),
        ("django", "django", "Django"),
        ("falcon", "falcon", "Falcon"),
    ],
)
def test_the_extra_is_named(shell: str, package: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [each for each in sys.modules if each.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, f"sseware.integrations.{shell}", raising=False)
    with pytest.raises(ImportError) as caught:
        __import__(f"sseware.integrations.{shell}")
    assert str(caught.value) == (
        f"sseware.integrations.{shell} wants {name}, which is not installed: pip install 'sseware[{shell}]'"
    )


ALONE = """
import sys
from sseware import EventStream, streaming

@streaming(dialect="husk")
async def app(scope, receive):
    yield "a"

EventStream([])
loaded = {"starlette", "fastapi", "litestar", "quart", "django", "falcon"} & {n.split(".")[0] for n in sys.modules}
assert not loaded, loaded
assert not [n for n in sys.modules if n.startswith("sseware.integrations")]
"""


def test_the_front_door_loads_no_framework() -> None:
    subprocess.run([sys.executable, "-c", ALONE], check=True)


LATER = """
import sys
from sseware import EventStream, streaming

@streaming(dialect="husk")
async def words(name: str):
    yield name

assert "starlette" not in sys.modules
from fastapi import FastAPI
app = FastAPI()
app.get("/{name}")(words)
from starlette.responses import Response
assert isinstance(EventStream([]), Response)
loaded = {n.rpartition(".")[2] for n in sys.modules if n.startswith("sseware.integrations.")}
assert not loaded & {"quart", "django", "falcon", "litestar"}, loaded
"""


def test_a_function_may_be_decorated_before_its_framework_is_loaded() -> None:
    subprocess.run([sys.executable, "-c", LATER], check=True)
