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
from ._runtime import Runtime, Task

__all__ = ["EndablePump", "ReceivePump"]

_UNREAD_LIMIT: Final = 2**20
"""How many bytes of a request body are kept for a handler that has not asked for them yet."""

_MESSAGE_COST: Final = 512
"""What a message weighs beside its body: a body that comes byte by byte must not cost a thousand times its size."""

_DISCONNECT: Final = {"type": "http.disconnect"}

_log = logging.getLogger("sseware")


class ReceivePump:
    """Receives for one request. Before it is started, and after it is stopped, ``receive`` passes straight through.

    Started it reads ahead: a handler that reads gets each message exactly once, and the pump waits for it past the
    limit; of a body that nobody has asked for, what goes past the limit is thrown away.

    Args:
        receive: The server's.
        limit: How many bytes of a request body are kept that nobody asks for.
        passing: How many calls of the server's ``receive`` have not returned yet; see `passed`.
        wanted: Whether somebody has asked for the request body already.

    Attributes:
        gone: Whether the client has left.
    """

    __slots__ = (
        "_limit",
        "_messages",
        "_news",
        "_on_gone",
        "_overflowed",
        "_passes",
        "_passing",
        "_reading",
        "_receive",
        "_task",
        "_unread",
        "_wanted",
        "gone",
    )

    def __init__(
        self, receive: Receive, limit: int = _UNREAD_LIMIT, *, passing: int = 0, wanted: bool = False
    ) -> None:
        self._receive = receive
        self._limit = limit
        # It was never started, and nobody has left: nothing else need be looked at. Nearly every pump ends so, and
        # has no more than this; `_prepare` sets the rest.
        self._passes = True
        self._passing = passing
        self._wanted = wanted
        self.gone = False
        self._news: anyio.Event | None = None

    def _prepare(self) -> None:
        if self._passes:
            self._passes = False
            self._messages: deque[Message] = deque()
            self._unread = 0
            self._overflowed = self._reading = False
            self._on_gone: Callable[[], None] | None = None
            self._task: Task | None = None

    def start(self, runtime: Runtime, on_gone: Callable[[], None]) -> None:
        """Starts to read ahead; ``on_gone`` is called once when the client leaves, maybe at once."""
        self._prepare()
        self._on_gone = on_gone
        self._reading = True
        if self.gone:
            on_gone()
        elif self._task is None:
            self._task = runtime.spawn(self._run, "sseware receive")

    def stop(self) -> Task | None:
        """Stops to read: the response is complete, which is no disconnect, and nobody is called.

        Returns:
            The task that read ahead, which is about to end.
        """
        self._prepare()
        # It is forgotten here: a task that was cancelled keeps its frames, and those keep us.
        task, self._task = self._task, None
        self._on_gone = None
        self._reading = False
        self._notify()
        if task is not None:
            task.cancel()
        return task

    async def _run(self) -> None:
        try:
            while self._passing:
                # A call that was passed through still waits, and there must not be two.
                await self._wait_news()
            while not self.gone:
                await self._take_in(await self._receive())
        except Exception:  # whatever a server raises here, nothing more will come
            _log.warning("receive() failed; the client counts as gone", exc_info=True)
        finally:
            if self._reading:
                self.leave()

    async def _take_in(self, message: Message) -> None:
        if message["type"] == "http.disconnect":
            self.leave()
            return
        if self._overflowed:
            return
        self._messages.append(message)
        self._unread += _weight(message)
        self._notify()
        while self._unread > self._limit:
            if not self._wanted:
                self._overflowed = True
                self._messages.clear()
                self._unread = 0
                return
            await self._wait_news()

    def leave(self) -> None:
        """Counts the client as gone."""
        if self.gone:
            return
        self._prepare()
        self.gone = True
        self._notify()
        if self._on_gone is not None:
            self._on_gone()

    async def receive(self) -> Message:
        """Returns the next message, as the ASGI specification has it; after a disconnect, that one for ever.

        Raises:
            StreamError: The body was larger than what is kept for a handler that does not ask for it (413).
        """
        self._wanted = True
        while not self._passes and (self._reading or self._messages or self.gone or self._overflowed):
            if self._overflowed:
                raise StreamError(
                    f"the request body was not read in time; {self._limit} bytes of it are kept",
                    code="body_not_read",
                    status=413,
                )
            if self._messages:
                message = self._messages.popleft()
                self._unread -= _weight(message)
                self._notify()
                return message
            if self.gone:
                return dict(_DISCONNECT)
            await self._wait_news()
        self._passing += 1
        try:
            message = await self._receive()
        finally:
            self._passing -= 1
            if self._news is not None:
                self._notify()
        if message["type"] == "http.disconnect":
            self.leave()
        return message

    def passed(self) -> None:
        """Is called where a call has returned that somebody else had made before there was a pump."""
        self._passing -= 1
        self._notify()

    def _notify(self) -> None:
        if self._news is not None:
            self._news.set()
            self._news = None

    async def _wait_news(self) -> None:
        if self._news is None:
            self._news = anyio.Event()
        await self._news.wait()


class EndablePump(ReceivePump):
    """A pump that can let those who listen for a disconnect hear of one that was none: see `end`."""

    __slots__ = ("_body_ended", "_listening")

    def __init__(self, receive: Receive) -> None:
        super().__init__(receive)
        self._body_ended = False
        # Who listens for the disconnect after the request body, each in a scope that can be left.
        self._listening: set[anyio.CancelScope] | None = None

    def end(self) -> None:
        """Counts the client as gone: nobody wants more of the answer, though whoever gives it has not ended.

        Those who listen for a disconnect hear of one.
        """
        self.leave()
        for scope in self._listening or ():
            scope.cancel()

    async def receive(self) -> Message:
        """Returns the next message, as `ReceivePump.receive` does."""
        if self._body_ended and self._passes:
            return await self._listen()
        message = await super().receive()
        if message["type"] == "http.request" and not message.get("more_body"):
            self._body_ended = True
        return message

    async def _listen(self) -> Message:
        """Waits for the disconnect, which is all that can come after the request body; `end` counts as one."""
        if self._listening is None:
            self._listening = set()
        message: Message = _DISCONNECT
        scope = anyio.CancelScope()
        self._listening.add(scope)
        self._passing += 1
        try:
            with scope:
                message = await self._receive()
        finally:
            self._listening.discard(scope)
            self._passing -= 1
            self._notify()
        if message["type"] == "http.disconnect":
            self.leave()
        return message if message is not _DISCONNECT else dict(_DISCONNECT)


def _weight(message: Message) -> int:
    return _MESSAGE_COST + len(message.get("body", b""))
