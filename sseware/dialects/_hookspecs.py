"""The hooks: what a plugin may provide.

pluggy finds, protocols run: a hook is called at start-up and returns objects; a stream then calls methods of
these objects, and no hook. A plugin is a module (or an object) with functions marked by `hookimpl`, named by an
entry point of the group ``sseware``.

An implementation may leave out arguments that it does not need. It is a plain function: nothing would await a
coroutine. Where several answer, they are asked in the order of loading: the built-in plugins, then those of other
distributions by (distribution, name), then those given to a `Registry`; ``@hookimpl(tryfirst=True)`` comes before
them all, and ``trylast=True`` after them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pluggy

from ..negotiation import Decision, Offer, Request
from ._observers import StreamObserver
from ._protocols import AnItem, Dialect

__all__ = [
    "hookimpl",
    "sseware_dialects",
    "sseware_item_encoders",
    "sseware_negotiate",
    "sseware_stream_observers",
]

_PROJECT = "sseware"

hookimpl = pluggy.HookimplMarker(_PROJECT)
"""Marks a function of a plugin as the implementation of the hook of its name."""

_hookspec = pluggy.HookspecMarker(_PROJECT)


@_hookspec
def sseware_dialects() -> Iterable[Dialect]:  # type: ignore[empty-body]  # a specification has no body
    """Provides dialects.

    >>> from sseware.dialects import Plain, Registry, hookimpl
    >>> class Plugin:
    ...     @hookimpl
    ...     def sseware_dialects(self):
    ...         return [Plain(name="bare")]
    >>> Registry(plugins={"example": Plugin()}).get("bare").name
    'bare'

    Returns:
        The dialects, each in its default configuration.
    """


@_hookspec
def sseware_item_encoders(dialect: Dialect) -> Mapping[type, Callable[[Any], Iterable[AnItem]]] | None:
    """Teaches an existing dialect a new type of item, without replacing it.

    What a function returns goes through the dialect, in a stream as in a buffered answer: items that it knows, or
    a `ServerSentEvent` of a type that it does not own.

    >>> from sseware import ServerSentEvent
    >>> from sseware.dialects import Plain, Registry, hookimpl
    >>> class Plugin:
    ...     @hookimpl
    ...     def sseware_item_encoders(self, dialect):
    ...         return {complex: lambda z: [ServerSentEvent(f"{z.real:g} {z.imag:g}", event="point")]}
    >>> Registry(plugins={"example": Plugin()}).item_encoders(Plain())[complex](1 + 2j)
    (ServerSentEvent(data='1 2', event='point'),)

    Args:
        dialect: The dialect that is about to be used; compare its ``name``. Asked once for each.

    Returns:
        For each new type (exactly that one, subclasses do not count) a function from a value of it to items;
        ``None`` to add nothing. Where two plugins add one type, the first has it.
    """


@_hookspec(firstresult=True)
def sseware_negotiate(request: Request, offers: Sequence[Offer]) -> Decision | None:
    """Decides in place of the rules of `sseware.negotiation.negotiate`; the first decision holds.

    >>> from sseware.dialects import Registry, hookimpl
    >>> from sseware.negotiation import Decision, Offer, Request
    >>> class Plugin:
    ...     @hookimpl
    ...     def sseware_negotiate(self, request, offers):
    ...         if request.path.endswith("/stream"):
    ...             return Decision("stream", offers[0].dialect, "the path says so", "text/event-stream")
    >>> registry = Registry(plugins={"example": Plugin()})
    >>> registry.negotiate(Request(path="/a/stream"), [Offer("plain")]).reason
    'the path says so'

    Args:
        request: What the client asked for.
        offers: What there is; the first is the handler's own dialect.

    Returns:
        A decision on one of the dialects that are offered, or ``None`` to leave it to others.
    """


@_hookspec
def sseware_stream_observers(settings: Any) -> Iterable[StreamObserver] | None:
    """Provides observers of the streams of an application.

    >>> from sseware.dialects import Registry, StreamObserver, hookimpl
    >>> class Ledger(StreamObserver):
    ...     def on_close(self, stream, summary):
    ...         print(stream.dialect, summary.outcome, summary.events)
    >>> class Plugin:
    ...     @hookimpl
    ...     def sseware_stream_observers(self, settings):
    ...         return [] if settings.debug else [Ledger()]
    >>> from sseware.asgi import Settings
    >>> (observer,) = Registry(plugins={"example": Plugin()}).stream_observers(Settings())
    >>> isinstance(observer, Ledger)
    True

    Args:
        settings: The `sseware.asgi.Settings` of the middleware; asked once for each middleware, and once for all
            responses that have none around them.

    Returns:
        The observers, each of which is told of every stream; ``None`` to provide none.
    """
