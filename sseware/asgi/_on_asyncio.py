"""What a stream needs of its event loop, on asyncio."""

from __future__ import annotations

import asyncio
import functools
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator, Sequence
from typing import Any, Final, TypeAlias

import anyio

__all__ = ["AsyncioRuntime"]

_Rest: TypeAlias = tuple[Generator[Any, Any, None], Any]
"""A call that was begun, and what it waits for."""

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
def _resume(running: Any, pending: Any) -> Generator[Any, Any, None]:
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
            pending = go_on()
        except StopIteration:
            return


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
