"""A server in a thread, as its host sees it; and what those on asyncio have in common: nothing keeps them alive."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

__all__ = ["Engine", "EngineOnAsyncio", "post"]

_CANCELLATIONS: Final = 10
"""How often what runs on after the end is cancelled, before it is left; each has a tenth of a second."""


class Engine(ABC):
    """A server in a thread: ``run`` is called in it, everything else from another one.

    Args:
        app: The application.
        options: What the server is configured with, beside what is ours to say.

    Attributes:
        port: Where it listens, once it is ready.
        isolated: Whether it needs a process of its own.
    """

    isolated: ClassVar[bool] = False

    def __init__(self, app: Any, options: Mapping[str, Any]) -> None:
        self.app = app
        self.options = options
        self.port = 0

    @abstractmethod
    def run(self, ready: Callable[[], None]) -> None:
        """Runs the server to its end; calls `ready` when it answers."""
        ...

    @abstractmethod
    def stop(self) -> None:
        """Asks it to end."""
        ...

    def kill(self) -> None:
        """Lets it end with whatever runs; one that blocks its event loop does not hear this."""
        self.stop()


class EngineOnAsyncio(Engine):
    """On an event loop of asyncio that nothing can keep alive."""

    def __init__(self, app: Any, options: Mapping[str, Any]) -> None:
        super().__init__(app, options)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None

    def new_loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.SelectorEventLoop()

    @abstractmethod
    async def serve(self, ready: Callable[[], None], stopping: asyncio.Event) -> None: ...

    def run(self, ready: Callable[[], None]) -> None:
        loop = self._loop = self.new_loop()
        try:
            loop.run_until_complete(self._main(ready))
        except RuntimeError as exc:
            # The loop was stopped before its time: it was killed.
            if "stopped before" not in str(exc):
                raise
        finally:
            try:
                _sweep(loop)
            finally:
                loop.close()

    async def _main(self, ready: Callable[[], None]) -> None:
        stopping = self._stopping = asyncio.Event()
        await self.serve(ready, stopping)

    def stop(self) -> None:
        if self._loop is not None and self._stopping is not None:
            post(self._loop, self._stopping.set)

    def kill(self) -> None:
        if self._loop is not None:
            post(self._loop, self._loop.stop)


def post(loop: asyncio.AbstractEventLoop, callback: Callable[[], object]) -> None:
    """Calls back in the thread of a loop, where it runs still."""
    # One that has ended has a closed loop.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(callback)


def _sweep(loop: asyncio.AbstractEventLoop) -> None:
    """Ends what runs on a loop after its main task. ``asyncio.run`` waits for it, and may do so for ever."""
    # What was killed was reported; its tasks need not say it again.
    loop.set_exception_handler(lambda *_: None)
    for _ in range(_CANCELLATIONS):
        tasks = asyncio.all_tasks(loop)
        if not tasks:
            break
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.wait(tasks, timeout=0.1))
    for task in asyncio.all_tasks(loop):
        # It was reported by its name; that it is destroyed need not be said again when it is collected.
        task._log_destroy_pending = False  # type: ignore[attr-defined] # asyncio has no public name for it
    loop.run_until_complete(loop.shutdown_asyncgens())
    executor = loop.create_task(loop.shutdown_default_executor())
    loop.run_until_complete(asyncio.wait({executor}, timeout=1.0))
