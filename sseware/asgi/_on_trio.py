"""What a stream needs of its event loop, on Trio; loaded where Trio runs, and only there."""

from __future__ import annotations

import contextvars
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import trio

__all__ = ["TrioRuntime"]


class TrioRuntime:
    """The run of Trio that is current."""

    cancelled: type[BaseException] = trio.Cancelled
    shields = True  # a cancel scope may be shielded from those around it

    __slots__ = ()

    @property
    def loop(self) -> trio.lowlevel.TrioToken:
        return trio.lowlevel.current_trio_token()

    def now(self) -> float:
        return trio.current_time()

    def wake_up(self) -> _WakeUp:
        return _WakeUp()

    def call_later(self, seconds: float, callback: Callable[[], None], /) -> _Task:
        async def ring() -> None:
            await trio.sleep(seconds)
            callback()

        return self.spawn(ring, "sseware timer")

    def spawn(self, main: Callable[[], Awaitable[None]], name: str) -> _Task:
        task = _Task(main)
        # A system task belongs to no nursery. It is cancelled when the run ends, after the main task.
        trio.lowlevel.spawn_system_task(task.run, name=name, context=contextvars.copy_context())
        return task

    def place(self) -> None:
        """Returns none: every message waits on Trio, if only for a turn, and a task cannot be stood in for."""
        return

    async def turn(self) -> None:
        await trio.lowlevel.checkpoint()

    async def wait_ended(self, tasks: Sequence[Any], seconds: float) -> None:
        with trio.CancelScope(shield=True, deadline=trio.current_time() + seconds):
            for task in tasks:
                await task.wait()

    @staticmethod
    def begin(call: Awaitable[None], /) -> Awaitable[None]:
        # A cancel scope has to be there before the call.
        return call

    def deadline(self, seconds: float | None) -> _Deadline:
        return _Deadline(seconds)

    async def finish_within(self, rest: Awaitable[None], deadline: _Deadline) -> bool:
        with deadline.scope:
            await rest
        return not deadline.scope.cancelled_caught


class _Deadline:
    __slots__ = ("scope",)

    def __init__(self, seconds: float | None) -> None:
        self.scope = trio.CancelScope() if seconds is None else trio.move_on_after(seconds)

    def expire(self) -> None:
        self.scope.cancel()


class _Task:
    __slots__ = ("_ended", "_main", "_scope")

    def __init__(self, main: Callable[[], Awaitable[None]]) -> None:
        self._main = main
        self._scope = trio.CancelScope()
        self._ended = trio.Event()

    async def run(self) -> None:
        try:
            with self._scope:
                await self._main()
        finally:
            self._ended.set()

    def done(self) -> bool:
        return self._ended.is_set()

    def cancel(self) -> None:
        self._scope.cancel()

    async def wait(self) -> None:
        await self._ended.wait()


class _WakeUp:
    __slots__ = ("_called", "_sleeper")

    def __init__(self) -> None:
        self._sleeper: trio.lowlevel.Task | None = None
        self._called = False

    def __call__(self) -> None:
        sleeper = self._sleeper
        if sleeper is None:
            self._called = True
        else:
            self._sleeper = None
            trio.lowlevel.reschedule(sleeper)

    async def wait(self) -> None:
        if self._called:
            self._called = False
            return
        self._sleeper = trio.lowlevel.current_task()
        await trio.lowlevel.wait_task_rescheduled(self._wake_for_cancel)

    def _wake_for_cancel(self, _: object) -> trio.lowlevel.Abort:
        self._sleeper = None
        return trio.lowlevel.Abort.SUCCEEDED
