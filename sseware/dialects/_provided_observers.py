"""The observers that plugins provide."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..errors import PluginError
from ._observers import StreamObserver
from ._plugins import Hook

__all__ = ["provided_observers"]

_log = logging.getLogger("sseware")


def provided_observers(
    settings: Any, hooks: Iterable[Hook]
) -> tuple[tuple[StreamObserver, ...], tuple[PluginError, ...]]:
    """Gathers the observers that plugins provide for an application.

    Args:
        settings: The options of the application.
        hooks: The implementations of ``sseware_stream_observers``, in order.

    Returns:
        The observers, and what is wrong with the plugins that provide none because they failed.
    """
    observers: list[StreamObserver] = []
    problems = []
    for hook in hooks:
        try:
            observers += list(_provided(hook, settings))
        except Exception as exc:  # a stranger's code may raise anything
            problem = exc if isinstance(exc, PluginError) else _wrong(hook, repr(exc))
            problem.__cause__ = None if problem is exc else exc
            _log.error("%s; it observes nothing", problem, exc_info=problem.__cause__)
            problems.append(problem)
    return tuple(observers), tuple(problems)


def _provided(hook: Hook, settings: Any) -> Iterator[StreamObserver]:
    given = hook.call(settings)
    if given is None:
        return
    if not isinstance(given, Iterable) or isinstance(given, str | Mapping):
        raise _wrong(hook, f"want a list of observers, got {given!r}")
    for observer in given:
        if not isinstance(observer, StreamObserver):
            raise _wrong(hook, f"want instances of sseware.dialects.StreamObserver, got {observer!r}")
        yield observer


def _wrong(hook: Hook, reason: str) -> PluginError:
    return PluginError(hook.plugin, f"{hook.name}: {reason}")
