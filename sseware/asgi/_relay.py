"""The wait of a writer, in which the handler's task may write in its name."""

from __future__ import annotations

import types
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, Final

from ._on_asyncio import ENDED, current_tasks
from ._outbox import IDLE, Outbox
from ._runtime import Runtime, WakeUp
from ._sending import Sender

__all__ = ["Relay"]

_NOTHING: Final = (None, None)


class Relay:
    """Wakes the writer, or begins its message for it: one that is taken at once costs nobody a wake-up.

    Every event goes through `_carry` which its handler waits after. A thousand streams do not fit into a processor's
    caches, and there an event costs what it touches, and each byte code. So `_carry` does at once what would be four
    functions, and what sends is a generator, whose names are at hand; what is seldom, the writer looks at itself. A
    method is called of the object that has it: one in an attribute is found slower by CPython 3.11, and is one object
    more.

    Args:
        outbox: The bytes that are ready, and handed over here from now on.
        sender: Finishes what was begun, and sends everything else.
        runtime: The event loop.
        wake: Wakes the writer.

    Attributes:
        last: When a message was last taken that was begun here, by the runtime's clock.
    """

    __slots__ = (
        "_begun",
        "_context",
        "_loop",
        "_outbox",
        "_parts",
        "_run",
        "_runtime",
        "_sender",
        "_task",
        "_waits",
        "_wake",
        "last",
    )

    def __init__(self, outbox: Outbox, sender: Sender, runtime: Runtime, wake: WakeUp) -> None:
        self._outbox = outbox
        self._sender = sender
        self._runtime = runtime
        self._wake = wake
        self._parts: Any = None
        self._begun: tuple[Any, BaseException | None] = _NOTHING
        self._waits = False
        self.last = 0.0
        outbox.relay = self

    def open(self) -> None:
        """Is called by the writer's task, where its head has been sent: body may be written for it from now on."""
        place = self._runtime.place()
        if place is not None:
            self._loop, self._task, self._context, self._run = place
            self._parts = self._outbox.parts(self._sender.send)

    def close(self) -> None:
        """Is called where the writer has ended: the outbox lets go of it, so that no cycle is left behind."""
        self._outbox.relay = None

    async def wait(self) -> Any:
        """Waits for news; what has come meanwhile has called the wake-up, so that this returns at once then.

        Returns:
            What is left of a message that was begun meanwhile, for `Sender.finish`; ``None`` for nothing.

        Raises:
            ClientGone: As `Sender.begin` would have raised it here.
            OutOfTurn: The same.
        """
        self._waits = self._parts is not None
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
        at_once: Any = _at_once
        steps: Any = self._carry(at_once)
        next(steps)

    def carry(self, main: Callable[[], Coroutine[Any, Any, None]]) -> Awaitable[None]:
        """Runs a coroutine, and does as `flush` does each time before it waits."""
        return self._carry(main)

    @types.coroutine
    def _carry(self, main: Callable[[], Coroutine[Any, Any, None]]) -> Generator[Any, Any, None]:
        # It is `before_waits`, without a call for each event; the tests hold the two to the same.
        running: Any = main()
        loop: Any = None
        task = context = parts = caller = loop
        try:
            pending = running.send(None)
            while True:
                if self._waits:
                    if parts is None:
                        loop, task, context, parts = self._loop, self._task, self._context, self._parts
                        caller = current_tasks[loop]
                    # What a `send` enters must belong to the task that will leave it: a cancel scope, a timeout, a
                    # token of a context variable. So the writer's task is the current one meanwhile, in its context.
                    current_tasks[loop] = task
                    try:
                        step = context.run(next, parts)
                        if step is ENDED:
                            self.last = loop.time()
                        elif step is not IDLE:
                            self._leave_to_writer((parts, step, self._run), None)
                    except BaseException as exc:  # it is raised where the writer would have called
                        self._leave_to_writer(None, exc)
                    finally:
                        current_tasks[loop] = caller
                elif self._outbox.ready:
                    self._wake()
                try:
                    sent = yield pending
                except GeneratorExit:
                    running.close()
                    raise
                except BaseException as exc:  # all of them belong to the coroutine
                    pending = running.throw(exc)
                else:
                    pending = None  # the next one may have its memory
                    pending = running.send(sent)
        except StopIteration:
            return

    def _leave_to_writer(self, rest: Any, error: BaseException | None) -> None:
        self._begun = (rest, error)
        self.interrupt()

    def interrupt(self) -> None:
        """Lets the writer see for itself what there is; nothing is written in its name meanwhile."""
        self._waits = False
        self._wake()


@types.coroutine
def _at_once() -> Generator[None, None, None]:
    yield
