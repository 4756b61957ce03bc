"""What is public is listed in ``__all__``, exists, is documented, and is all that a module defines in the open."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "sseware"

# The contract of the front door.
FRONT_DOOR = {
    *("SSEMiddleware", "EventStream", "streaming"),
    *("ServerSentEvent", "EventStreamParser", "encode"),
    *("decode", "translate", "get_dialect", "Dialect"),
    *("StreamError", "items"),
}


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def sources() -> dict[str, Path]:
    """Every module of the package and its file; ``__main__`` is a command, and nobody imports it."""
    paths = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}
    return {name: path for name, path in paths.items() if not name.endswith("__main__")}


PUBLIC = [name for name in sources() if "._" not in name]


def targets(statement: ast.stmt) -> list[str]:
    """The names that a statement of a module assigns to."""
    if isinstance(statement, ast.Assign):
        return [target.id for target in statement.targets if isinstance(target, ast.Name)]
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return [statement.target.id]
    return []


def in_the_open(source: str, *, is_package: bool) -> set[str]:
    """The names without an underscore that a module defines; what an ``__init__`` imports counts, too."""
    found: set[str] = set()
    for statement in ast.parse(source).body:
        found.update(targets(statement))
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(statement.name)
        elif is_package and isinstance(statement, ast.ImportFrom) and statement.level:
            found.update(alias.asname or alias.name for alias in statement.names)
    return {name for name in found if not name.startswith("_")}


def described_values(source: str) -> Iterator[str]:
    """The names of constants and aliases that have a docstring: a string after the assignment."""
    body = ast.parse(source).body
    for statement, following in pairwise(body):
        text = following.value if isinstance(following, ast.Expr) else None
        if isinstance(text, ast.Constant) and isinstance(text.value, str):
            yield from targets(statement)


@cache
def all_described_values() -> set[str]:
    return {
        name for path in sources().values() for name in described_values(path.read_text(encoding="utf-8"))
    }


def is_documented(name: str, value: object) -> bool:
    if inspect.ismodule(value) or inspect.isroutine(value):
        return bool(value.__doc__)
    if inspect.isclass(value) and value.__module__.startswith("sseware"):
        # Not an inherited one, nor the signature that a dataclass writes for itself.
        own = vars(value).get("__doc__") or ""
        return bool(own) and not own.startswith(f"{name}(")
    return name in all_described_values()


def told_to_type_checkers(source: str) -> dict[str, str]:
    """The names that an ``__init__`` imports only for type checkers, each with the module it is imported from."""
    return {
        alias.name: statement.module or alias.name
        for block in ast.parse(source).body
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for statement in block.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }


LATE = [
    name for name, path in sources().items() if "looked_up_late(" in path.read_text() and "._" not in name
]


@pytest.mark.parametrize("name", LATE)
def test_what_is_looked_up_late_is_what_type_checkers_are_told(name: str) -> None:
    package, told = import_module(name), told_to_type_checkers(sources()[name].read_text(encoding="utf-8"))
    assert sorted(told) == sorted(package.__all__)
    for late, home in told.items():
        module = import_module(f".{home}", name)
        assert getattr(package, late) is (module if home == late else getattr(module, late))
        assert late in dir(package)


def test_the_front_door_and_the_toolkit_are_looked_up_late() -> None:
    assert {"sseware", "sseware.testing"} <= set(LATE)


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_module_lists_exactly_what_it_defines_in_the_open(name: str) -> None:
    listed = list(import_module(name).__all__)
    path = sources()[name]
    assert len(listed) == len(set(listed))
    open_ = in_the_open(path.read_text(encoding="utf-8"), is_package=path.name == "__init__.py")
    assert open_ - set(listed) == set(), "give these an underscore, or list them in __all__"


@pytest.mark.parametrize("name", PUBLIC)
def test_what_a_public_module_lists_is_there_and_documented(name: str) -> None:
    module = import_module(name)
    assert module.__doc__
    assert [n for n in module.__all__ if n.startswith("_")] == []
    assert [n for n in module.__all__ if not is_documented(n, getattr(module, n))] == []


def test_the_front_door_has_the_names_of_the_contract() -> None:
    assert set(import_module("sseware").__all__) == FRONT_DOOR


def test_a_leak_is_found() -> None:
    source = "from ._x import leak as other\nLIMIT: int = 1\n_A = B = 2\nclass C: ...\nasync def f(): ...\n"
    assert in_the_open(source, is_package=True) == {"other", "LIMIT", "B", "C", "f"}
    assert in_the_open(source, is_package=False) == {"LIMIT", "B", "C", "f"}


def test_a_missing_docstring_is_found() -> None:
    class Silent:
        pass

    class Spoken(Silent):
        """Speaks."""

    class Mute(Spoken):
        pass

    for value in (Silent, Spoken, Mute):
        value.__module__ = "sseware.x"
    assert not is_documented("Silent", Silent)
    assert is_documented("Spoken", Spoken)
    assert not is_documented("Mute", Mute)
    assert not is_documented("UNHEARD_OF", 1)
    assert list(described_values('A = 1\n"""It is one."""\nB = 2\n')) == ["A"]
