"""New types of items for existing dialects: what plugins add, made safe to call."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias, get_args

from ..errors import PluginError, SSEError
from ..items import AnyItem, Failure, File, Finish, as_item
from ._plugins import Hook
from ._protocols import AnItem, Dialect

__all__ = ["ItemEncoders", "extend"]

ItemEncoders: TypeAlias = Mapping[type, Callable[[Any], Iterable[AnItem]]]
"""For each new type of item, exactly that one, what makes items of it that the dialect knows, or events."""

# What these mean is settled; a plugin that could change it would change it for every handler.
_SETTLED: Final = frozenset(
    {*get_args(AnyItem), str, bytes, bytearray, memoryview, dict, list, tuple, type(None), object}
)

_log = logging.getLogger("sseware")


def extend(dialect: Dialect, hooks: Iterable[Hook]) -> tuple[ItemEncoders, tuple[PluginError, ...]]:
    """Gathers what plugins add to a dialect; where two add one type, the first has it.

    Args:
        dialect: The dialect.
        hooks: The implementations of ``sseware_item_encoders``, in order.

    Returns:
        What they add, and what is wrong with those that add nothing because they failed.
    """
    gathered: dict[type, Callable[[Any], Iterable[AnItem]]] = {}
    problems = []
    for hook in hooks:
        try:
            added = {kind: _guarded(hook.plugin, kind, function) for kind, function in _added(hook, dialect)}
        except Exception as exc:  # a stranger's code may raise anything
            problem = (
                exc if isinstance(exc, PluginError) else PluginError(hook.plugin, f"{hook.name}: {exc!r}")
            )
            problem.__cause__ = None if problem is exc else exc
            _log.error(
                "%s; it adds nothing to the %s dialect", problem, dialect.name, exc_info=problem.__cause__
            )
            problems.append(problem)
        else:
            gathered = {**added, **gathered}
    return gathered, tuple(problems)


def _added(hook: Hook, dialect: Dialect) -> Iterable[tuple[type, Callable[[Any], object]]]:
    added = hook.call(dialect)
    if added is None:
        return ()
    if not isinstance(added, Mapping):
        raise _wrong(hook.plugin, f"want types mapped to functions, got {added!r}")
    for kind, function in added.items():
        if not isinstance(kind, type) or not callable(function):
            raise _wrong(hook.plugin, f"want types mapped to functions, got {kind!r}: {function!r}")
        if kind in _SETTLED:
            raise _wrong(hook.plugin, f"{kind.__name__} has its meaning already; add a type of your own")
    return tuple(added.items())


def _guarded(
    plugin: str, kind: type, function: Callable[[Any], object]
) -> Callable[[Any], tuple[AnItem, ...]]:
    def items_of(value: Any) -> tuple[AnItem, ...]:
        try:
            made = function(value)
            if not isinstance(made, Iterable) or isinstance(made, str | bytes | Mapping):
                raise _wrong(plugin, f"what encodes {kind.__name__} must return a list, got {made!r}")
            items = tuple(map(as_item, made))
        except SSEError:
            raise
        except Exception as exc:  # a stranger's code may raise anything
            raise _wrong(plugin, f"what encodes {kind.__name__} raised {exc!r}") from exc
        for item in items:
            # Only the handler ends its stream: the driver must know of it.
            if isinstance(item, Finish | Failure | File):
                raise _wrong(plugin, f"what encodes {kind.__name__} must not return a {type(item).__name__}")
        return items

    return items_of


def _wrong(plugin: str, reason: str) -> PluginError:
    return PluginError(plugin, f"sseware_item_encoders: {reason}")
