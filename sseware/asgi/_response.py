"""A response that negotiates by itself."""

from __future__ import annotations

from typing import Any, Final, Self, Unpack

from .._types import Receive, Scope, Send
from ..errors import HandlerReused
from ._frameworks import response_class
from ._late_receive import LateReceive, may_have_body
from ._menu import Menu
from ._receive import ReceivePump
from ._respond import respond
from ._scope import menu_around, passage_around
from ._settings import Options, Settings
from ._source import Source, discard, open_source
from ._websocket import answer_socket

__all__ = ["EventStream"]

_DEFAULTS: Final = Menu(Settings())
"""What there is without a middleware. It keeps what was worked out of it, and nothing of any request."""

_LATE: Final = 5.0
"""How many seconds a handler may take to read its request body by itself, where there is no head timeout."""


class EventStream:
    """What a handler yields, as an ASGI response: a stream or a buffered body, as the client asks.

    >>> async def words():
    ...     yield "Once "
    ...     yield "upon "
    >>> response = EventStream(words(), dialect="plain", keepalive=None)

    An exception that the handler raises before its first event is raised to the caller, so that a framework
    answers it as it answers any other.

    On a WebSocket that the application has accepted, and whose question it has read, it sends a message for each
    event and closes the connection, where the dialect is one that can be carried so.

    Where Starlette is loaded, what is made is the `EventStream` of `sseware.integrations.starlette`: this, and a
    response of Starlette's, so that Starlette and FastAPI take it from a route as they take their own.

    A handler may read the request body with the request object of its framework, before its first item. One that
    reads on while it yields wants an `SSEMiddleware` around the application.

    Args:
        content: An async generator, a sync one (each step runs in a worker thread), or an iterable of items.
        options: As `Settings` describes them. What is not given comes from the `SSEMiddleware` around the
            application, where there is one.

    Raises:
        HandlerTypeError: The content yields nothing.
        HandlerReused: It is a generator that has been begun.
        ConfigurationError: An option is not what it must be, or there is no such dialect.
    """

    def __new__(cls, *args: Any, **options: Any) -> Self:
        """Makes the class of response that the loaded framework wants."""
        kind: Any = cls if cls is not EventStream else response_class() or cls
        made: Self = super().__new__(kind)
        return made

    def __init__(self, content: Any, **options: Unpack[Options]) -> None:
        self._menu = _DEFAULTS.derive(options)
        self._source = open_source(content)
        self._options = options
        self._used = False
        # Whether the handler could read the request body by itself; a decorator knows better.
        self._may_receive = True

    # By which inspect, and what documents this, find the signature: that of __init__.
    __new__.__wrapped__ = __init__  # type: ignore[attr-defined]  # a function may have any attribute

    def _change(self, options: Options) -> None:
        """Replaces options: a framework may have its say until the response is called."""
        both = self._options.copy()
        both.update(options)
        self._options = both
        self._menu = self._menu.derive(options)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request.

        Raises:
            HandlerReused: It has answered one already.
        """
        if self._used:
            raise HandlerReused("an EventStream answers one request; make a new one for each")
        self._used = True
        if scope["type"] == "websocket":
            around_socket = menu_around(scope)
            menu = self._menu if around_socket is None else around_socket.derive(self._options)
            await answer_socket(scope, receive, send, menu, self._source)
            return
        opened = False

        def open_handler() -> Source:
            nonlocal opened
            opened = True
            return self._source

        menu, pump, lender = self._menu, None, None
        try:
            if (around := passage_around(scope)) is not None:
                menu, pump = around.menu.derive(self._options), around.pump
                around.varies = True
                if send == around.send:
                    lender = around  # nothing in between wants to see what is sent
            elif self._may_receive and may_have_body(scope):
                late = LateReceive(receive, send, menu.settings.head_timeout or _LATE)
                receive, send = late.receive, late.send
            pump = pump or ReceivePump(receive)
            await respond(scope, pump, send, menu, open_handler, own_errors=False, lender=lender)
        finally:
            if not opened:
                await discard(self._source)
