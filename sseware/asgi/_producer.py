"""The handler's task: it opens the handler, pulls from it, and closes it; nobody else touches it (PEP 789)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from ..errors import HandlerReused
from ._failures import without
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
        task: The task, once it is started.
        crash: A `BaseException` that is no `Exception` and no cancellation, to be raised by the caller.
    """

    __slots__ = (
        "_at_yield",
        "_closing",
        "_entered",
        "_leaving",
        "_runtime",
        "_sink",
        "_source",
        "crash",
        "task",
    )

    def __init__(self, source: Source, sink: Sink, runtime: Runtime) -> None:
        self._source = source
        self._sink = sink
        self._runtime = runtime
        self._entered = False
        self._at_yield = False
        self._leaving = False
        self._closing = False
        self.task: Task | None = None
        self.crash: BaseException | None = None

    def start(self) -> None:
        """Starts the task, in a copy of the caller's context."""
        self.task = self._runtime.spawn(lambda: self._sink.carry(self._main), "sseware handler")

    async def _main(self) -> None:
        self._entered = True
        if not self._enter():
            return
        put, sink = self._sink.put, self._sink
        # Most values are texts. Once the sink has a shorter way for them, nothing is asked of it again.
        text: type[str] | None = None
        put_text: Callable[[Any], bool] = put
        try:
            # Not a coroutine of its own: each event would have to go through that, too.
            if not self._leaving:
                async for value in self._source.values:
                    if type(value) is text:
                        room = put_text(value)
                    else:
                        room = put(value)
                        if (shorter := sink.put_text) is not None:
                            text, put_text = str, shorter
                    if not (room or await self._may_go_on()) or self._leaving:
                        break
                    del value  # the next one may have its memory
        except BaseException as exc:  # it is told to the client, or raised in the caller's task
            self._failed(exc)
        else:
            self._finished()
        finally:
            self._closing = True
            # The client does not wait for the handler's clean-up.
            self._sink.close()
            await self._close()

    def _enter(self) -> bool:
        try:
            self._source.enter()
        except HandlerReused as exc:
            self._sink.fail(exc)
            self._sink.close()
            return False
        return True

    async def _may_go_on(self) -> bool:
        """Waits until there is room; returns whether anything more is wanted, and there may be more."""
        room = False
        while not room:
            # One that swallowed its cancellation must not wait here for a writer that takes nothing any more.
            if self._sink.ended or self._leaving:
                return False
            late = await self._wait_room()
            if late is None:
                break
            try:
                room = self._sink.put(await self._source.throw(late))
            except StopAsyncIteration:
                return False
        return True

    async def _wait_room(self) -> BaseException | None:
        """Waits at the handler's ``yield``; returns what there is to be raised there."""
        self._at_yield = True
        try:
            await self._sink.wait_room()
        except self._runtime.cancelled as exc:
            if self._leaving:
                raise
            # A deadline that the handler holds over its yield has passed; it is the handler's to see.
            return exc
        finally:
            self._at_yield = False
        return None

    def _finished(self) -> None:
        if self._leaving:
            return
        try:
            self._sink.finish()
        except Exception as exc:  # a stranger's dialect may raise anything
            self._sink.fail(exc)

    def _failed(self, exc: BaseException) -> None:
        left = without(exc, self._runtime.cancelled)
        if self._leaving:
            self._log_unless_told(left)
        elif left is None:
            cancelled = RuntimeError(
                "the handler was cancelled, by something that it awaited or by a shutdown"
            )
            cancelled.__cause__ = exc
            self._sink.fail(cancelled)
        elif isinstance(left, Exception):
            self._sink.fail(left)
        else:
            self.crash = left

    async def _close(self) -> None:
        try:
            await self._source.close()
        except BaseException as exc:  # it is logged, or raised in the caller's task
            self._log_unless_told(without(exc, self._runtime.cancelled, GeneratorExit))

    def _log_unless_told(self, exc: BaseException | None) -> None:
        if isinstance(exc, Exception):
            _log.error("the handler failed while it was closed", exc_info=exc)
        elif exc is not None:
            self.crash = exc

    def leave(self) -> None:
        """Tells the handler to end: nobody wants more of it."""
        if self._leaving:
            return
        self._leaving = True
        if self.task is None or not self._entered or self._closing:
            # It will not be entered, or is on its way out.
            return
        if self._at_yield:
            self._sink.release()
        elif self._source.depart():
            self.task.cancel()

    def give_up(self, seconds: float) -> None:
        """Is called where the handler has not ended within some seconds of `leave`; it is left to itself."""
        if self.task is None or self.task.done():
            return
        _log.error("the handler did not end within %g s of being closed; it is abandoned", seconds)
        if self._source.depart():
            self.task.cancel()
