"""The observers of an application's streams, worked out once and not for each stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeAlias

import msgspec

from ..dialects import Registry, StreamObserver, default_registry
from ._settings import Settings

__all__ = ["Call", "CommonObservers", "Observers"]

_REGISTRIES: Final = 32
"""How many registries are remembered; a program has one or two."""

Call: TypeAlias = tuple[StreamObserver, Callable[..., None]]
"""An observer, and a method of it."""


class Observers(msgspec.Struct, frozen=True):
    """Some observers, resolved to the methods that they override, in their order.

    Attributes:
        on_open: Is called where a stream begins.
        on_event: Is called for each event.
        on_error: Is called with an exception of the handler's.
        on_close: Is called where a stream has ended.
    """

    on_open: tuple[Call, ...] = ()
    on_event: tuple[Call, ...] = ()
    on_error: tuple[Call, ...] = ()
    on_close: tuple[Call, ...] = ()

    @staticmethod
    def of(observers: Iterable[StreamObserver]) -> Observers | None:
        """Resolves observers, one that is given twice once; ``None`` where there is nothing to call."""
        each = list({id(observer): observer for observer in observers}.values())
        calls = [tuple(_overridden(each, name)) for name in Observers.__struct_fields__]
        return Observers(*calls) if any(calls) else None


def _overridden(observers: Iterable[StreamObserver], name: str) -> Iterable[Call]:
    for observer in observers:
        method: Any = getattr(observer, name)
        if getattr(method, "__func__", None) is not getattr(StreamObserver, name):
            yield observer, method


class CommonObservers:
    """The observers that an application's responses have in common, whatever options each of them has.

    Args:
        settings: The options of the application, as plugins are shown them.
        own: Observers that no option replaces.
    """

    def __init__(self, settings: Settings, *own: StreamObserver) -> None:
        self._settings = settings
        self._own = own
        self._found: tuple[StreamObserver, ...] | None = None
        self._elsewhere: dict[Registry | None, CommonObservers] = {}

    def get(self) -> tuple[StreamObserver, ...]:
        """Returns them: its own, then those of the plugins, which are asked at the first call."""
        if self._found is None:
            registry: Registry = self._settings.registry or default_registry()
            self._found = (*self._own, *registry.stream_observers(self._settings))
        return self._found

    def under(self, settings: Settings) -> CommonObservers:
        """Returns those for other options; the plugins of another registry are others."""
        registry = settings.registry
        if registry is self._settings.registry:
            return self
        known = self._elsewhere.get(registry)
        if known is None:
            known = CommonObservers(settings, *self._own)
            if len(self._elsewhere) < _REGISTRIES:
                self._elsewhere[registry] = known
        return known
