"""What a stream needs of its event loop: tasks that can be abandoned, timers, a wake-up, deadlines.

Structured concurrency waits for every child. A handler that swallows its cancellation would so hold its request
for ever, and a server's shutdown with it; therefore a handler runs in a task that nobody has to wait for. anyio
has none, so that the event loops are told apart: in `_on_asyncio`, in `_on_trio`, and nowhere else.

Three more differences are kept in there:

1. Cancellation. asyncio's is an edge: raised once, after which a ``finally`` may await. A cancel scope's (Trio's,
   and anyio's on asyncio) is a level: every later await raises again. A handler gets what its event loop gives.
2. Timers. asyncio's cost no task. On Trio a timer is a task that sleeps.
3. Deadlines. On asyncio one can be set in the middle of a call; a cancel scope has to be there before it.
"""

from __future__ import annotations

import asyncio
import sys
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator, Sequence
from typing import Any, Protocol

from ._on_asyncio import AsyncioRuntime, Place

__all__ = [
    "Deadline",
    "Runtime",
    "Task",
    "Timer",
    "WakeUp",
    "before_waits",
    "call_soon",
    "current_runtime",
    "loop_here",
]


class Task(Protocol):
    """A task that runs on its own."""

    def done(self) -> bool:
        """Tells whether it has ended."""
        ...

    def cancel(self) -> object:
        """Asks it to end."""
        ...


class Timer(Protocol):
    """A callback that is due later."""

    def cancel(self) -> object:
        """Forgets the callback."""
        ...


class Deadline(Protocol):
    """How long something may take."""

    def expire(self) -> None:
        """Ends the time of what runs under it."""
        ...


class WakeUp(Protocol):
    """Wakes one waiting task; a call that comes before the wait is not lost.

    `anyio.Event` cannot be cleared, and a wait without need would cost a turn of the event loop.
    """

    def __call__(self) -> None:
        """Wakes the task that waits, or the next one that would."""
        ...

    def wait(self) -> Awaitable[None]:
        """Waits for the next call, or takes the one that has come."""
        ...


class Runtime(Protocol):
    """What an event loop gives to a stream."""

    @property
    def cancelled(self) -> type[BaseException]:
        """The exception by which this event loop cancels."""
        ...

    @property
    def shields(self) -> bool:
        """Whether a call can keep a deadline around it from breaking it off."""
        ...

    @property
    def loop(self) -> Any:
        """What tells this event loop from another; it can be referred to weakly."""
        ...

    def now(self) -> float:
        """Tells seconds on the event loop's own clock, which a test may drive."""
        ...

    def wake_up(self) -> WakeUp:
        """Makes a wake-up."""
        ...

    def call_later(self, seconds: float, callback: Callable[[], None], /) -> Timer:
        """Calls back after some seconds."""
        ...

    def spawn(self, main: Callable[[], Awaitable[None]], name: str) -> Task:
        """Starts a task in a copy of the caller's context; ``main`` must not raise an `Exception`."""
        ...

    def place(self) -> Place | None:
        """Returns where the current task stands, for others to do something in its name while it waits.

        ``None`` where this event loop has no such thing.
        """
        ...

    def turn(self) -> Awaitable[None]:
        """Lets the other tasks run."""
        ...

    async def wait_ended(self, tasks: Sequence[Task], seconds: float) -> None:
        """Waits until tasks of `spawn` have ended, but not for longer than some seconds.

        Where the caller is cancelled meanwhile, that is raised when the wait is over, and not before.
        """
        ...

    def begin(self, call: Awaitable[None], /) -> Any:
        """Begins a call that seldom waits; returns what there is to be finished, or ``None`` where it has ended."""
        ...

    def deadline(self, seconds: float | None) -> Deadline:
        """Makes the deadline of one `finish_within`; ``None`` for one that does not come by itself."""
        ...

    async def finish_within(self, rest: Any, deadline: Any) -> bool:
        """Finishes what was begun; returns whether it ended in time."""
        ...


@types.coroutine
def before_waits(
    main: Callable[[], Coroutine[Any, Any, None]], call: Callable[[], None]
) -> Generator[Any, Any, None]:
    """Runs a coroutine, on either event loop, and calls something each time before it waits."""
    running = main()
    try:
        pending = running.send(None)
        while True:
            call()
            try:
                sent = yield pending
            except GeneratorExit:
                running.close()
                raise
            except BaseException as exc:  # all of them belong to the coroutine
                pending = running.throw(exc)
            else:
                pending = running.send(sent)
    except StopIteration:
        return


def current_runtime() -> Runtime:
    """Returns the runtime of the event loop that runs here."""
    if _trio_token() is not None:
        from ._on_trio import TrioRuntime

        return TrioRuntime()
    return AsyncioRuntime(asyncio.get_running_loop())


def loop_here() -> Any:
    """Returns the ``loop`` of the event loop that runs in this thread; ``None`` where none does."""
    if (token := _trio_token()) is not None:
        return token
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _trio_token() -> Any:
    """Returns the token of the Trio run that we are in; ``None`` where there is none."""
    trio = sys.modules.get("trio")
    if trio is None:
        return None
    try:
        # `in_trio_run` would be shorter; older releases that anyio takes do not have it.
        return trio.lowlevel.current_trio_token()
    except RuntimeError:
        return None


def call_soon(loop: Any, callback: Callable[[], None]) -> None:
    """Calls back in an event loop, unless it has ended; from anywhere, a signal handler and another thread, too."""
    try:
        if isinstance(loop, asyncio.AbstractEventLoop):
            loop.call_soon_threadsafe(callback)
        else:
            loop.run_sync_soon(callback)
    except RuntimeError:  # on either event loop
        return
