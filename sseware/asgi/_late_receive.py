"""Receiving late: a handler of a framework may want to read the request body by itself.

Below an `SSEMiddleware` everybody receives through one pump. Without one a framework's request object holds the
server's own ``receive``, and a handler that reads the body with it (``await request.body()``) would find that the
pump, which waits for the disconnect, has taken the body away. So where a request has a body that such a handler may
want, the pump waits until the answer begins; a handler that has yielded has read what it wanted.
"""

from __future__ import annotations

import anyio

from .._types import Message, Receive, Scope, Send

__all__ = ["LateReceive", "may_have_body"]


class LateReceive:
    """``receive`` and ``send`` of a request that has a body.

    Args:
        receive: The server's.
        send: The server's.
        seconds: After how long it is received though no answer has begun.
    """

    def __init__(self, receive: Receive, send: Send, seconds: float) -> None:
        self._receive = receive
        self._send = send
        self._seconds = seconds
        self._begun = anyio.Event()

    async def receive(self) -> Message:
        """Receives, once the answer has begun."""
        if not self._begun.is_set():
            with anyio.move_on_after(self._seconds):
                await self._begun.wait()
            self._begun.set()
        return await self._receive()

    async def send(self, message: Message) -> None:
        """Sends; the first message begins the answer."""
        self._begun.set()
        await self._send(message)


def may_have_body(scope: Scope) -> bool:
    """Whether a request may have a body (RFC 9112, section 6.3; HTTP/2 and later may have one without saying so)."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return bool(value.strip(b" 0"))
        if name == b"transfer-encoding":
            return True
    return scope.get("http_version", "1.1") not in ("1.0", "1.1") and scope["method"] not in ("GET", "HEAD")
