"""What a stream needs of its event loop, on asyncio."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import sys
import types
from asyncio.tasks import _enter_task, _leave_task, current_task
from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

import anyio

__all__ = ["ENDED", "AsyncioRuntime", "Place", "current_tasks"]

_Rest: TypeAlias = tuple[Any, ...]
"""A call that was begun, what it waits for, and maybe what runs it in the context in which it was begun."""

ENDED: Final = object()
"""Is yielded where a call has ended, by what makes one after another."""


class _CurrentTasks:
    """The current task of each event loop: to set it is to leave one and to enter another.

    asyncio gives these functions to whoever makes tasks ("Extending" in its documents).
    """

    def __getitem__(self, loop: asyncio.AbstractEventLoop) -> asyncio.Task[Any] | None:
        return current_task(loop)

    def __setitem__(self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any]) -> None:
        left: Any = current_task(loop)
        _leave_task(loop, left)
        _enter_task(loop, task)


# Before Python 3.14 it is a dict, and those functions take a key out and put another in: four of them at each event,
# and the dict is made anew every few events. To set the value is a tenth of what they cost.
current_tasks: Any = asyncio.tasks._current_tasks if sys.version_info < (3, 14) else _CurrentTasks()  # type: ignore[attr-defined]


class AsyncioRuntime:
    """One running loop."""

    cancelled: type[BaseException] = asyncio.CancelledError
    shields = False

    __slots__ = ("call_later", "loop", "now")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.now = loop.time
        self.call_later = loop.call_later

    def wake_up(self) -> _WakeUp:
        return _WakeUp(self.loop)

    def spawn(self, main: Callable[[], Awaitable[None]], name: str) -> asyncio.Task[None]:
        running: Any = main()
        # What every step would have to go through is left out where a task can do without it.
        if not asyncio.iscoroutine(running):
            running = _awaited(running)
        return self.loop.create_task(running, name=name)

    def place(self) -> Place | None:
        task = current_task(self.loop)
        if task is None:
            return None
        if sys.version_info >= (3, 12):
            return Place(self.loop, task, task.get_context(), None)
        # There a task does not tell its context.
        context = contextvars.copy_context()
        return Place(self.loop, task, context, context.run)

    @staticmethod
    @types.coroutine
    def turn() -> Generator[None, None, None]:
        yield

    async def wait_ended(self, tasks: Sequence[Any], seconds: float) -> None:
        cancelled: BaseException | None = None
        try:
            # A turn is all that nearly every task needs: one that was cancelled where it waited for an event.
            await self.turn()
        except asyncio.CancelledError as exc:
            cancelled = exc
        running = {task for task in tasks if not task.done()}
        if running:
            cancelled = await self._wait_on(running, seconds) or cancelled
        if cancelled is not None:
            raise cancelled

    async def _wait_on(self, running: set[Any], seconds: float) -> BaseException | None:
        """Waits for tasks; returns the cancellation that came meanwhile."""
        end = self.now() + seconds
        cancelled: BaseException | None = None
        # The shield is against cancel scopes, which would raise at every turn; task.cancel() goes through it.
        with anyio.CancelScope(shield=True):
            while running and (left := end - self.now()) > 0:
                try:
                    _, running = await asyncio.wait(running, timeout=left)
                except asyncio.CancelledError as exc:
                    cancelled = exc
                    running = {task for task in running if not task.done()}
        return cancelled

    @staticmethod
    def begin(call: Awaitable[None], /) -> _Rest | None:
        # Nearly every call of send returns without waiting, and a deadline costs more than the call. So the call is
        # run up to its first suspension by hand; where there is one, the deadline is set.
        running = call.__await__()
        pending = next(running, ENDED)
        return None if pending is ENDED else (running, pending)

    def deadline(self, seconds: float | None) -> _Deadline:
        return _Deadline(self.loop, seconds)

    async def finish_within(self, rest: _Rest, deadline: _Deadline) -> bool:
        # asyncio.timeout can be entered here, in the middle of the call. A cancel scope could not: what the call has
        # entered must be left first (hypercorn's and anyio's own do enter some).
        timeout = deadline.timeout
        try:
            async with timeout:
                await _resume(*rest)
        except TimeoutError:
            if timeout.expired():
                return False
            raise  # the server's own
        return True


async def _awaited(running: Awaitable[None]) -> None:
    await running


@types.coroutine
def _resume(
    running: Any, pending: Any, run: Callable[[Callable[[], Any]], Any] | None = None
) -> Generator[Any, Any, None]:
    """Goes on with an awaitable that has been run up to its first suspension, as ``yield from`` would.

    What ``__await__`` returns need only be an iterator, and granian's is no more: the rest is asked for (PEP 380).
    """
    go_on: Callable[[], Any]
    while pending is not ENDED:
        try:
            sent = yield pending
        except GeneratorExit:
            if hasattr(running, "close"):
                running.close()
            raise
        except BaseException as exc:  # all of them belong to the awaitable
            if not hasattr(running, "throw"):
                raise
            go_on = functools.partial(running.throw, exc)
        else:
            go_on = running.__next__ if sent is None else functools.partial(running.send, sent)
        try:
            pending = go_on() if run is None else run(go_on)
        except StopIteration:
            return


class Place(NamedTuple):
    """Where a task stands: what others need to do something in its name while it waits.

    Attributes:
        loop: Its event loop.
        task: The task.
        context: Its context, or a copy.
        run: Goes on in that context with what was begun there; ``None`` where the task does so by itself.
    """

    loop: asyncio.AbstractEventLoop
    task: asyncio.Task[Any]
    context: contextvars.Context
    run: Callable[..., Any] | None


class _Deadline:
    __slots__ = ("_loop", "timeout")

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float | None) -> None:
        self._loop = loop
        self.timeout = asyncio.timeout(seconds)

    def expire(self) -> None:
        # It is entered where it is made, without a turn of the event loop in between.
        self.timeout.reschedule(self._loop.time())


class _WakeUp:
    __slots__ = ("_called", "_create_future", "_waiter")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._create_future = loop.create_future
        self._waiter: asyncio.Future[None] | None = None
        self._called = False

    def __call__(self) -> None:
        waiter = self._waiter
        if waiter is None or waiter.done():
            self._called = True
        else:
            waiter.set_result(None)

    def wait(self) -> Awaitable[None]:
        self._waiter = waiter = self._create_future()
        if self._called:
            self._called = False
            waiter.set_result(None)
        return waiter
