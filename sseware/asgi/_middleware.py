"""The middleware: a handler is an application, or an application's responses get their defaults."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Unpack

from .._types import ASGIApp, Receive, Scope, Send
from ._guard import SendGuard
from ._handlers import Handler, as_handler, is_asgi_app
from ._menu import Menu
from ._receive import ReceivePump
from ._respond import respond
from ._scope import Surroundings
from ._settings import Options, Settings
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

    Args:
        app: A handler, or an ASGI application.
        options: As `Settings` describes them.

    Raises:
        HandlerTypeError: ``app`` is neither.
        ConfigurationError: An option is not what it must be, or there is no such dialect.
    """

    def __init__(self, app: ASGIApp | Callable[..., Any], **options: Unpack[Options]) -> None:
        self._menu = Menu(Settings().replace(options))
        self._app = (
            partial(self._pass_on, app) if is_asgi_app(app) else partial(self._answer, as_handler(app))
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, or one lifespan."""
        await self._app(scope, receive, send)

    async def _pass_on(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        around = Surroundings(self._menu, ReceivePump(receive), SendGuard(send, scope["method"]))
        await app(around.put_into(scope), around.pump.receive, around.guard)
        if not around.pump.gone:
            around.guard.check_answered()

    async def _answer(self, handler: Handler, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            pump = ReceivePump(receive)
            await respond(
                scope, pump, send, self._menu, lambda: handler.open(scope, pump.receive), own_errors=True
            )
        elif scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "websocket":
            await serve_socket(scope, receive, send, self._menu, handler.open)


async def _live(receive: Receive, send: Send) -> None:
    """Answers the lifespan protocol: a handler has nothing to start and nothing to shut down."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
