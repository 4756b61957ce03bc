"""Calling ``send``: what may go wrong, and what it means."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final, Protocol

import anyio

from .._types import Message, Send
from ._runtime import Deadline, Runtime, Timer

__all__ = ["ClientGone", "ClientStalled", "Lender", "OutOfTurn", "Sender"]

_LAST_SECONDS: Final = 0.25
"""How long a message may take that comes after all after the answer was broken off: one that tells why."""

_GRACE: Final = 0.25
"""How much later a message is taken for one that cannot be broken off."""

_log = logging.getLogger("sseware")


class ClientGone(Exception):
    """The client cannot be reached any more."""


class ClientStalled(ClientGone):
    """The client has stopped reading."""


class OutOfTurn(RuntimeError):
    """A message cannot come now: a fault of the application, and not of the connection."""


class Lender(Protocol):
    """What stands between an answer and the server, and may be passed by."""

    def lend(self) -> Send | None:
        """Returns what sends the next parts of the body, and nothing else; ``None`` where that cannot be."""
        ...

    def take_back(self) -> None:
        """Is called where there will be no more of them, or the last one."""
        ...


class Sender:
    """Sends the messages of one answer.

    Args:
        send: The ASGI callable.
        runtime: The event loop.
        seconds: How long one message may take; ``None`` for no limit.
        lender: Where ``send`` is that of something that may be passed by.

    Attributes:
        send: The ASGI callable.
        last: When a message was last taken, by the runtime's clock.
    """

    def __init__(
        self, send: Send, runtime: Runtime, seconds: float | None, lender: Lender | None = None
    ) -> None:
        self.send = self._own = send
        self._lender = lender
        self._runtime = runtime
        self._begin = runtime.begin
        self._now = runtime.now
        self._seconds = seconds
        self._deadline: Deadline | None = None
        self._is_over = False
        self._since: float | None = None
        self._tell: Callable[[], None] | None = None
        self._watchdog: Timer | None = None
        self.last = runtime.now()

    def through(self, watch: Callable[[Send], Send]) -> Sender:
        """Returns one that sends the same way, through something that watches."""
        return Sender(watch(self.send), self._runtime, self._seconds)

    def borrow(self) -> None:
        """Sends straight to the server from now on, if that can be: parts of the body, and not the last one."""
        if self._lender is not None:
            self.send = self._lender.lend() or self._own

    def give_back(self) -> None:
        """Ends that."""
        if self._lender is not None:
            self.send = self._own
            self._lender.take_back()

    async def __call__(self, message: Message) -> None:
        """Sends a message.

        Raises:
            ClientGone: The server says so. (By the specification it may raise an `OSError`; most return in
                silence, and the receive pump notices.)
            ClientStalled: The message was not taken in time.
            OutOfTurn: The application has sent something itself.
        """
        rest = self.begin(message)
        if rest is not None:
            await self.finish(rest)

    def begin(self, message: Message) -> Any:
        """Begins to send a message; returns what `finish` has to finish, or ``None`` where it was taken at once.

        Raises:
            ClientGone: As when it is called.
            OutOfTurn: As when it is called.
        """
        try:
            rest = self._begin(self.send(message))
        except Exception as exc:
            self.raise_meaning(exc)
            raise
        if rest is None:
            self.last = self._now()
        return rest

    async def finish(self, rest: Any) -> None:
        """Finishes a message that was not taken at once.

        Raises:
            ClientGone: As when it is called.
            ClientStalled: As when it is called.
            OutOfTurn: As when it is called.
        """
        self._deadline = deadline = self._runtime.deadline(self._seconds)
        if self._tell is not None:
            self._await_stall()
        try:
            taken = await self._runtime.finish_within(rest, deadline)
        except Exception as exc:
            self.raise_meaning(exc)
            raise
        finally:
            self._deadline = self._since = None
        if not taken:
            if not self._is_over:
                _log.warning("the client has not read for %g s; its answer is broken off", self._seconds)
            raise ClientStalled
        self.last = self._now()

    @staticmethod
    def raise_meaning(exc: BaseException) -> None:
        """Raises what an exception of the server's means, unless it means itself."""
        if isinstance(exc, OSError | anyio.BrokenResourceError | anyio.ClosedResourceError):
            raise ClientGone from exc
        if isinstance(exc, RuntimeError) and not isinstance(exc, OutOfTurn):
            _log.warning("send() failed (%r); the client counts as gone", exc)
            raise ClientGone from exc

    def watch(self, tell: Callable[[], None]) -> None:
        """Tells somebody of a message that is not taken in time, and cannot be broken off.

        hypercorn's send on Trio shields itself from every deadline; the handler need not wait for its reader, too.
        """
        if self._runtime.shields and self._seconds is not None:
            self._tell = tell

    def unwatch(self) -> None:
        """Tells nobody any more."""
        self._tell = None
        if self._watchdog is not None:
            self._watchdog.cancel()

    def _await_stall(self) -> None:
        # On Trio every message waits, if only for a turn: one timer at a time serves all of them.
        self._since = self._now()
        if self._watchdog is None:
            self._watchdog = self._runtime.call_later((self._seconds or 0.0) + _GRACE, self._look)

    def _look(self) -> None:
        self._watchdog = None
        if self._since is None or self._tell is None:
            return
        left = self._since + (self._seconds or 0.0) + _GRACE - self._now()
        if left > 0:
            self._watchdog = self._runtime.call_later(left, self._look)
        else:
            self._tell()

    def break_off(self) -> None:
        """Ends the time of the message that is not taken; others have hardly any."""
        self._is_over = True
        self._seconds = _LAST_SECONDS
        if self._deadline is not None:
            self._deadline.expire()
