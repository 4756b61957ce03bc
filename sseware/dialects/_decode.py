"""From bytes back to items."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable
from contextlib import aclosing

from ..wire import aiter_events
from ._protocols import AnItem, Dialect
from ._registry import get_dialect

__all__ = ["decode"]


async def decode(
    chunks: AsyncIterable[bytes] | Iterable[bytes], dialect: str | Dialect = "plain"
) -> AsyncIterator[AnItem]:
    """Decodes an event stream into items.

    Args:
        chunks: The bytes of the stream, cut anywhere: what an HTTP client's byte iterator gives. It is closed
            when the decoding ends, however it ends.
        dialect: The name of a dialect, or a dialect.

    Yields:
        Items of `sseware.items`, as they are complete.

    Raises:
        UnknownDialect: There is no dialect of that name.
        ParserLimitExceeded: An event is larger than the parser's limit.
        InvalidDialectEvent: An event does not have the shape that the dialect gives it.
        TruncatedStream: The dialect has a terminator, and the stream ended without one.
    """
    decoder = get_dialect(dialect).decoder()
    if not isinstance(chunks, AsyncIterable):
        chunks = _awaited(chunks)
    async with aclosing(aiter_events(chunks)) as events:
        async for event in events:
            for item in decoder.decode(event):
                yield item
    decoder.close()


async def _awaited(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
