"""What a stream needs of its event loop, on asyncio."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import types
from asyncio.tasks import _enter_task as enter
from asyncio.tasks import _leave_task as leave
from asyncio.tasks import current_task
from collections.abc import Awaitable, Callable, Coroutine, Generator, Sequence
from typing import Any, Final, TypeAlias

import anyio

from .._types import Message, Send

__all__ = ["AsyncioRuntime", "StandIn"]

_Rest: TypeAlias = tuple[Any, ...]
"""A call that was begun, what it waits for, and maybe what runs it in the context in which it was begun."""

_ENDED: Final = object()


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

    def spawn(self, main: Callable[[], Coroutine[Any, Any, None]], name: str) -> asyncio.Task[None]:
        return self.loop.create_task(main(), name=name)

    def stand_in(self) -> StandIn | None:
        task = current_task(self.loop)
        return None if task is None else StandIn(self.loop, task)

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
        pending = next(running, _ENDED)
        return None if pending is _ENDED else (running, pending)

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


@types.coroutine
def _resume(
    running: Any, pending: Any, run: Callable[[Callable[[], Any]], Any] | None = None
) -> Generator[Any, Any, None]:
    """Goes on with an awaitable that has been run up to its first suspension, as ``yield from`` would.

    What ``__await__`` returns need only be an iterator, and granian's is no more: the rest is asked for (PEP 380).
    """
    go_on: Callable[[], Any]
    while True:
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


class StandIn:
    """Begins messages in the name of a task, from other tasks of its event loop while it waits.

    asyncio gives the two functions for that to whoever makes tasks ("Extending" in its documents). So what a ``send``
    enters belongs to the task that will leave it: a cancel scope, a timeout, a token of a context variable.
    """

    __slots__ = ("_caller", "_is_own", "_loop", "_run", "_task")

    def __init__(self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any]) -> None:
        # Before 3.12 a task does not tell its context. What a call leaves open is then gone on with in the copy.
        own: contextvars.Context | None = getattr(task, "get_context", lambda: None)()
        self._run = (contextvars.copy_context() if own is None else own).run
        self._is_own = own is not None
        self._loop = loop
        self._task = task
        self._caller: Any = task

    def begin(self, send: Send, message: Message) -> _Rest | None:
        """Begins to send a message: as `AsyncioRuntime.begin` does, but the task is the current one meanwhile."""
        loop, task = self._loop, self._task
        caller: Any = self._caller
        # It is called by the same task again and again, and asking for it costs more than trying.
        try:
            leave(loop, caller)
        except RuntimeError:
            self._caller = caller = current_task(loop)
            leave(loop, caller)
        enter(loop, task)
        try:
            running: Any = self._run(send, message).__await__()
            pending = self._run(next, running, _ENDED)
        finally:
            leave(loop, task)
            enter(loop, caller)
        if pending is _ENDED:
            return None
        return (running, pending) if self._is_own else (running, pending, self._run)


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
