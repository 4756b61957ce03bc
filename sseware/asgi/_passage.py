"""One request on its way through a middleware: passed on untouched, unless no server could make an answer of it."""

from __future__ import annotations

from typing import Final

import anyio

from .._types import Message, Receive, Send
from ._headers import add_vary, has_body
from ._menu import Menu
from ._receive import ReceivePump
from ._sending import OutOfTurn

__all__ = ["Passage"]

_START: Final = "http.response.start"
_BODY: Final = "http.response.body"
_TRAILERS: Final = "http.response.trailers"
# These extensions carry a body, too, of a length that is not ours to count.
_PATH: Final = "http.response.pathsend"
_ZEROCOPY: Final = "http.response.zerocopysend"
_LENGTH: Final = b"content-length"
_PARTS: Final = frozenset((_BODY, _TRAILERS, _PATH, _ZEROCOPY))


class Passage:
    """Passes messages on, one at a time, and refuses those that come out of turn.

    Servers differ in what they do with a second head, or a body after the end; some send garbage.

    Most requests are none of a middleware's business, and this is all that is made for them: one object, and nothing
    in it that only a stream needs.

    Args:
        menu: The options of the middleware.
        receive: The server's.
        send: The server's.
        method: The request method: an answer to HEAD has no body.

    Attributes:
        menu: The options of the middleware.
        head: The message that began the answer; ``None`` before it.
        varies: Whether the answer, whoever makes it, depends on ``Accept``, because it was negotiated.
    """

    __slots__ = (
        "_left",
        "_lent",
        "_method",
        "_open",
        "_passing",
        "_pump",
        "_receive",
        "_send",
        "_sending",
        "_turn",
        "_wanted",
        "head",
        "menu",
        "varies",
    )

    def __init__(self, menu: Menu, receive: Receive, send: Send, method: str) -> None:
        self.menu = menu
        self._receive = receive
        self._send = send
        self._method = method
        # Open is what has a head and no end.
        self._open = self._lent = self._sending = self._wanted = self.varies = False
        self._passing = 0
        self.head: Message | None = None
        self._left: int | None = None
        self._turn: anyio.Event | None = None
        self._pump: ReceivePump | None = None

    @property
    def pump(self) -> ReceivePump:
        """Receives for the whole request from now on: a stream needs more than to have messages passed on."""
        pump = self._pump
        if pump is None:
            self._pump = pump = ReceivePump(self._receive, passing=self._passing, wanted=self._wanted)
        return pump

    @property
    def gone(self) -> bool:
        """Whether the client is known to have left."""
        return self._pump is not None and self._pump.gone

    async def receive(self) -> Message:
        """Returns the next message; after a disconnect, that one for ever."""
        if self._pump is not None:
            return await self._pump.receive()
        self._wanted = True
        self._passing += 1
        try:
            message = await self._receive()
        finally:
            self._passing -= 1
            if self._pump is not None:
                self._pump.passed()
        if message["type"] == "http.disconnect":
            self.pump.leave()
        return message

    def lend(self) -> Send | None:
        """Returns what sends the next parts of the body for the one caller that has sent the head.

        Nobody else sends until `take_back`, and so there is nothing to be watched meanwhile. ``None`` where somebody
        does at this moment.
        """
        if self._sending or not self._open:
            return None
        self._open = False
        self._lent = True
        return self._send

    def take_back(self) -> None:
        """Ends what `lend` began: the end of the body comes here, as the head did."""
        if self._lent:
            self._lent = False
            self._open = True

    async def send(self, message: Message) -> None:
        """Sends a message.

        Raises:
            OutOfTurn: It cannot come now: a second head, a body before the head or after the end, more or less
                of it than ``content-length`` says, or any while a stream is being sent.
        """
        kind = message["type"]
        if kind == _BODY and self._open:
            # The usual case, without a call: nearly every message of every answer comes here.
            if not message.get("more_body"):
                self._open = False
            if self._left is not None:
                self._left = left = self._left - len(message.get("body", b""))
                if left and (left < 0 or not self._open):
                    raise _miscounted(left)
        elif kind == _START:
            message = self._check_start(message)
        elif kind in _PARTS:
            self._check_part(kind, message)
        while self._sending:
            await self._wait_turn()
        self._sending = True
        send = self._send
        try:
            await send(message)
        finally:
            self._sending = False
            if self._turn is not None:
                self._turn.set()
                self._turn = None

    async def _wait_turn(self) -> None:
        if self._turn is None:
            self._turn = anyio.Event()
        await self._turn.wait()

    def _check_start(self, message: Message) -> Message:
        if self.head is not None:
            raise OutOfTurn(f"the application sent {_START} twice: an answer has one head")
        self._open = True
        headers = message.get("headers", ())
        if type(headers) is not list and not isinstance(headers, tuple):
            # ASGI takes any iterable; one that can be read once would be empty for the server.
            headers = list(headers)
            message = {**message, "headers": headers}
        self.head = message
        for name, value in headers:
            if len(name) == 14 and (name == _LENGTH or name.lower() == _LENGTH) and value.isdigit():
                status = message["status"]
                if (status == 200 or has_body(status)) and self._method != "HEAD":
                    self._left = int(value)
                break
        return {**message, "headers": add_vary(list(headers))} if self.varies else message

    def _check_part(self, kind: str, message: Message) -> None:
        if self.head is None:
            raise OutOfTurn(f"the application sent {kind} before {_START}")
        if self._lent:
            raise OutOfTurn(f"the application sent {kind} while a stream of its own is being sent")
        if kind == _TRAILERS:
            if not self.head.get("trailers"):
                raise OutOfTurn(f"the application sent {_TRAILERS}, but {_START} did not announce any")
            return
        if not self._open:
            raise OutOfTurn(f"the application sent {kind} after the end of the body")
        self._open = kind != _PATH and message.get("more_body", False)
        self._left = None

    def check_answered(self) -> None:
        """Is called where the application has returned.

        Raises:
            OutOfTurn: It has not answered, though the client is there.
        """
        if self.head is None and not self.gone:
            raise OutOfTurn(f"the application returned without having sent {_START}")


def _miscounted(left: int) -> OutOfTurn:
    than = f"{-left} bytes more" if left < 0 else f"{left} bytes less"
    return OutOfTurn(f"the application sent {than} than its content-length announced")
