"""What ``check`` checks: found by ``module:attribute``, or told what was looked for."""

from __future__ import annotations

import difflib
import importlib
import sys
from typing import Any

from ..errors import SSEError

__all__ = ["NoTarget", "load"]


class NoTarget(SSEError):
    """There is nothing of that name; the message says what was looked for."""


def load(name: str) -> Any:
    """Imports what ``module:attribute`` names; the working directory is looked at first.

    >>> load("sseware:encode").__name__
    'encode'
    >>> load("sseware:enkode")
    Traceback (most recent call last):
    sseware.cli._check_target.NoTarget: the module 'sseware' has no attribute 'enkode'; did you mean 'encode'?

    Raises:
        NoTarget: There is no such module or attribute, or the module cannot be imported.
    """
    module_name, colon, path = name.partition(":")
    if not colon or not module_name or not path:
        raise NoTarget(f"want module:attribute, as in 'myapp.streams:parse', got {name!r}")
    if "" not in sys.path:
        sys.path.insert(0, "")  # as `python -m` has it; the console script does not
    found: Any = _module(module_name)
    seen = f"the module {module_name!r}"
    for attribute in path.split("."):
        if not hasattr(found, attribute):
            raise NoTarget(f"{seen} has no attribute {attribute!r}{_hint(attribute, found)}")
        found, seen = getattr(found, attribute), f"{module_name}:{attribute}"
    return found


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise NoTarget(
                f"there is no module {name!r}: looked for {error.name!r} in the working directory and on sys.path"
            ) from None
        raise NoTarget(f"the module {name!r} cannot be imported: {error}") from error
    except Exception as error:
        raise NoTarget(f"the module {name!r} cannot be imported: {type(error).__name__}: {error}") from error


def _hint(attribute: str, found: object) -> str:
    names = [name for name in dir(found) if not name.startswith("_")]
    close = difflib.get_close_matches(attribute, names, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; it has {', '.join(names[:12])}{', ...' if len(names) > 12 else ''}" if names else ""
