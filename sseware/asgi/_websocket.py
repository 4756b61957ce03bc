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

import logging
from collections.abc import AsyncIterator, Callable
from typing import Final

from .._types import Message, Receive, Scope, Send
from ..dialects import Dialect, Outcome, StreamContext
from ..errors import StreamError
from ..negotiation import Request
from ..wire import EventStreamParser
from ._access import Access
from ._drain import Drain
from ._driver import Driver, broken_off
from ._fold_sink import FoldSink
from ._menu import Dish, Menu
from ._observation import MessageOf, observe
from ._paced_sink import open_sink
from ._plan import Plan
from ._producer import Producer
from ._receive import ReceivePump
from ._runtime import current_runtime
from ._sending import ClientGone, ClientStalled
from ._slots import Slot
from ._source import Source, discard, open_source

__all__ = ["Socket", "answer_socket", "serve_socket"]

_log = logging.getLogger("sseware")

# RFC 6455, section 7.4.1.
_GOOD: Final = 1000
_AWAY: Final = 1001
_NOT_HERE: Final = 1003
_FORBIDDEN: Final = 1008
_BAD: Final = 1011
_LATER: Final = 1013

_STOPPING: Final = "the server is stopping; reconnect"
_EXPIRED: Final = "what allowed this connection has expired"


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


class _SocketDriver(Driver):
    """Answers over a connection that has been accepted."""

    async def converse(self, source: Source, message_of: MessageOf, seconds: float | None = None) -> None:
        """Sends what a handler yields, event by event, and closes the connection; it may take so many seconds."""
        plan, runtime = self._plan, self._runtime
        wake = runtime.wake_up()
        observation = observe(plan, "websocket")
        observation.open()
        try:
            sink, outbox = open_sink(plan, runtime, wake, lambda: FoldSink(plan, runtime, wake))
        except Exception as exc:  # a stranger's dialect may raise anything
            _log.exception("the dialect could not open a stream")
            observation.refused(exc)
            await discard(source)
            await self._close(_BAD, "internal error")
            return
        # No status can be told any more: every failure is told in the stream.
        sink.head_sent = True
        producer = Producer(source, observation.watch_sink(sink), runtime)
        message_of = observation.watch_messages(message_of)
        outcome = Outcome.LEFT
        gone = drained = expired = False

        def client_left() -> None:
            nonlocal gone
            gone = True
            producer.leave()
            wake()

        def take_turn() -> None:
            nonlocal drained
            drained = True
            wake()

        def expire() -> None:
            nonlocal expired
            expired = True
            wake()

        timer = None if seconds is None else runtime.call_later(seconds, expire)

        parser = EventStreamParser(max_event_size=None)

        async def say(chunk: bytes) -> None:
            for event in parser.feed(chunk):
                text = message_of(event)
                if text is not None:
                    await self._send({"type": "websocket.send", "text": text})

        try:
            self._pump.start(runtime, client_left)
            producer.start()
            with self._draining(lambda _: self._send.break_off(), take_turn):
                while not gone:
                    ended, chunk = outbox.closed, outbox.take()
                    await say(chunk)
                    if ended:
                        await self._close(_BAD if sink.failed else _GOOD)
                        outcome = Outcome.FAILED if sink.failed else Outcome.FINISHED
                        break
                    if drained:
                        producer.leave()
                        farewell = sink.farewell() or b""
                        await say(outbox.take() + farewell)
                        await self._close(_AWAY, _STOPPING)
                        outcome = Outcome.DRAINED
                        break
                    if expired:
                        producer.leave()
                        await self._close(_FORBIDDEN, _EXPIRED)
                        outcome = Outcome.EXPIRED
                        break
                    if not chunk:
                        await wake.wait()
        except ClientStalled:
            outcome = Outcome.STALLED
        except ClientGone:
            pass
        except BaseException as exc:
            outcome = broken_off(exc)
            raise
        finally:
            if timer is not None:
                timer.cancel()
            try:
                await self._wind_up(producer)
            finally:
                observation.close(outcome if producer.crash is None else Outcome.FAILED)

    async def _close(self, code: int, reason: str = "") -> None:
        try:
            await self._send(_closing(code, reason))
        except ClientGone:
            return

    async def turn_away(self, refusal: StreamError | None = None) -> None:
        """Closes a connection that may not be, or came while the others leave."""
        if refusal is None:
            await self._close(_AWAY, _STOPPING)
        else:
            await self._close(_code_of(refusal), str(refusal))

    async def refuse(self, dialect: Dialect) -> None:
        """Closes the connection, for a dialect that is not carried."""
        await self._close(_NOT_HERE, f"the dialect {dialect.name} is not carried over WebSocket")


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
        await send(_closing(_NOT_HERE, "this handler streams over HTTP"))
        return
    if (await receive())["type"] != "websocket.connect":
        return
    drain = _drain_that_has_begun(menu)
    if drain is not None and _can_refuse(scope):
        await _refuse_handshake(send, drain.refusal(), _STOPPING)
        return
    try:
        slot, seconds = _enter(menu.settings.access, scope)
    except StreamError as refusal:
        if _can_refuse(scope):
            await _refuse_handshake(send, refusal, str(refusal))
        else:  # before it is accepted, a close is a 403
            await send(_closing(_code_of(refusal), str(refusal)))
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


def _code_of(refusal: StreamError) -> int:
    return _LATER if refusal.status == 503 else _FORBIDDEN


def _can_refuse(scope: Scope) -> bool:
    return "websocket.http.response" in (scope.get("extensions") or {})


async def _refuse_handshake(send: Send, refusal: StreamError, text: str) -> None:
    """Answers a handshake with a status, by the ASGI extension for it."""
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    if refusal.retry_after is not None:
        headers.append((b"retry-after", str(refusal.retry_after).encode()))
    await send({"type": "websocket.http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": text.encode()})


def _driver(scope: Scope, pump: ReceivePump, send: Send, menu: Menu) -> tuple[_SocketDriver, Dish]:
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
    return _SocketDriver(Plan(dish, context), pump, send, runtime), dish


def _message_of(dialect: Dialect) -> MessageOf | None:
    found: MessageOf | None = getattr(dialect, "message_of", None)
    return found


def _closing(code: int, reason: str) -> Message:
    return {"type": "websocket.close", "code": code, "reason": reason}


async def _raising(exc: Exception) -> AsyncIterator[object]:
    raise exc
    yield
