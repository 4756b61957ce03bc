"""The middleware: a handler is an application, or an application's responses get their defaults."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Unpack

from .._types import ASGIApp, Receive, Scope, Send
from ..errors import ConfigurationError
from ._adapt import Adapt, Adapter
from ._adapted import StreamOver
from ._adapting_passage import AdaptingPassage
from ._drain import Drain
from ._handlers import Handler, as_handler, is_asgi_app
from ._lifespan import live, observe_life
from ._menu import Menu
from ._observers import CommonObservers
from ._passage import Passage
from ._receive import ReceivePump
from ._respond import respond
from ._scope import KEY, menu_around, surround
from ._settings import Options, Settings
from ._statistics import StreamCounter, StreamStatistics
from ._websocket import serve_socket

__all__ = ["SSEMiddleware"]


class SSEMiddleware:
    """An ASGI application made of a handler, or one that wraps another.

    >>> async def hello(scope, receive):
    ...     yield "Hello"
    >>> app = SSEMiddleware(hello, dialect="plain")

    A handler is a generator function, async or sync, of ``(scope, receive)``, ``(scope)`` or nothing. The same one
    answers a WebSocket, where its dialect is one that can be carried so: the first message is the body. An
    application is passed on untouched; `EventStream` responses below it find these options.

    With ``adapt``, what an application streams becomes a stream of the dialect for a client that asks for one:
    ``text/plain``, each chunk a `Text`; ``application/x-ndjson`` and ``application/jsonl``, each line an item where
    it is one by its tag, else `Data`; and event streams of another dialect, where it is named. Everything else passes
    untouched, message for message: another status than 200, what is compressed, framed by the application or has an
    ETag, and whatever is asked by a client that does not ask for a stream.

    When the server is told to stop, streams say goodbye: see `Drain`. Each middleware has one of its own, unless it
    is given another, or stands inside another middleware, whose drain it shares then.

    Args:
        app: A handler, or an ASGI application.
        adapt: Whether, or for which media types: ``{"text/event-stream": "ash", "text/plain": False}``. Types that a
            mapping does not name are adapted.
        statistics: Whether streams are counted, for the method of that name. It costs a little at each ``send``.
        options: As `Settings` describes them.

    Raises:
        HandlerTypeError: ``app`` is neither.
        ConfigurationError: An option is not what it must be, or there is no such dialect; or ``adapt`` names a
            media type that cannot be adapted, or is given to a handler.
    """

    def __init__(
        self,
        app: ASGIApp | Callable[..., Any],
        *,
        adapt: Adapt = False,
        statistics: bool = False,
        **options: Unpack[Options],
    ) -> None:
        settings = Settings().replace({"drain": Drain(), **options})
        self._inherits_drain = "drain" not in options
        self._counter = StreamCounter() if statistics else None
        own = () if self._counter is None else (self._counter,)
        common = CommonObservers(settings, *own)
        common.get()  # a plugin is asked when an application is made, and not by its first request
        self._menu = Menu(settings, common)
        adapter = None if adapt is False else Adapter(adapt, settings)
        if not is_asgi_app(app):
            handler = as_handler(app)
            if adapter is not None:
                raise ConfigurationError(
                    f"adapt is for an ASGI application, and {app!r} is a handler: its items are a stream already"
                )
            self._app = partial(self._answer, handler)
            self._wrapped: ASGIApp | None = None
        elif adapter is not None:
            self._app = partial(self._adapt, app, adapter)
            self._wrapped = None
        else:
            self._app = partial(self._pass_other, app)
            self._wrapped = app

    @property
    def drain(self) -> Drain | None:
        """How streams end when the server stops; ``None`` where this was switched off."""
        return self._menu.settings.drain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, or one lifespan."""
        if self._wrapped is None or scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Most requests are none of its business. They pay for what an `EventStream` may need below, and for no more.
        inside = scope.copy()
        menu = self._menu if KEY not in scope else self._menu_in(scope)
        inside[KEY] = passage = Passage(menu, receive, send, scope["method"])
        await self._wrapped(inside, passage.receive, passage.send)
        if passage.head is None:
            passage.check_answered()

    def statistics(self) -> StreamStatistics:
        """Returns how many streams there are and were, how they ended, and what was sent on them.

        Raises:
            ConfigurationError: The middleware was made without ``statistics=True``.
        """
        if self._counter is None:
            raise ConfigurationError("nothing is counted; make the middleware with statistics=True")
        return self._counter.statistics()

    def _menu_in(self, scope: Scope) -> Menu:
        """Returns the options for one request: inside another middleware, the drain is that one's."""
        outer = menu_around(scope) if self._inherits_drain else None
        return self._menu if outer is None else self._menu.derive({"drain": outer.settings.drain})

    async def _pass_other(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on what is no request."""
        if scope["type"] == "lifespan":
            await observe_life(app, scope, receive, send, self.drain)
        elif scope["type"] == "websocket":
            await app(surround(scope, self._menu_in(scope)), receive, send)
        else:
            await app(scope, receive, send)

    async def _adapt(
        self, app: ASGIApp, adapter: Adapter, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if scope["type"] != "http":
            await self._pass_other(app, scope, receive, send)
            return
        passage = AdaptingPassage(self._menu_in(scope), receive, send, scope, adapter)
        try:
            await app(surround(scope, passage), passage.pump.receive, passage.send)
        except BaseException as exc:
            if passage.stream is not None:
                await passage.stream.die(exc)
                if isinstance(exc, StreamOver):
                    return  # what we raised ourselves, to end the application
            raise
        if passage.stream is not None:
            await passage.stream.end()
        else:
            passage.check_answered()

    async def _answer(self, handler: Handler, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            pump = ReceivePump(receive)
            menu = self._menu_in(scope)
            await respond(scope, pump, send, menu, lambda: handler.open(scope, pump.receive), own_errors=True)
        elif scope["type"] == "lifespan":
            await live(receive, send, self.drain)
        elif scope["type"] == "websocket":
            await serve_socket(scope, receive, send, self._menu_in(scope), handler.open)
