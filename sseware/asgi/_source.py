"""What a handler gives, as one kind of thing: a source of values.

Taken are async generators and iterators, sync generators and iterables (each step in a worker thread), lists and
tuples, and an awaitable of any of these. A source is used by one task only, from its first step to its close.

What has no ``close`` or ``aclose`` (a class with ``__anext__`` and nothing else) is left alone when a stream ends
before it: there is nothing to call. An iterable that can be begun again, such as a list, may serve many responses;
a generator serves one.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Iterable, Mapping
from typing import Any, Protocol, Self

from ..errors import HandlerReused, HandlerTypeError
from ._freshness import check_fresh
from ._threads import ThreadSource

__all__ = ["Source", "discard", "open_source"]


class Source(Protocol):
    """A source of the values that a handler yields.

    Attributes:
        values: Yields them; its ``__anext__`` is a step of the handler.
    """

    @property
    def values(self) -> AsyncIterator[object]: ...

    def enter(self) -> None:
        """Is called first of all, by the task that will use the source; from then on it must be closed.

        Raises:
            HandlerReused: It is a generator, and another response has begun it since; it is the other's to close.
        """
        ...

    def throw(self, exc: BaseException) -> Awaitable[object]:
        """Raises an exception where the handler stands, at its ``yield``; returns the next value."""
        ...

    def depart(self) -> bool:
        """Is called where nobody waits for the step that runs; returns whether it can be cancelled."""
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
        return _AsyncGeneratorSource(_listed(content))
    if isinstance(content, Awaitable):
        return _AwaitedSource(content)
    if isinstance(content, Iterable) and not isinstance(
        content, str | bytes | bytearray | memoryview | Mapping
    ):
        return ThreadSource(content)
    hint = (
        "call the function and pass its generator" if callable(content) else "yield from a generator function"
    )
    raise HandlerTypeError(
        "want an async generator, a sync generator or an iterable of items, "
        f"got {content!r} ({type(content).__name__}); {hint}"
    )


async def discard(source: Source) -> None:
    """Closes a source that was never used, unless another response uses it."""
    try:
        source.enter()
    except HandlerReused:
        return
    await source.close()


class _AsyncGeneratorSource:
    __slots__ = ("values",)

    def __init__(self, generator: AsyncGenerator[object, None]) -> None:
        check_fresh(generator)
        self.values = generator

    def enter(self) -> None:
        check_fresh(self.values)

    def throw(self, exc: BaseException) -> Awaitable[object]:
        return self.values.athrow(exc)

    def depart(self) -> bool:
        return True

    def close(self) -> Awaitable[None]:
        return self.values.aclose()


class _AsyncIteratorSource:
    def __init__(self, iterator: AsyncIterator[object]) -> None:
        self._iterator = iterator

    @property
    def values(self) -> AsyncIterator[object]:
        # Not the iterator itself: it may have a step and nothing else, or give another one when it is asked again.
        return self

    def __aiter__(self) -> Self:
        return self

    def __anext__(self) -> Awaitable[object]:
        return self._iterator.__anext__()

    def enter(self) -> None:
        """Does nothing: an iterator does not tell whether it was begun."""

    async def throw(self, exc: BaseException) -> object:
        athrow = getattr(self._iterator, "athrow", None)
        if athrow is None:
            raise exc
        return await athrow(exc)

    def depart(self) -> bool:
        return True

    async def close(self) -> None:
        aclose = getattr(self._iterator, "aclose", None)
        if aclose is not None:
            await aclose()


async def _listed(values: list[object] | tuple[object, ...]) -> AsyncGenerator[object, None]:
    for value in values:
        yield value


class _AwaitedSource:
    """A coroutine that returns what yields, awaited in the handler's own task at the first step."""

    def __init__(self, content: Awaitable[object]) -> None:
        self._content = content
        self._source: Source | None = None
        check_fresh(content)

    @property
    def values(self) -> AsyncIterator[object]:
        return self

    def enter(self) -> None:
        check_fresh(self._content)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> object:
        if self._source is None:
            source = open_source(await self._content)
            source.enter()
            self._source = source
        return await anext(self._source.values)

    async def throw(self, exc: BaseException) -> object:
        if self._source is None:
            raise exc
        return await self._source.throw(exc)

    def depart(self) -> bool:
        return self._source is None or self._source.depart()

    async def close(self) -> None:
        if self._source is not None:
            await self._source.close()
        elif inspect.iscoroutine(self._content):
            self._content.close()
