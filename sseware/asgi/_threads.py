"""Sync handlers: each step in a worker thread, of a limiter of our own."""

from __future__ import annotations

import contextvars
import math
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any, Final, Self, TypeVar

import anyio
import anyio.lowlevel
import anyio.to_thread
import msgspec

from ._freshness import check_fresh

__all__ = ["ThreadSource"]

_STEPS: Final = 100
"""How many steps of sync handlers run at once; FastAPI and Starlette share 40 tokens among everything."""

_DEPARTED: Final = 1000
"""How many steps may run on whose clients have left, before they are counted among the others again."""

_T = TypeVar("_T")


class _Workers(msgspec.Struct):
    """What one event loop grants to sync handlers.

    Attributes:
        steps: Is asked before a step.
        threads: Grants a thread to whoever has been granted a step: a token of `steps` may be given back early.
        departed: How many steps run on without a token.
    """

    steps: anyio.CapacityLimiter
    threads: anyio.CapacityLimiter
    departed: int = 0


_workers: anyio.lowlevel.RunVar[_Workers] = anyio.lowlevel.RunVar("sseware sync handlers")


def _own_workers() -> _Workers:
    try:
        return _workers.get()
    except LookupError:
        workers = _Workers(anyio.CapacityLimiter(_STEPS), anyio.CapacityLimiter(math.inf))
        _workers.set(workers)
        return workers


class ThreadSource:
    """A sync iterable, each step in a worker thread, all steps in one copy of the handler's context."""

    def __init__(self, iterable: Iterable[object]) -> None:
        check_fresh(iterable)
        self._iterable = iterable
        self._iterator: Iterator[object] | None = None
        self._context: contextvars.Context | None = None
        self._step: _Step | None = None

    @property
    def values(self) -> AsyncIterator[object]:
        """Itself: a step is taken in a thread."""
        return self

    def enter(self) -> None:
        check_fresh(self._iterable)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> object:
        value = await self._in_thread(self._advance)
        if value is _END:
            raise StopAsyncIteration
        return value

    def _advance(self) -> object:
        if self._iterator is None:
            self._iterator = iter(self._iterable)
        try:
            return next(self._iterator, _END)
        except StopAsyncIteration as exc:
            # As PEP 479 has it for StopIteration: it must not pass for the end.
            raise RuntimeError("a sync handler raised StopAsyncIteration") from exc

    async def throw(self, exc: BaseException) -> object:
        # A sync handler cannot hold a deadline of the event loop over its yield: there is none to deliver.
        raise exc

    def depart(self) -> bool:
        if self._step is None:
            # It waits for its turn.
            return True
        self._step.depart()
        return False

    async def close(self) -> None:
        if self._step is not None:
            # The event loop comes down, and did not wait for the step.
            return
        iterator = self._iterable if self._iterator is None else self._iterator
        close = getattr(iterator, "close", None)
        if close is not None:
            # On Trio a handler that was cancelled while it waited for its turn stays cancelled.
            with anyio.CancelScope(shield=True):
                await self._in_thread(close)

    async def _in_thread(self, function: Callable[[], _T]) -> _T:
        if self._context is None:
            self._context = contextvars.copy_context()
        workers = _own_workers()
        step = _Step(workers)
        await workers.steps.acquire_on_behalf_of(step)
        self._step = step
        try:
            return await anyio.to_thread.run_sync(
                self._run_step, self._context, function, limiter=workers.threads
            )
        finally:
            step.end()

    def _run_step(self, context: contextvars.Context, function: Callable[[], _T]) -> _T:
        try:
            return context.run(function)
        finally:
            self._step = None


class _Step:
    """One step in its thread, and the token that it was granted."""

    def __init__(self, workers: _Workers) -> None:
        self._workers = workers
        self._departed = False

    def depart(self) -> None:
        """Gives the token back though the step runs on, so that a blocked handler starves no other."""
        if not self._departed and self._workers.departed < _DEPARTED:
            self._departed = True
            self._workers.departed += 1
            self._workers.steps.release_on_behalf_of(self)

    def end(self) -> None:
        if self._departed:
            self._workers.departed -= 1
        else:
            self._workers.steps.release_on_behalf_of(self)


_END: Final[Any] = object()
