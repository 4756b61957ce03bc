"""Names of a package that are looked up when somebody asks for them (PEP 562).

A pytest plugin is imported by every run of pytest that finds it, and with it the packages that it lies in: whoever
does not use it is to pay for nothing else.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module

__all__ = ["looked_up_late"]


def looked_up_late(
    package: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Returns the ``__getattr__`` and ``__dir__`` of a package.

    Type checkers are told of the same names by an ``if TYPE_CHECKING`` beside it; ``tests/test_exports.py`` compares.

    Args:
        package: The package.
        homes: For each name the module below the package that has it; a module is its own home.
    """
    there = vars(sys.modules[package])

    def look_up(name: str) -> object:
        home = homes.get(name)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = import_module(f".{home}", package)
        found: object = module if home == name else getattr(module, name)
        there[name] = found
        return found

    def list_names() -> list[str]:
        return sorted({*there, *homes})

    return look_up, list_names
