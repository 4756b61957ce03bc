"""From bytes back to items."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from contextlib import aclosing

from ..wire import Chunk, aiter_events
from ._protocols import AnItem, Dialect, DialectDecoder
from ._registry import get_dialect

__all__ = ["awaited", "decode"]


def decode(
    chunks: AsyncIterable[Chunk] | Iterable[Chunk], dialect: str | Dialect = "plain"
) -> AsyncGenerator[AnItem, None]:
    r"""Decodes an event stream into items.

    >>> import anyio
    >>> async def main():
    ...     async for item in decode([b"data: Once", b" upon\n\nevent: log\ndata: ...\n\n"]):
    ...         print(item)
    >>> anyio.run(main)
    Text(text='Once upon')
    Log(text='...')

    Args:
        chunks: The bytes of the stream, cut anywhere: what an HTTP client's byte iterator gives. It is closed
            when the decoding ends, however it ends; close the decoding (``async with aclosing(...)``) where you
            leave it early.
        dialect: The name of a dialect, or a dialect.

    Yields:
        Items of `sseware.items`, as they are complete.

    Raises:
        UnknownDialect: There is no dialect of that name.
        ParserLimitExceeded: An event is larger than the parser's limit.
        InvalidDialectEvent: An event does not have the shape that the dialect gives it.
        TruncatedStream: The dialect has a terminator, and the stream ended without one.
    """
    # Whether there is such a dialect is told here, and not where the first item is awaited.
    return _decode(awaited(chunks), get_dialect(dialect).decoder())


async def _decode(chunks: AsyncIterable[Chunk], decoder: DialectDecoder) -> AsyncGenerator[AnItem, None]:
    async with aclosing(aiter_events(chunks)) as events:
        async for event in events:
            for item in decoder.decode(event):
                yield item
    decoder.close()


def awaited(chunks: AsyncIterable[Chunk] | Iterable[Chunk]) -> AsyncIterable[Chunk]:
    """Returns chunks that are awaited, whether or not they were."""
    return chunks if isinstance(chunks, AsyncIterable) else _awaited(chunks)


async def _awaited(chunks: Iterable[Chunk]) -> AsyncGenerator[Chunk, None]:
    try:
        for chunk in chunks:
            yield chunk
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
