"""An import points down the layers, never up, never sideways between strangers; lazy and type-only ones too.

ARCHITECTURE.md has the reasons. Modules of one part of the package may import each other.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "sseware"

LAYERS = {
    "errors": 0,
    "_types": 0,
    "_lazy": 0,
    "_json_text": 0,
    "events": 1,
    "items": 1,
    "wire": 2,
    "negotiation": 3,
    "dialects": 4,
    "asgi": 5,
    "": 6,  # the front door: it re-exports what lies below it
    "kernels": 6,
    "integrations": 6,
    "channels": 6,
    "client": 6,
    "plugins": 7,
    "testing": 8,
    "cli": 9,
    "__main__": 10,
}
ACQUAINTED = {("items", "events")}  # an event is an item, too
STRANGERS = {("client", "asgi")}  # a client knows the wire, the dialects and the errors, and no server

PURE = {"errors", "events", "items", "wire", "negotiation"}  # they never wait, and never look at a clock
CLOCKS = {
    "anyio",
    "asyncio",
    "datetime",
    "sched",
    "selectors",
    "signal",
    "socket",
    "threading",
    "time",
    "trio",
}
WAITING = ast.Await | ast.AsyncFunctionDef | ast.AsyncFor | ast.AsyncWith
MAY_WAIT = {"sseware.wire._iterate"}  # the parser over an async iterable; it has no clock either


def part(module: str) -> str:
    """The part of the package that a module belongs to; each plugin is one, a stranger to the others."""
    names = module.split(".")[1:]
    return ".".join(names[:2]) if names[:1] == ["plugins"] else "".join(names[:1])


def imports(module: str, tree: ast.AST, *, is_package: bool) -> Iterator[str]:
    """What a module imports, spelled out: ``from ..wire import encode`` is ``sseware.wire.encode``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            up = module.split(".")[: -(node.level - is_package) or None] if node.level else []
            base = ".".join([*up, *filter(None, [node.module])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def against_its_layer(module: str, name: str) -> str | None:
    """Why a module must not import what has this name, or ``None``."""
    mine, theirs, top = part(module), part(name), name.split(".")[0]
    if top != "sseware":
        return "it neither waits nor knows the time" if mine in PURE and top in CLOCKS else None
    if theirs.split(".")[0] not in LAYERS:
        theirs = ""  # a name of the front door: `from sseware import decode`
    if mine == theirs:
        return None
    if mine.startswith("plugins") and "._" in name:
        return "it is private"
    down = LAYERS[theirs.split(".")[0]] < LAYERS[mine.split(".")[0]] and (mine, theirs) not in STRANGERS
    return None if down or (mine, theirs) in ACQUAINTED else "it is not below"


def violations(module: str, source: str, *, is_package: bool = False) -> list[str]:
    """What a module does that its layer must not."""
    tree = ast.parse(source)
    names = imports(module, tree, is_package=is_package)
    found = [f"{module} imports {name}: {why}" for name in names if (why := against_its_layer(module, name))]
    if part(module) in PURE and module not in MAY_WAIT:
        found += [f"{module} waits in line {n.lineno}" for n in ast.walk(tree) if isinstance(n, WAITING)]
    return found


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=module_name)
def test_a_module_imports_only_what_lies_below_it(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert violations(module_name(path), source, is_package=path.name == "__init__.py") == []


@pytest.mark.parametrize(
    ("module", "source", "want"),
    [
        pytest.param("wire._parser", "from ..asgi import x", "asgi.x: it is not below", id="upwards"),
        pytest.param("wire", "from .. import asgi", "asgi: it is not below", id="from-the-root"),
        pytest.param("wire", "from sseware import decode", "decode: it is not below", id="the-front-door"),
        pytest.param("events", "import sseware.items", "items: it is not below", id="sideways"),
        pytest.param("kernels", "from . import client", "client: it is not below", id="a-stranger"),
        pytest.param("client._core", "from ..asgi import x", "asgi.x: it is not below", id="client-to-asgi"),
        pytest.param("errors", "def f():\n from . import items", "items: it is not below", id="lazily"),
        pytest.param("errors", "if TYPE_CHECKING:\n from .items import x", "items.x: it is", id="type-only"),
        pytest.param("plugins.husk", "from ..wire._x import y", "_x.y: it is private", id="a-private-module"),
        pytest.param("plugins.husk", "from ..wire import _x", "wire._x: it is private", id="a-private-name"),
        pytest.param("plugins.husk", "from .ash import x", "ash.x: it is not below", id="another-plugin"),
        pytest.param("wire", "import time", "time: it neither waits", id="a-clock"),
        pytest.param("negotiation._x", "async def f(): pass", "waits in line 1", id="waiting"),
        pytest.param("wire._iterate", "from time import sleep", "sleep: it neither", id="no-clock-at-all"),
    ],
)
def test_a_planted_violation_is_found(module: str, source: str, want: str) -> None:
    found = violations(f"sseware.{module}", source, is_package=module == "wire")
    assert len(found) == 1
    assert want in found[0]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        pytest.param("dialects._x", "from ..wire._encode import x\nimport time", id="downwards"),
        pytest.param("wire._iterate", "async def f(): pass", id="the-iterator-waits"),
        pytest.param("plugins.husk._x", "from ._y import _z\nfrom . import q", id="within-a-part"),
        pytest.param("plugins.husk", "from sseware import items, Dialect", id="a-plugin-like-a-stranger"),
    ],
)
def test_what_is_allowed_is_let_pass(module: str, source: str) -> None:
    assert violations(f"sseware.{module}", source) == []


IMPORT = """
import sys, time
before = set(sys.modules)
start = time.process_time()
import {module}
spent = time.process_time() - start
print(spent, *sorted({{name.split(".")[0] for name in set(sys.modules) - before}} - sys.stdlib_module_names))
"""


@pytest.fixture
def import_alone(tmp_path: Path) -> Callable[[str], tuple[float, set[str]]]:
    """Imports a module in a new interpreter; returns the processor seconds, and the packages it loaded."""
    # The first run compiles, whether or not the environment lets bytecode be written elsewhere.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env["PYTHONPYCACHEPREFIX"] = str(tmp_path)

    def run(module: str) -> tuple[float, set[str]]:
        command = [sys.executable, "-c", IMPORT.format(module=module)]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
        spent, *loaded = done.stdout.split()
        return float(spent), set(loaded)

    return run


def test_the_front_door_loads_what_we_depend_on_and_nothing_else(
    import_alone: Callable[[str], tuple[float, set[str]]],
) -> None:
    _, loaded = import_alone("sseware")
    depended_on = {"anyio", "asgiref", "msgspec", "pluggy"}
    assert loaded <= {"sseware", *depended_on, "idna", "sniffio", "typing_extensions"}


def test_the_front_door_opens_fast(import_alone: Callable[[str], tuple[float, set[str]]]) -> None:
    # Seconds say more of the machine than of us: the measure is asyncio, which a server has loaded anyway.
    ours, theirs = (min(import_alone(name)[0] for _ in range(4)) for name in ("sseware", "asyncio"))
    assert ours < 3 * theirs
