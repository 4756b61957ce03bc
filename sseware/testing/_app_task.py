"""An application in a task of its own, which nobody has to wait for."""

from __future__ import annotations

import types
from collections.abc import Awaitable, Callable, Generator
from functools import partial
from typing import Any, Final

import anyio
import anyio.lowlevel

from ..asgi._runtime import current_runtime
from ._frames import Place, awaited_chain, tasks_below, waiting_places

__all__ = ["AppTask"]

_LONGEST_CANCELLATION: Final = 1.0
"""How many seconds an application that is cancelled has to end, before it is left to itself."""

_MOST_STEPS_AFTER: Final = 1_000
"""How many steps it may take then."""


class AppTask:
    """Runs an application. What it raises is kept; a cancellation that it swallows does not keep it alive.

    Args:
        main: Calls the application.
        on_end: Is called when it has ended.

    Attributes:
        exception: What it raised.
        finished: Whether it has ended by itself.
        cancelled: Whether it was cancelled by us.
    """

    def __init__(self, main: Callable[[], Awaitable[object]], on_end: Callable[[], None]) -> None:
        self._main = main
        self._on_end = on_end
        self._runtime = current_runtime()
        self._known = {task.id for task in anyio.get_running_tasks()}
        self._given_up = False
        self._steps_after = 0
        self._id: int | None = None
        self._coroutine: object = None
        self.exception: BaseException | None = None
        self.finished = False
        self.cancelled = False
        self._task = self._runtime.spawn(self._run, "an application under test")

    async def _run(self) -> None:
        self._id = anyio.get_current_task().id
        try:
            await self._drive_in_scope()
            self.finished = not self._given_up
        except self._runtime.cancelled as exc:
            if not self.cancelled:
                self.exception, self.finished = exc, True
            raise
        except KeyboardInterrupt:
            raise
        except BaseException as exc:  # whatever an application raises is what a test wants to see
            self.exception, self.finished = exc, True
        finally:
            self._on_end()

    async def _drive_in_scope(self) -> None:
        scope = anyio.CancelScope()
        try:
            with scope:
                await self._drive(self._main())
        except RuntimeError:
            # Cancel scopes that were left in the middle: Trio tells, and goes on with this one.
            if not self._given_up:
                raise

    @types.coroutine
    def _drive(self, awaitable: Awaitable[object]) -> Generator[Any, Any, None]:
        """Awaits, as ``yield from`` would; but a coroutine that will not end can be left."""
        self._coroutine = awaitable
        running = awaitable.__await__()
        go_on: Callable[[], Any] = partial(next, running)
        while True:
            try:
                pending = go_on()
            except StopIteration:
                return
            try:
                sent = yield pending
            except BaseException as exc:  # all of them belong to the application
                go_on = partial(running.throw, exc)
            else:
                # Trio sends also what is to be raised.
                go_on = partial(running.send, sent)
            # One that swallows its cancellation may be busy with that, so that no deadline passes in virtual time.
            self._steps_after += self.cancelled
            if self._given_up or self._steps_after > _MOST_STEPS_AFTER:
                self._given_up = True
                _never_free([running, *awaited_chain(awaitable)])
                return

    async def wait(self, seconds: float) -> bool:
        """Waits until the application has ended, but not for long; returns whether it has."""
        await self._runtime.wait_ended([self._task], seconds)
        for _ in range(5):
            if self._task.done():
                break
            # What ends at the very end of that time has ended in time.
            await self._runtime.turn()
        return self._task.done()

    @property
    def done(self) -> bool:
        """Whether its task has ended, in whatever way."""
        return self._task.done()

    def cancel(self) -> None:
        """Cancels it."""
        if not self._task.done():
            self.cancelled = True
            self._task.cancel()

    async def get_rid(self) -> None:
        """Ends it, whatever it does about that."""
        self.cancel()
        if not await self.wait(_LONGEST_CANCELLATION):
            self._given_up = True
            self._task.cancel()
            await self.wait(_LONGEST_CANCELLATION)

    def places(self) -> list[Place]:
        """Returns where the application waits, the outermost first: in its own code, else in a library's.

        Its own code may wait in a task that it has started; that comes last.
        """
        if self.done or self._id is None:
            return []
        below = [self._coroutine, *tasks_below(self._id)]
        since = [task.coro for task in anyio.get_running_tasks() if task.id not in self._known]
        for coroutines in (below, since):
            own = [place for each in coroutines for place in waiting_places(each) if place.own]
            if own:
                return own
        return waiting_places(self._coroutine)


def _never_free(coroutines: list[object]) -> None:
    """Keeps coroutines that refuse to end: to free one is to raise in it, and it would refuse that for ever."""
    import ctypes

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(coroutines))
