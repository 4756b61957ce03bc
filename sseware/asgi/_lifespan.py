"""The lifespan of an application: answered where it is a handler, and listened to where it is wrapped."""

from __future__ import annotations

from .._types import ASGIApp, Message, Receive, Scope, Send
from ._drain import Drain
from ._runtime import current_runtime
from ._signals import SignalChain

__all__ = ["live", "observe_life"]


async def live(receive: Receive, send: Send, drain: Drain | None) -> None:
    """Answers the lifespan protocol: a handler has nothing to start, and its streams leave before the shutdown."""
    life = _Life(drain)
    try:
        while True:
            message = await receive()
            life.hear(message)
            ends = message["type"] == "lifespan.shutdown"
            if ends and drain is not None:
                # Most servers ask when the last stream has ended; where one asks before, it waits for the answer.
                await drain.wait_ended()
            await send({"type": f"{message['type']}.complete"})
            if ends:
                return
    finally:
        life.end()


async def observe_life(app: ASGIApp, scope: Scope, receive: Receive, send: Send, drain: Drain | None) -> None:
    """Passes the lifespan of an application on, untouched.

    One that does not know the protocol raises before it has answered, and the server goes on without; the signals are
    heard all the same then, until the first of them comes.
    """
    if drain is None:
        await app(scope, receive, send)
        return
    life = _Life(drain)

    async def heard_receive() -> Message:
        message = await receive()
        life.hear(message)
        return message

    async def heard_send(message: Message) -> None:
        life.answer(message)
        await send(message)

    try:
        await app(scope, heard_receive, heard_send)
    except Exception:
        if life.is_answered:
            life.end()
        else:
            life.begin()
        raise
    except BaseException:
        life.end()
        raise
    life.end()


class _Life:
    """What a drain makes of a lifespan.

    Attributes:
        is_answered: Whether the application has answered the startup.
    """

    def __init__(self, drain: Drain | None) -> None:
        self._drain = drain
        self._chain: SignalChain | None = None
        self.is_answered = False

    def hear(self, message: Message) -> None:
        """Takes note of what the server says."""
        if message["type"] == "lifespan.startup":
            self.begin()
        elif message["type"] == "lifespan.shutdown":
            if self._drain is not None:
                self._drain.begin()
            self.end()

    def answer(self, message: Message) -> None:
        """Takes note of what the application says."""
        self.is_answered = True
        if message["type"] == "lifespan.startup.failed":
            self.end()

    def begin(self) -> None:
        """Listens to signals."""
        if self._drain is not None and self._chain is None:
            self._chain = self._drain.listen(current_runtime())

    def end(self) -> None:
        """Listens no more."""
        if self._chain is not None:
            self._chain.put_back()
