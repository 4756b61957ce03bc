"""The one caller of ``receive``: request bodies to whoever reads them, and a disconnect that sticks.

Servers force this (measured): hypercorn and daphne deliver ``http.disconnect`` once; granian reports a false one
to two concurrent calls before the body is read; hypercorn stops the app in ``send`` where more than ten body messages
lie unread; uvicorn's HTTP/2 never delivers ``http.request`` for a GET without a body.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Final

import anyio

from .._types import Message, Receive
from ..errors import StreamError
from ._runtime import Runtime, Task, WakeUp

__all__ = ["ReceivePump"]

_UNREAD_LIMIT: Final = 2**20
"""How many bytes of a request body are kept for a handler that has not asked for them yet."""

_DISCONNECT: Final = {"type": "http.disconnect"}

_log = logging.getLogger("sseware")


class ReceivePump:
    """Receives for one request. Until it is started, ``receive`` passes straight through.

    Once started it reads ahead: a handler that reads gets each message exactly once, and the pump waits for it
    past the limit; of a body that nobody has asked for, what goes past the limit is thrown away.

    Attributes:
        gone: Whether the client has left.
    """

    def __init__(self, receive: Receive, limit: int = _UNREAD_LIMIT) -> None:
        self._receive = receive
        self._limit = limit
        self._messages: deque[Message] = deque()
        self._unread = 0
        self._arrived: anyio.Event | None = None
        self._room = WakeUp()
        self._wanted = False
        self._overflowed = False
        self._stopped = False
        self._on_gone: Callable[[], None] | None = None
        self._task: Task | None = None
        self.gone = False

    def start(self, runtime: Runtime, on_gone: Callable[[], None]) -> None:
        """Starts to read ahead; ``on_gone`` is called once when the client leaves, maybe at once."""
        self._on_gone = on_gone
        if self.gone:
            on_gone()
        elif self._task is None:
            self._task = runtime.spawn(self._run, "sseware receive")

    async def stop(self) -> None:
        """Stops to read: the response is complete, which is no disconnect, and nobody is called."""
        self._on_gone = None
        self._stopped = True
        self._notify()
        if self._task is not None and not self._task.done:
            self._task.cancel()
            await self._task.wait()

    async def _run(self) -> None:
        while not self.gone:
            try:
                message = await self._receive()
            except Exception:  # whatever a server raises here, nothing more will come
                _log.warning("receive() failed; the client counts as gone", exc_info=True)
                message = _DISCONNECT
            await self._take_in(message)

    async def _take_in(self, message: Message) -> None:
        if message["type"] == "http.disconnect":
            self._leave()
            return
        self._messages.append(message)
        self._unread += len(message.get("body", b""))
        self._notify()
        while self._unread > self._limit and self._messages:
            if not self._wanted:
                self._messages.clear()
                self._unread = 0
                self._overflowed = True
                return
            await self._room.wait()

    def _leave(self) -> None:
        if self.gone:
            return
        self.gone = True
        self._notify()
        if self._on_gone is not None:
            self._on_gone()

    def _notify(self) -> None:
        if self._arrived is not None:
            self._arrived.set()

    async def receive(self) -> Message:
        """Returns the next message, as the ASGI specification has it; after a disconnect, that one for ever.

        Raises:
            StreamError: The body was larger than what is kept for a handler that does not ask for it (413).
        """
        self._wanted = True
        while True:
            if self._overflowed:
                raise StreamError(
                    f"the request body was not read in time; {self._limit} bytes of it are kept",
                    code="body_not_read",
                    status=413,
                )
            if self._messages:
                message = self._messages.popleft()
                self._unread -= len(message.get("body", b""))
                self._room()
                return message
            if self.gone or self._stopped:
                return dict(_DISCONNECT)
            if self._task is None:
                return await self._pass_through()
            await self._wait_arrival()

    async def _pass_through(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self._leave()
        return message

    async def _wait_arrival(self) -> None:
        if self._arrived is None or self._arrived.is_set():
            self._arrived = anyio.Event()
        await self._arrived.wait()
