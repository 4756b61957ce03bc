"""The WebSocket carrier: one question, one answer, a message for each event.

The client's first message is the body of a request, and the handler that answers requests answers it: it is given
the scope of a POST (its ``scheme`` is ``ws`` or ``wss`` still) and a ``receive`` that returns that body. What its
dialect's ``message_of`` makes of an event is one text message. Then the connection is closed: 1000 where the run
ended well, 1011 where it did not. What else the client says meanwhile is not heard.

Where the server stops, the connection is closed with 1001; one that comes then is refused with 503, where the server
can say so, or closed at once.

Keepalives, ``retry``, ``max_age`` and header fields are left to the server and its own pings.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from .._types import Message, Receive, Scope, Send
from ..dialects import Dialect, StreamContext
from ..errors import StreamError
from ..negotiation import Request
from ._access import Access
from ._drain import Drain
from ._menu import Dish, Menu
from ._observation import MessageOf
from ._plan import Plan
from ._receive import ReceivePump
from ._runtime import current_runtime
from ._slots import Slot
from ._socket_driver import NOT_HERE, STOPPING, SocketDriver, closing, code_of
from ._source import Source, discard, open_source

__all__ = ["Socket", "answer_socket", "serve_socket"]


class Socket:
    """What a client says over a WebSocket, as the messages of a request.

    Args:
        receive: The ASGI callable of the connection.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._question: Message | None = None

    async def hear(self) -> bool:
        """Waits for the first message, which is the question; returns whether there is one."""
        message = await self._receive()
        if message["type"] != "websocket.receive":
            return False
        said = message.get("bytes")
        body: bytes = message["text"].encode(errors="replace") if said is None else said
        self._question = {"type": "http.request", "body": body, "more_body": False}
        return True

    async def receive(self) -> Message:
        """Returns the question, and after it nothing but the disconnect."""
        question, self._question = self._question, None
        if question is not None:
            return question
        while (await self._receive())["type"] == "websocket.receive":
            pass
        return {"type": "http.disconnect"}


async def serve_socket(
    scope: Scope,
    receive: Receive,
    send: Send,
    menu: Menu,
    open_handler: Callable[[Scope, Receive], Source],
) -> None:
    """Accepts a connection, hears its question, and answers it.

    Where no dialect of the menu can be carried the handshake is refused; where one can, but the client asked for
    another, the connection is accepted and closed, so that the client sees why (1003).
    """
    if not any(_message_of(dialect) for dialect in menu.settings.dialects_for(scope).values()):
        await send(closing(NOT_HERE, "this handler streams over HTTP"))
        return
    if (await receive())["type"] != "websocket.connect":
        return
    drain = _drain_that_has_begun(menu)
    if drain is not None and _can_refuse(scope):
        await _refuse_handshake(send, drain.refusal(), STOPPING)
        return
    try:
        slot, seconds = _enter(menu.settings.access, scope)
    except StreamError as refusal:
        if _can_refuse(scope):
            await _refuse_handshake(send, refusal, str(refusal))
        else:  # before it is accepted, a close is a 403
            await send(closing(code_of(refusal), str(refusal)))
        return
    try:
        await _serve(scope, receive, send, menu, open_handler, seconds)
    finally:
        if slot is not None:
            slot.free()


async def _serve(
    scope: Scope,
    receive: Receive,
    send: Send,
    menu: Menu,
    open_handler: Callable[[Scope, Receive], Source],
    seconds: float | None,
) -> None:
    await send({"type": "websocket.accept"})
    socket = Socket(receive)
    pump = ReceivePump(socket.receive)
    driver, dish = _driver(scope, pump, send, menu)
    message_of = _message_of(dish.dialect)
    if _drain_that_has_begun(menu) is not None:
        await driver.turn_away()
    elif message_of is None:
        await driver.refuse(dish.dialect)
    elif await socket.hear():
        try:
            source = open_handler({**scope, "type": "http", "method": "POST"}, pump.receive)
        except Exception as exc:  # it is told, like any other of the handler's
            source = open_source(_raising(exc))
        await driver.converse(source, message_of, seconds)


async def answer_socket(scope: Scope, receive: Receive, send: Send, menu: Menu, source: Source) -> None:
    """Answers over a connection that the application has accepted, and whose question it has read."""
    driver, dish = _driver(scope, ReceivePump(Socket(receive).receive), send, menu)
    message_of = _message_of(dish.dialect)
    if _drain_that_has_begun(menu) is not None:
        await discard(source)
        await driver.turn_away()
    elif message_of is None:
        await discard(source)
        await driver.refuse(dish.dialect)
    else:
        try:
            slot, seconds = _enter(menu.settings.access, scope)
        except StreamError as refusal:
            await discard(source)
            await driver.turn_away(refusal)
            return
        try:
            await driver.converse(source, message_of, seconds)
        finally:
            if slot is not None:
                slot.free()


def _drain_that_has_begun(menu: Menu) -> Drain | None:
    drain = menu.settings.drain
    return drain if drain is not None and drain.begun else None


def _enter(access: Access | None, scope: Scope) -> tuple[Slot | None, float | None]:
    """Returns the slot of a connection, and how many seconds it may take.

    Raises:
        StreamError: It may not be.
    """
    if access is None:
        return None, None
    if (refusal := access.refusal(scope)) is not None:
        raise refusal
    seconds = access.seconds_left(scope)
    return access.enter(scope), seconds


def _can_refuse(scope: Scope) -> bool:
    return "websocket.http.response" in (scope.get("extensions") or {})


async def _refuse_handshake(send: Send, refusal: StreamError, text: str) -> None:
    """Answers a handshake with a status, by the ASGI extension for it."""
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    if refusal.retry_after is not None:
        headers.append((b"retry-after", str(refusal.retry_after).encode()))
    await send({"type": "websocket.http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": text.encode()})


def _driver(scope: Scope, pump: ReceivePump, send: Send, menu: Menu) -> tuple[SocketDriver, Dish]:
    runtime = current_runtime()
    query = scope.get("query_string", b"").decode("latin-1")
    request = Request(method="POST", path=scope["path"], query=query, accept="text/event-stream")
    dish = menu.choose(request, scope)[1]
    context = StreamContext(
        method=request.method,
        path=request.path,
        query=query,
        http_version=scope.get("http_version", "1.1"),
        debug=menu.settings.debug,
        clock=runtime.now,
        started=runtime.now(),
    )
    return SocketDriver(Plan(dish, context), pump, send, runtime), dish


def _message_of(dialect: Dialect) -> MessageOf | None:
    found: MessageOf | None = getattr(dialect, "message_of", None)
    return found


async def _raising(exc: Exception) -> AsyncIterator[object]:
    raise exc
    yield
