"""Virtual time on asyncio and Trio: minutes of keepalives pass in milliseconds, and at exact times.

Where nothing can run, no socket is ready and no worker thread is at work, the clock jumps to the next timer. It
never moves otherwise, so that what a program computes takes no time at all. Where it could not jump for ten real
seconds, time passes as it does on the wall, so that a deadline ends what never rests, too (on Trio not a thread
that never ends). Only the event loop's own clock is virtual (``loop.time()``, ``anyio.current_time()``);
``time.monotonic()`` is not.
"""

from __future__ import annotations

import asyncio
import math
import queue
import selectors
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, TypeVarTuple, Unpack

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

__all__ = ["VirtualTimeLoop", "virtual_backend"]

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

# How long, in real seconds, a jump is put off at a time while a worker thread is at work.
_LOOK_AGAIN: Final = 0.001

_PATIENCE: Final = 10.0
"""Real seconds for which virtual time may stand still."""


def virtual_backend(name: Literal["asyncio", "trio"] = "asyncio") -> tuple[str, dict[str, Any]]:
    """Returns an event loop with virtual time, as anyio's plugin and ``anyio.run`` take it.

    >>> import anyio
    >>> backend, options = virtual_backend("asyncio")
    >>> async def wait() -> float:
    ...     await anyio.sleep(3600)
    ...     return anyio.current_time()
    >>> anyio.run(wait, backend=backend, backend_options=options)
    3600.0

    Args:
        name: The event loop.

    Returns:
        What an ``anyio_backend`` fixture returns: the name, and options. They are for one run.
    """
    if name == "trio":
        return name, _trio_options()
    return name, {"loop_factory": VirtualTimeLoop}


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An asyncio event loop with virtual time, which begins at 0; the class is a loop factory.

    >>> import asyncio
    >>> with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
    ...     runner.run(asyncio.sleep(60))
    ...     runner.get_loop().time()
    60.0
    """

    def __init__(self) -> None:
        self._virtual_now = 0.0
        self._in_executors = 0
        self._wall = _Wall()
        super().__init__(_JumpingSelector(self._may_jump, self._jump, self._stand_still))

    def time(self) -> float:
        """Tells virtual seconds."""
        return self._virtual_now

    def _may_jump(self) -> bool:
        """Tells whether no worker thread is at work."""
        return not (self._in_executors or any(map(self._is_at_work, threading.enumerate())))

    def _jump(self, seconds: float) -> None:
        self._virtual_now += seconds
        self._wall.jumped()

    def _stand_still(self) -> None:
        self._virtual_now += self._wall.passed()

    def _is_at_work(self, thread: threading.Thread) -> bool:
        # A worker thread of anyio has a queue of work, and says when it has done a piece. It belongs to one loop.
        work = getattr(thread, "queue", None)
        mine = getattr(thread, "loop", None) is self
        return mine and isinstance(work, queue.Queue) and work.unfinished_tasks > 0

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[_Ts]], _T], *args: *_Ts
    ) -> asyncio.Future[_T]:
        """Runs a function in a thread; time stands still until its result is here."""
        future = super().run_in_executor(executor, func, *args)
        self._in_executors += 1
        future.add_done_callback(self._executed)
        return future

    def _executed(self, _: asyncio.Future[Any]) -> None:
        self._in_executors -= 1

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Waits for the threads of the default executor; time stands still meanwhile, so that none runs out."""
        # From Python 3.12 on there is a timeout, and a thread that joins the others.
        self._in_executors += 1
        try:
            await super().shutdown_default_executor()
        finally:
            self._in_executors -= 1


class _Wall:
    """Tells how much of the time on the wall counts: none, until virtual time has stood still for long."""

    def __init__(self) -> None:
        self._still_since = self._last = time.monotonic()

    def jumped(self) -> None:
        """Is told that virtual time has jumped."""
        self._still_since = time.monotonic()

    def passed(self) -> float:
        """Returns how many seconds count since the last call."""
        now = time.monotonic()
        seconds, self._last = now - self._last, now
        return seconds if now - self._still_since > _PATIENCE else 0.0


class _JumpingSelector(selectors.BaseSelector):
    """Asks another selector, and lets the clock jump where that would have to wait.

    Args:
        may_jump: Tells whether there is nobody who may wake the event loop.
        jump: Moves the clock by the seconds that the event loop is ready to wait.
        stand_still: Is called where the clock does not jump.
    """

    def __init__(
        self, may_jump: Callable[[], bool], jump: Callable[[float], None], stand_still: Callable[[], None]
    ) -> None:
        self._may_jump = may_jump
        self._jump = jump
        self._stand_still = stand_still
        self._real = selectors.DefaultSelector()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            # No timer at all: only a socket, a signal or a thread can wake this loop.
            return self._real.select(None)
        ready = self._real.select(0)
        if not ready and timeout > 0:
            # In this order: a thread wakes us first, and then it is at work no more. One that ends after the first
            # look has woken us by the second.
            may_jump = self._may_jump()
            ready = self._real.select(0 if may_jump else _LOOK_AGAIN)
            if may_jump and not ready:
                self._jump(timeout)
                return ready
        self._stand_still()
        return ready

    def register(self, fileobj: FileDescriptorLike, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: FileDescriptorLike) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: FileDescriptorLike, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def get_map(self) -> Mapping[FileDescriptorLike, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()


def _trio_options() -> dict[str, Any]:
    import trio.testing

    clock = trio.testing.MockClock(autojump_threshold=0)

    class HoldForThreads(trio.abc.Instrument):
        """Lets the clock stand still while a worker thread is at work: MockClock sees an idle loop there."""

        def __init__(self) -> None:
            self._wall = _Wall()
            self._now = 0.0

        def after_task_step(self, task: trio.lowlevel.Task) -> None:
            threshold = math.inf if trio.testing.active_thread_count() else 0.0
            if clock.autojump_threshold != threshold:
                clock.autojump_threshold = threshold
            if clock.current_time() != self._now:
                self._wall.jumped()
            if passed := self._wall.passed():
                clock.jump(passed)
            self._now = clock.current_time()

    return {"clock": clock, "instruments": [HoldForThreads()]}
