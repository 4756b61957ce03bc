"""What a stream needs of its event loop, on asyncio."""

from __future__ import annotations

import asyncio
import functools
import types
from collections.abc import Callable, Coroutine, Generator, Sequence
from typing import Any

import anyio

from .._types import Message, Send

__all__ = ["AsyncioRuntime"]


class AsyncioRuntime:
    """One running loop."""

    cancelled: type[BaseException] = asyncio.CancelledError

    __slots__ = ("_loop", "call_later", "now")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.now = loop.time
        self.call_later = loop.call_later

    def wake_up(self) -> _WakeUp:
        return _WakeUp(self._loop)

    def spawn(self, main: Callable[[], Coroutine[Any, Any, None]], name: str) -> asyncio.Task[None]:
        return self._loop.create_task(main(), name=name)

    async def turn(self) -> None:
        await asyncio.sleep(0)

    async def wait_ended(self, tasks: Sequence[Any], seconds: float) -> None:
        running = {task for task in tasks if not task.done()}
        if not running:
            return
        end, cancelled = self.now() + seconds, None
        # The shield is against cancel scopes, which would raise at every turn; task.cancel() goes through it.
        with anyio.CancelScope(shield=True):
            while running and (left := end - self.now()) > 0:
                try:
                    _, running = await asyncio.wait(running, timeout=left)
                except asyncio.CancelledError as exc:
                    cancelled = exc
                    running = {task for task in running if not task.done()}
        if cancelled is not None:
            raise cancelled

    async def send_within(self, send: Send, message: Message, seconds: float) -> bool:
        # Nearly every call of send returns without suspending, and a deadline costs more than the call. So the
        # call is run up to its first suspension by hand; where it suspends, the deadline is set. asyncio.timeout
        # can be entered there, in the middle of the call; a cancel scope could not: what send has entered
        # must be left first (hypercorn's and anyio's own do enter some).
        running = send(message).__await__()
        try:
            pending = next(running)
        except StopIteration:
            return True
        deadline = asyncio.timeout(seconds)
        try:
            async with deadline:
                await _resume(running, pending)
        except TimeoutError:
            if deadline.expired():
                return False
            raise  # the server's own
        return True


@types.coroutine
def _resume(running: Generator[Any, Any, None], pending: Any) -> Generator[Any, Any, None]:
    """Goes on with an awaitable that has been run up to its first suspension, as ``yield from`` would."""
    go_on: Callable[[], Any]
    while True:
        try:
            sent = yield pending
        except GeneratorExit:
            running.close()
            raise
        except BaseException as exc:  # all of them belong to the awaitable
            go_on = functools.partial(running.throw, exc)
        else:
            go_on = functools.partial(running.send, sent)
        try:
            pending = go_on()
        except StopIteration:
            return


class _WakeUp:
    __slots__ = ("_called", "_loop", "_waiter")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiter: asyncio.Future[None] | None = None
        self._called = False

    def __call__(self) -> None:
        waiter = self._waiter
        if waiter is None:
            self._called = True
        elif not waiter.done():
            waiter.set_result(None)

    async def wait(self) -> None:
        if self._called:
            self._called = False
            return
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None
