"""The wait of a writer, in which the handler's task may write in its name."""

from __future__ import annotations

from typing import Any, Final

from ._outbox import Outbox
from ._runtime import Runtime, WakeUp
from ._sending import Sender

__all__ = ["Relay"]

_NOTHING: Final = (None, None)


class Relay:
    """Wakes the writer, or begins its message for it: one that is taken at once costs nobody a wake-up.

    Every event goes through `flush` which its handler waits after. A thousand streams do not fit into a processor's
    caches, and there an event costs what it touches: so this is one small object without a dict, it does at once what
    the `Sender` does in two calls, and it is the writer itself that looks at what is seldom.

    Args:
        outbox: The bytes that are ready; its ``flush`` is that of the relay from now on.
        sender: Finishes what was begun, and sends everything else.
        runtime: The event loop.
        wake: Wakes the writer.
    """

    __slots__ = ("_begin", "_begun", "_now", "_outbox", "_runtime", "_sender", "_take", "_waits", "_wake")

    def __init__(self, outbox: Outbox, sender: Sender, runtime: Runtime, wake: WakeUp) -> None:
        self._outbox = outbox
        self._take = outbox.take
        self._sender = sender
        self._runtime = runtime
        self._now = runtime.now
        self._wake = wake
        self._begin: Any = None
        self._begun: tuple[Any, BaseException | None] = _NOTHING
        self._waits = False
        outbox.flush = self.flush

    def open(self) -> None:
        """Is called by the writer's task, where its head has been sent: body may be written for it from now on."""
        stand_in = self._runtime.stand_in()
        self._begin = None if stand_in is None else stand_in.begin

    def close(self) -> None:
        """Is called where the writer has ended: the outbox lets go of it, so that no cycle is left behind."""
        self._outbox.flush = self._wake

    async def wait(self) -> Any:
        """Waits for news; what has come meanwhile has called the wake-up, so that this returns at once then.

        Returns:
            What is left of a message that was begun meanwhile, for `Sender.finish`; ``None`` for nothing.

        Raises:
            ClientGone: As `Sender.begin` would have raised it here.
            OutOfTurn: The same.
        """
        self._waits = self._begin is not None
        try:
            await self._wake.wait()
        finally:
            self._waits = False
            (rest, error), self._begun = self._begun, _NOTHING
        if error is not None:
            self._sender.raise_meaning(error)
            raise error
        return rest

    def flush(self) -> None:
        """Writes what is ready, in the handler's turn; or wakes the writer where it is at something else."""
        if not self._waits:
            if self._outbox.ready:
                self._wake()
            return
        chunk = self._take()
        if not chunk:
            return
        sender = self._sender
        try:
            rest = self._begin(sender.send, {"type": "http.response.body", "body": chunk, "more_body": True})
        except BaseException as exc:  # it is raised where the writer would have called
            self._begun = (None, exc)
        else:
            if rest is None:
                sender.last = self._now()
                return
            self._begun = (rest, None)
        self.interrupt()

    def interrupt(self) -> None:
        """Lets the writer see for itself what there is; nothing is written in its name meanwhile."""
        self._waits = False
        self._wake()
