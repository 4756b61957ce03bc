"""What a handler gives, as one kind of thing: a source of values.

Taken are async generators and iterators, sync generators and iterators (each step in a worker thread), lists and
tuples, and an awaitable of any of these. A source is used by one task only, from its first step to its close.
"""

from __future__ import annotations

import contextvars
import functools
import inspect
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Iterable,
    Iterator,
    Mapping,
)
from typing import Any, Final, Protocol

import anyio
import anyio.lowlevel
import anyio.to_thread

from ..errors import HandlerReused, HandlerTypeError

__all__ = ["Source", "open_source"]


class Source(Protocol):
    """A source of the values that a handler yields.

    Attributes:
        interruptible: Whether a step may be cancelled; one in a worker thread cannot be.
    """

    interruptible: bool

    def next(self) -> Awaitable[object]:
        """Returns the next value.

        Raises:
            StopAsyncIteration: There is none.
        """
        ...

    def throw(self, exc: BaseException) -> Awaitable[object]:
        """Raises an exception where the handler stands, at its ``yield``; returns the next value."""
        ...

    def close(self) -> Awaitable[None]:
        """Closes the handler; its ``finally`` runs here."""
        ...


def open_source(content: Any) -> Source:
    """Returns the source of what a handler gave.

    Raises:
        HandlerTypeError: It is nothing that yields values.
        HandlerReused: It is a generator that runs or has run.
    """
    if isinstance(content, AsyncGenerator):
        return _AsyncGeneratorSource(content)
    if isinstance(content, AsyncIterable):
        return _AsyncIteratorSource(aiter(content))
    if isinstance(content, list | tuple):
        return _ListSource(content)
    if isinstance(content, Iterable) and not isinstance(
        content, str | bytes | bytearray | memoryview | Mapping
    ):
        return _ThreadSource(content)
    if isinstance(content, Awaitable):
        return _AwaitedSource(content)
    hint = (
        "call the function and pass its generator" if callable(content) else "yield from a generator function"
    )
    raise HandlerTypeError(
        "want an async generator, a sync generator or an iterable of items, "
        f"got {content!r} ({type(content).__name__}); {hint}"
    )


class _AsyncGeneratorSource:
    interruptible = True

    def __init__(self, generator: AsyncGenerator[object, None]) -> None:
        frame = getattr(generator, "ag_frame", generator)
        if getattr(generator, "ag_running", False) or frame is None:
            raise HandlerReused(f"{generator!r} runs or has run; make a new generator for each response")
        # Bound once: the loop that pulls calls it for each item.
        self.next = generator.__anext__
        self.throw = generator.athrow
        self.close = generator.aclose


class _AsyncIteratorSource:
    interruptible = True

    def __init__(self, iterator: AsyncIterator[object]) -> None:
        self._iterator = iterator
        self.next = iterator.__anext__

    async def throw(self, exc: BaseException) -> object:
        athrow = getattr(self._iterator, "athrow", None)
        if athrow is None:
            raise exc
        return await athrow(exc)

    async def close(self) -> None:
        aclose = getattr(self._iterator, "aclose", None)
        if aclose is not None:
            await aclose()


class _ListSource:
    interruptible = True

    def __init__(self, values: list[object] | tuple[object, ...]) -> None:
        self._values = iter(values)

    async def next(self) -> object:
        for value in self._values:
            return value
        raise StopAsyncIteration

    async def throw(self, exc: BaseException) -> object:
        raise exc

    async def close(self) -> None:
        self._values = iter(())


class _AwaitedSource:
    """A coroutine that returns what yields, awaited in the handler's own task at the first step."""

    interruptible = True

    def __init__(self, content: Awaitable[object]) -> None:
        self._content = content
        self._source: Source | None = None

    async def next(self) -> object:
        if self._source is None:
            source = open_source(await self._content)
            self._source = source
            self.interruptible = source.interruptible
        return await self._source.next()

    async def throw(self, exc: BaseException) -> object:
        if self._source is None:
            raise exc
        return await self._source.throw(exc)

    async def close(self) -> None:
        if self._source is not None:
            await self._source.close()
        elif inspect.iscoroutine(self._content):
            self._content.close()


_END: Final = object()

_THREADS: Final = 100
"""How many steps of sync handlers run at once; FastAPI and Starlette share 40 tokens among everything."""

_limiter: anyio.lowlevel.RunVar[anyio.CapacityLimiter] = anyio.lowlevel.RunVar("sseware sync handlers")


def _own_limiter() -> anyio.CapacityLimiter:
    """Returns the limiter of this event loop; of our own, so that a blocked handler starves nobody else."""
    try:
        return _limiter.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(_THREADS)
        _limiter.set(limiter)
        return limiter


class _ThreadSource:
    """A sync iterable, each step in a worker thread, all steps in one context."""

    interruptible = False

    def __init__(self, iterable: Iterable[object]) -> None:
        if inspect.isgenerator(iterable) and inspect.getgeneratorstate(iterable) != inspect.GEN_CREATED:
            raise HandlerReused(f"{iterable!r} runs or has run; make a new generator for each response")
        self._iterable = iterable
        self._iterator: Iterator[object] | None = None
        self._context = contextvars.copy_context()

    def _step(self) -> object:
        if self._iterator is None:
            self._iterator = iter(self._iterable)
        return next(self._iterator, _END)

    async def _in_thread(self, function: Any) -> object:
        call = functools.partial(self._context.run, function)
        return await anyio.to_thread.run_sync(call, limiter=_own_limiter())

    async def next(self) -> object:
        value = await self._in_thread(self._step)
        if value is _END:
            raise StopAsyncIteration
        return value

    async def throw(self, exc: BaseException) -> object:
        # A sync handler cannot hold a deadline of the event loop over its yield: there is none to deliver.
        raise exc

    async def close(self) -> None:
        close = getattr(self._iterator or self._iterable, "close", None)
        if close is not None:
            await self._in_thread(close)
