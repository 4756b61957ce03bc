"""The handler's task: it opens the handler, pulls from it, and closes it; nobody else touches it (PEP 789)."""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable

import anyio

from ._runtime import Runtime, Task
from ._sinks import Sink
from ._source import Source

__all__ = ["Producer"]

_log = logging.getLogger("sseware")


class Producer:
    """Runs a handler in a task of its own and puts what it yields into a sink.

    How a handler ends that has not ended by itself depends on where it stands:

    - at a ``yield``, waiting for room: it is closed there (``aclose``), and its ``finally`` may await;
    - at an ``await`` of its own: its task is cancelled;
    - in a worker thread: it is closed after the step, in a worker thread;
    - never entered: it is closed without having run.

    Attributes:
        crash: A `BaseException` that is no `Exception` and no cancellation, to be raised by the caller.
    """

    def __init__(self, source: Source, sink: Sink) -> None:
        self._source = source
        self._sink = sink
        self._task: Task | None = None
        self._entered = False
        self._leaving = False
        self._closing = False
        self.crash: BaseException | None = None

    def start(self, runtime: Runtime) -> None:
        """Starts the task, in a copy of the caller's context."""
        self._task = runtime.spawn(self._main, "sseware handler")

    async def _main(self) -> None:
        self._entered = True
        cancelled = anyio.get_cancelled_exc_class()
        try:
            await self._run(cancelled)
        except cancelled:
            raise
        except BaseException as exc:  # re-raised in the caller's task
            self.crash = exc
        finally:
            self._sink.close()

    async def _run(self, cancelled: type[BaseException]) -> None:
        sink = self._sink
        try:
            await self._pull(cancelled)
        except cancelled as exc:
            if not self._leaving:
                # The handler awaited something that was cancelled, or the event loop is coming down.
                sink.fail(exc)
            raise
        except Exception as exc:
            sink.fail(exc)
        else:
            if not self._leaving:
                self._finish()
        finally:
            self._closing = True
            # The client does not wait for the handler's clean-up.
            sink.close()
            await self._close()

    async def _pull(self, cancelled: type[BaseException]) -> None:
        source, sink = self._source, self._sink
        step: Callable[[], Awaitable[object]] = source.next
        while not self._leaving:
            try:
                value = await step()
            except StopAsyncIteration:
                return
            step = source.next
            if sink.put(value):
                continue
            if sink.ended:
                return
            try:
                await sink.wait_room()
            except cancelled as exc:
                if self._leaving:
                    raise
                # A deadline that the handler holds over its yield has passed; it is the handler's to see.
                step = functools.partial(source.throw, exc)

    def _finish(self) -> None:
        try:
            self._sink.finish()
        except Exception as exc:  # a stranger's dialect may raise anything
            self._sink.fail(exc)

    async def _close(self) -> None:
        try:
            await self._source.close()
        except BaseExceptionGroup as group:
            # A task group in the handler wraps the GeneratorExit that closed it.
            _, others = group.split(GeneratorExit)
            if others is not None:
                _log.error("the handler failed while it was closed", exc_info=others)
        except Exception:
            _log.exception("the handler failed while it was closed")

    def leave(self) -> None:
        """Tells the handler to end: nobody wants more of it."""
        if self._leaving or self._closing or self._task is None or self._task.done:
            return
        self._leaving = True
        if not self._entered:
            return
        if self._sink.waiting:
            self._sink.release()
        elif self._source.interruptible:
            self._task.cancel()

    async def wait_closed(self, seconds: float) -> None:
        """Waits until the task has ended; after ``seconds`` it is cancelled once more and left to itself."""
        task = self._task
        if task is None or task.done:
            return
        with anyio.move_on_after(seconds, shield=True):
            await task.wait()
        if not task.done:
            _log.error("the handler did not end within %g s of being closed; it is abandoned", seconds)
            if self._source.interruptible:
                task.cancel()
