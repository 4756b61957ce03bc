"""The server's end of a connection: ``receive`` and ``send``, as a server personality has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, NoReturn, TypeAlias

import anyio.lowlevel

from .._types import Message, RawHeaders
from ..asgi._runtime import current_runtime
from ._client_side import ClientSide
from ._news import News
from ._personalities import Personality
from ._request import RequestBody
from ._seen import Note, SeenMessage
from ._turns import TurnCounter
from .errors import AppFlooded, ASGIViolation

__all__ = ["ClientHasLeft", "ServerSide"]

_State: TypeAlias = Literal["request", "response", "complete"]

_DISCONNECT: Final = {"type": "http.disconnect"}

_MANY_IN_A_TURN: Final = 10_000
"""Messages that an application may send before the event loop turns, however long that takes."""

_LONGEST_TURN: Final = 2.0
"""Real seconds for which it may send more of them."""

_MOST_UNTOUCHED: Final = 64 * 2**20
"""Bytes that may arrive before a test looks at any."""


class ClientHasLeft(OSError):
    """What ``send`` raises after a disconnect, on a server that raises."""


class _Enough(BaseException):
    """Ends an application that swallows what it is told."""


class ServerSide:
    """One request on a server.

    Args:
        personality: Which server.
        method: The request method.
        body: The request body.
        client: The other end of the connection.
        clock: Tells seconds since the request.

    Attributes:
        log: The messages, both ways, and what else happened.
        violations: How the application broke the specification.
        flood: What stopped an application that sent without end.
        gone: Whether the client has left.
        state: How far the response is.
        touched: How many bytes had arrived when a test looked last.
    """

    def __init__(
        self,
        personality: Personality,
        method: str,
        body: RequestBody,
        client: ClientSide,
        clock: Callable[[], float],
    ) -> None:
        self._personality = personality
        self._method = method
        self._body = body
        self._client = client
        self._clock = clock
        self._head: tuple[int, RawHeaders] | None = None
        self._news = News()
        client.on_read = self._news.tell
        self._told = False
        self._false_disconnect = False
        self._runtime = current_runtime()
        self._turn = TurnCounter(self._runtime)
        self._refused = 0
        self._since_turn = 0
        self._broken_off = False
        self.log: list[SeenMessage | Note] = []
        self.violations: list[ASGIViolation] = []
        self.flood: AppFlooded | None = None
        self.gone = False
        self.state: _State = "request"
        self.touched = 0

    # What the application calls.

    async def receive(self) -> Message:
        """Returns the next message to the application."""
        message = await self._receive()
        self.log.append(SeenMessage("receive", message, self._clock()))
        return message

    async def send(self, message: Message) -> None:
        """Takes a message from the application.

        Raises:
            ASGIViolation: The specification does not allow it here.
            OSError: The client has left, and this server says so.
        """
        self._check_flood()
        self._broken_off = False
        seen = dict(message) if isinstance(message, dict) else message
        self.log.append(SeenMessage("send", seen, self._clock()))
        if self.gone:
            if self._personality.after_disconnect == "OSError":
                raise ClientHasLeft("the client has left")
        else:
            self._take(message)
        await self._let_others_run(message)

    async def _receive(self) -> Message:
        personality = self._personality
        was_unread = not self._body.done
        if (self.gone or self.state == "complete") and not personality.keeps_body:
            return dict(_DISCONNECT)
        if was_unread and personality.disconnect == "falsely":
            # The call goes to another thread; others may be made meanwhile.
            await anyio.lowlevel.checkpoint()
        message = await self._body.receive()
        if message is not None:
            self._news.tell()
            return message
        if was_unread and personality.disconnect == "falsely":
            self._false_disconnect = True
        while not self._tells_disconnect():
            await self._news.wait()
        self._told = True
        return dict(_DISCONNECT)

    def _tells_disconnect(self) -> bool:
        personality = self._personality
        if self._told and personality.disconnect == "once":
            return False
        if self._false_disconnect or self.state == "complete":
            return True
        return self.gone and personality.disconnect != "never"

    # What is taken from the application.

    def _take(self, message: Message) -> None:
        kind = message.get("type") if isinstance(message, dict) else None
        if self.state == "complete":
            self._refuse(f"sent {kind!r} after the last body message")
        if self.state == "request":
            if kind != "http.response.start":
                self._refuse(f"sent {kind!r} where 'http.response.start' is due")
            self._start(message)
        elif kind != "http.response.body":
            self._refuse(f"sent {kind!r} where 'http.response.body' is due")
        else:
            self._send_body(message)

    def _start(self, message: Message) -> None:
        status, headers = message.get("status"), message.get("headers", ())
        # An http.HTTPStatus is an int that every server takes, and the MCP SDK sends some.
        if not isinstance(status, int) or not 100 <= status <= 999:
            self._refuse(f"sent the status {status!r}; an int of three digits is wanted")
        try:
            fields = [(name, value) for name, value in headers]
        except (TypeError, ValueError):
            self._refuse(f"sent the headers {headers!r}; pairs of bytes are wanted")
        for name, value in fields:
            if not (isinstance(name, bytes) and isinstance(value, bytes) and name == name.lower()):
                self._refuse(
                    f"sent the header {name!r}: {value!r}; bytes and a name in lower case are wanted"
                )
            if any(byte in value for byte in b"\0\r\n"):
                self._refuse(f"sent the header {name!r}: {value!r}; a value has no line end and no NUL")
        self.state = "response"
        self._head = status, fields
        if not self._personality.holds_head:
            self._publish_head()

    def _publish_head(self) -> None:
        if self._head is not None and self._client.status is None:
            self._client.open(*self._head)

    def _send_body(self, message: Message) -> None:
        body = message.get("body", b"")
        if not isinstance(body, bytes | bytearray | memoryview):
            self._refuse(f"sent a body of type {type(body).__name__}; bytes are wanted")
        status = self._head[0] if self._head else 0
        self._publish_head()
        if self._method != "HEAD" and status >= 200 and status not in (204, 304):
            self._client.arrive(bytes(body))
        if not message.get("more_body", False):
            self.state = "complete"
            self._client.end("complete")
            self._news.tell()

    def _refuse(self, what: str) -> NoReturn:
        violation = ASGIViolation(f"the application {what}")
        self.violations.append(violation)
        raise violation

    # What happens on the other side.

    async def _let_others_run(self, message: Any) -> None:
        """Blocks as this server's ``send`` does."""
        personality, client = self._personality, self._client
        if personality.send_suspends:
            await anyio.lowlevel.checkpoint()
        high_water = personality.high_water
        if high_water is None or self.gone:
            return
        self._since_turn += len(message.get("body", b""))
        if self._since_turn > high_water > 0:
            # The reader reads all the time, but not while the application runs.
            self._since_turn = 0
            await anyio.lowlevel.checkpoint()
        try:
            while client.has_unread and client.waiting > high_water and not self.gone:
                await self._news.wait()
        except self._runtime.cancelled:
            self._broken_off = True
            self.note("the application breaks this off: the client does not read")
            raise
        limit = personality.unread_limit
        while limit is not None and self.state == "complete" and self._body.unread >= limit:
            await self._news.wait()

    def _check_flood(self) -> None:
        self._turn.step()
        if self.flood is None:
            self.flood = self._find_flood()
        if self.flood is not None:
            # An application may swallow any Exception, and go on.
            self._refused += 1
            raise self.flood if self._refused < _MANY_IN_A_TURN else _Enough

    def _find_flood(self) -> AppFlooded | None:
        count, untouched = self._turn.count, self._client.arrived - self.touched
        if count > _MANY_IN_A_TURN and self._turn.seconds > _LONGEST_TURN:
            when = "after its client had left" if self.gone else "to its client"
            return AppFlooded(
                f"the application sent {count} messages {when} and never let the event loop turn: "
                f"it would stop all of {self._personality.name}"
            )
        if untouched > _MOST_UNTOUCHED:
            return AppFlooded(f"the application sent {untouched} bytes while the test looked at none of them")
        return None

    def note(self, text: str) -> None:
        """Writes into the log what is no message."""
        self.log.append(Note(text, self._clock()))

    def leave(self) -> None:
        """Is told that the client has left."""
        self.note("the client leaves")
        self.gone = True
        self._news.tell()

    def app_ended(self, exception: BaseException | None, *, by_itself: bool) -> None:
        """Is told that the application has ended; answers in its place, where it has not.

        One that has given up a client which does not read breaks nothing: to return is all that it can do, and a
        server closes the connection then.
        """
        if not self.gone and self.state != "complete":
            if exception is None and by_itself and not self._broken_off:
                missing = "starting a response" if self.state == "request" else "its last body message"
                self.violations.append(ASGIViolation(f"the application returned without {missing}"))
            if self.state == "request":
                self._client.open(500, [(b"content-type", b"text/plain; charset=utf-8")])
                self._client.arrive(b"Internal Server Error")
                self._client.end("complete")
            else:
                self._publish_head()
                self._client.end("cut")
        self._news.tell()
        self._client.news.tell()
