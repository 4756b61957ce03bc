"""Tasks that can be abandoned, timers, and a wake-up, on asyncio and Trio.

Structured concurrency waits for every child. A handler that swallows its cancellation would so hold its request
for ever, and a server's shutdown with it; therefore a handler runs in a task that nobody has to wait for. anyio
has none, so that the two event loops are told apart here, and nowhere else.

Two more differences are kept in here:

1. Cancellation. asyncio's is an edge: raised once, after which a ``finally`` may await. A cancel scope's (Trio's,
   and anyio's on asyncio) is a level: every later await raises again. A handler gets what its event loop gives.
2. Timers. asyncio's cost no task. On Trio a timer is a task that sleeps.
"""

from __future__ import annotations

import asyncio
import contextvars
import sys
from collections.abc import Awaitable, Callable
from typing import Protocol

import anyio

__all__ = ["Runtime", "Task", "Timer", "WakeUp", "current_runtime"]


class Task(Protocol):
    """A task that runs on its own."""

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        ...

    def cancel(self) -> None:
        """Asks it to end."""
        ...

    async def wait(self) -> None:
        """Waits until it has ended, however it did."""
        ...


class Timer(Protocol):
    """A callback that is due later."""

    def cancel(self) -> None:
        """Forgets the callback."""
        ...


class Runtime(Protocol):
    """What an event loop gives to a stream."""

    def spawn(self, main: Callable[[], Awaitable[None]], name: str) -> Task:
        """Starts a task in a copy of the caller's context; ``main`` must not raise an `Exception`."""
        ...

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Calls back after some seconds."""
        ...

    def now(self) -> float:
        """Tells seconds on the event loop's own clock, which a test may drive."""
        ...


class WakeUp:
    """Wakes one waiting task; a call that comes before the wait is not lost.

    `anyio.Event` cannot be cleared, and a wait without need would cost a turn of the event loop.
    """

    __slots__ = ("_called", "_event")

    def __init__(self) -> None:
        self._event: anyio.Event | None = None
        self._called = False

    def __call__(self) -> None:
        if self._event is None:
            self._called = True
        else:
            self._event.set()

    async def wait(self) -> None:
        """Waits for the next call, or takes the one that has come."""
        if self._called:
            self._called = False
            return
        self._event = anyio.Event()
        try:
            await self._event.wait()
        finally:
            self._event = None


def current_runtime() -> Runtime:
    """Returns the runtime of the event loop that runs here."""
    if "trio" in sys.modules:
        import trio

        if trio.lowlevel.in_trio_run():
            return _TRIO
    return _AsyncioRuntime(asyncio.get_running_loop())


class _AsyncioRuntime:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def spawn(self, main: Callable[[], Awaitable[None]], name: str) -> Task:
        return _AsyncioTask(self._loop.create_task(_as_coroutine(main), name=name))

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        return self._loop.call_later(seconds, callback)

    def now(self) -> float:
        return self._loop.time()


async def _as_coroutine(main: Callable[[], Awaitable[None]]) -> None:
    await main()


class _AsyncioTask:
    def __init__(self, task: asyncio.Task[None]) -> None:
        self._task = task

    @property
    def done(self) -> bool:
        return self._task.done()

    def cancel(self) -> None:
        self._task.cancel()

    async def wait(self) -> None:
        # asyncio.wait neither raises what the task raised nor cancels it when the waiter is cancelled.
        if not self._task.done():
            await asyncio.wait([self._task])


class _TrioRuntime:
    def spawn(self, main: Callable[[], Awaitable[None]], name: str) -> Task:
        task = _TrioTask(main)
        self._start(task.run, name)
        return task

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        async def ring() -> None:
            await anyio.sleep(seconds)
            callback()

        task = _TrioTask(ring)
        self._start(task.run, "sseware timer")
        return task

    def now(self) -> float:
        return anyio.current_time()

    @staticmethod
    def _start(run: Callable[[], Awaitable[None]], name: str) -> None:
        import trio

        trio.lowlevel.spawn_system_task(run, name=name, context=contextvars.copy_context())


class _TrioTask:
    def __init__(self, main: Callable[[], Awaitable[None]]) -> None:
        self._main = main
        self._scope = anyio.CancelScope()
        self._ended = anyio.Event()

    @property
    def done(self) -> bool:
        return self._ended.is_set()

    def cancel(self) -> None:
        self._scope.cancel()

    async def run(self) -> None:
        try:
            with self._scope:
                await self._main()
        finally:
            self._ended.set()

    async def wait(self) -> None:
        await self._ended.wait()


_TRIO = _TrioRuntime()
