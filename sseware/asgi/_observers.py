"""The observers of an application's streams, worked out once and not for each stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

import msgspec

from ..dialects import Registry, StreamObserver, default_registry
from ._settings import Settings

__all__ = ["Call", "CommonObservers", "Observers"]

Call: TypeAlias = tuple[StreamObserver, Callable[..., None]]
"""An observer, and a method of it."""

_Asked: TypeAlias = WeakKeyDictionary[Registry, tuple[StreamObserver, ...]]


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
        asked: What plugins have provided already, by the registry that found them.
    """

    def __init__(self, settings: Settings, *own: StreamObserver, asked: _Asked | None = None) -> None:
        self._settings = settings
        self._own = own
        self._asked: _Asked = WeakKeyDictionary() if asked is None else asked

    def get(self) -> tuple[StreamObserver, ...]:
        """Returns them: its own, then those of the plugins, which are asked at the first call."""
        registry = self._settings.registry or default_registry()
        provided = self._asked.get(registry)
        if provided is None:
            provided = self._asked[registry] = registry.stream_observers(self._settings)
        return (*self._own, *provided)

    def under(self, settings: Settings) -> CommonObservers:
        """Returns those for other options; the plugins of another registry are others, and asked once as well."""
        if settings.registry is self._settings.registry:
            return self
        return CommonObservers(settings, *self._own, asked=self._asked)
