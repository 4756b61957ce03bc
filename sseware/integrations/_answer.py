"""The driver turned around, for frameworks that send by themselves: they want a head, and then a body to iterate.

The driver runs in a task of its own. Its ``send`` hands one piece over and returns when the framework comes back for
the next: so ``send_timeout`` measures the reader, and nothing is gathered in between. Where the framework lets go of
the body (its client has left, a hook has replaced the response), that task is cancelled, and the driver closes the
handler as it does wherever its caller is cancelled.
"""

from __future__ import annotations

import logging
from typing import Final, Self

import anyio

from .._types import Message, Receive, Scope
from ..asgi import EventStream
from ..asgi._runtime import Task, current_runtime
from ..asgi._scope import passage_around

__all__ = ["Answer"]

_CLIENT_GONE: Final = 499
"""The status of an answer that nobody waits for any more; nginx logs the same."""

_LONG: Final = 3600.0
"""Seconds. The driver itself waits for a handler, and not for longer than ``cleanup_timeout``."""

_log = logging.getLogger("sseware")


class Answer:
    """What an `EventStream` answers: its head, and an async iterator over its body.

    Args:
        stream: The stream.
        scope: The scope of the request.
        receive: Receives, where the framework does not watch for the disconnect itself.

    Attributes:
        status: The status, once it has begun.
        headers: Its header fields.
    """

    def __init__(self, stream: EventStream, scope: Scope, receive: Receive | None = None) -> None:
        # What the framework has read of the request is not to be waited for.
        stream._may_receive = receive is not None
        self._stream = stream
        self._scope = scope
        self._source: Receive = receive or _never
        self._runtime = current_runtime()
        self._news = self._runtime.wake_up()
        self._room = self._runtime.wake_up()
        self._task: Task | None = None
        self._head: Message | None = None
        self._chunk: bytes | None = None
        self._handed = False
        self._ended = False
        self._over = False
        self._gone = False
        self._error: Exception | None = None
        self.status = _CLIENT_GONE
        self.headers: list[tuple[str, str]] = []

    async def begin(self) -> Self:
        """Waits for the head.

        Raises:
            Exception: What the handler has raised before its first item, for the framework to answer.
        """
        self._task = self._runtime.spawn(self._main, "sseware answer")
        try:
            while self._head is None and not self._over:
                await self._news.wait()
        except BaseException:
            await self.aclose()
            raise
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        if self._head is not None:
            self.status = self._head["status"]
            self.headers = [
                (name.decode("latin-1"), value.decode("latin-1")) for name, value in self._head["headers"]
            ]
        return self

    async def _main(self) -> None:
        try:
            await self._stream(self._scope, self._receive, self._send)
        except Exception as exc:
            self._error = exc
        finally:
            self._over = True
            self._news()

    async def _receive(self) -> Message:
        message = await self._source()
        self._gone = self._gone or message["type"] == "http.disconnect"
        return message

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._head = message
            self._news()
            return
        self._ended = not message.get("more_body", False)
        self._chunk = message["body"] or None
        self._news()
        while self._chunk is not None or self._handed:
            await self._room.wait()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """Returns the next piece of the body; the one before it has been sent.

        Raises:
            ConnectionAbortedError: The stream was given up because its reader stalled.
        """
        self._handed = False
        self._room()
        try:
            while self._chunk is None:
                if self._ended or self._over:
                    self._check_end()
                    raise StopAsyncIteration
                await self._news.wait()
        except BaseException:
            await self.aclose()
            raise
        chunk, self._chunk = self._chunk, None
        self._handed = True
        return chunk

    def _check_end(self) -> None:
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        around = passage_around(self._scope)
        if not (self._ended or self._gone or (around is not None and around.gone)):
            raise ConnectionAbortedError("the stream was given up: its reader stalled")

    async def aclose(self) -> None:
        """Lets go of the body; where it has not ended, the handler is closed before this returns."""
        if self._task is None or self._ended or self._over:
            self.let_go()
            return
        self.let_go()
        await self._runtime.wait_ended([self._task], _LONG)
        if self._error is not None:
            _log.error("the answer failed while it was closed", exc_info=self._error)

    def let_go(self) -> None:
        """Lets go of the body, and waits for nothing."""
        self._handed = False
        self._chunk = None
        self._room()
        if self._task is not None and not self._ended and not self._over:
            self._task.cancel()


async def _never() -> Message:
    # The framework has read the body, and lets go when the client leaves.
    await anyio.sleep_forever()
