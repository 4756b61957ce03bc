"""Event streams as iterators: over chunks, awaited or not."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Generator, Iterable

from ..events import ServerSentEvent
from ._parser import Chunk, EventStreamParser

__all__ = ["aiter_events", "iter_events"]


def iter_events(
    chunks: Iterable[Chunk], *, parser: EventStreamParser | None = None
) -> Generator[ServerSentEvent, None, None]:
    r"""Iterates over the events of a stream, and closes what it iterates over.

    >>> [event.data for event in iter_events([b"data: a\n", b"\ndata: b\n\n", b"data: unfinished"])]
    ['a', 'b']

    Args:
        chunks: The body, cut anywhere. Its ``close()`` is called at the end, early or not, where it has one.
        parser: What parses it: one with other limits, or one that knows the last event ID. It is closed at the
            end of the stream.

    Raises:
        ParserLimitExceeded: An event is too large.
        StrictViolation: The parser is strict, and the stream deviates.
    """
    parser = EventStreamParser() if parser is None else parser
    iterator = iter(chunks)
    try:
        for chunk in iterator:
            yield from parser.feed(chunk)
        parser.close()
    finally:
        for resource in (iterator, chunks):
            close = getattr(resource, "close", None)
            if close is not None:
                close()


async def aiter_events(
    chunks: AsyncIterable[Chunk], *, parser: EventStreamParser | None = None
) -> AsyncGenerator[ServerSentEvent, None]:
    """Iterates over the events of a stream as `iter_events` does, awaiting its chunks.

    Where it is left early, close it (``async with aclosing(...)``): then ``aclose()`` of what it iterates over is
    called in the same task.
    """
    parser = EventStreamParser() if parser is None else parser
    iterator = aiter(chunks)
    try:
        async for chunk in iterator:
            for event in parser.feed(chunk):
                yield event
        parser.close()
    finally:
        for resource in (iterator, chunks):
            aclose = getattr(resource, "aclose", None)
            if aclose is not None:
                await aclose()
