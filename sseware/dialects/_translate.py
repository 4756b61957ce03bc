"""From one dialect to another, through the items.

What an item loses on the way is what the target leaves out (``omits``). A source that fails, ends too early or
sends nonsense becomes the target's own failure: whoever reads the target never takes a broken source for a whole
one. Comments, ids and reconnection times belong to a connection, and stay with it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterable
from typing import Final

from ..errors import InvalidEvent, InvalidItem, ProtocolError, TruncatedStream
from ..items import Failure, Finish
from ..wire import Chunk, EventStreamParser
from ._chunks import ChunkEncoder
from ._decode import awaited
from ._protocols import AnItem, Dialect, DialectDecoder, StreamContext
from ._registry import default_registry

__all__ = ["translate"]

_log = logging.getLogger("sseware")

# What the reader of the target is told; the text of the exception itself stays on this side.
_TOLD: Final[tuple[tuple[tuple[type[Exception], ...], Failure], ...]] = (
    ((TruncatedStream,), Failure("the source ended before it was complete", "source_truncated", 502)),
    ((ProtocolError,), Failure("the source is not what it must be", "source_invalid", 502)),
    ((InvalidItem, InvalidEvent), Failure("the source has what cannot be translated", "untranslatable", 502)),
    ((Exception,), Failure("the source failed", "source_failed", 502)),
)


def translate(
    chunks: AsyncIterable[Chunk] | Iterable[Chunk],
    source: str | Dialect,
    target: str | Dialect,
    *,
    on_failure: Callable[[Exception], object] | None = None,
) -> AsyncGenerator[bytes, None]:
    r"""Translates an event stream from one dialect to another.

    >>> import anyio
    >>> from sseware.dialects import Plain
    >>> async def main():
    ...     async for chunk in translate([b"data: Once\n\ndata: upon\n\n"], "plain", Plain()):
    ...         print(chunk)
    >>> anyio.run(main)
    b'data: Once\n\ndata: upon\n\n'

    Args:
        chunks: The bytes of the source, cut anywhere. They are closed when the translation ends, however it ends;
            close the translation (``async with aclosing(...)``) where you leave it early.
        source: The dialect that it speaks: a name, or a dialect.
        target: The dialect to be written.
        on_failure: Is called with what went wrong, in place of a line in the log.

    Yields:
        The bytes of the target: one chunk for each chunk of the source that completes something, so that nothing
        waits. Where the source ends too early, is not what it must be, raises, or has an item that the target
        cannot express, the last of them is the target's failure event, and nothing is raised.

    Raises:
        UnknownDialect: There is no dialect of that name.
    """
    registry = default_registry()
    reads, writes = registry.get(source), registry.get(target)
    encoder = writes.open(StreamContext(started=time.monotonic()))
    translation = _Translation(
        reads.decoder(), ChunkEncoder(encoder, registry.item_encoders(writes)), on_failure or _logged
    )
    return translation.run(awaited(chunks))


def _logged(exc: Exception) -> None:
    ours = isinstance(exc, ProtocolError | InvalidItem | InvalidEvent)
    _log.warning("a translation failed: %s", exc, exc_info=None if ours else exc)


class _Translation:
    """One translation: pulls a chunk, and gathers what is to be written for it."""

    def __init__(
        self, decoder: DialectDecoder, encoder: ChunkEncoder, on_failure: Callable[[Exception], object]
    ) -> None:
        self._decoder = decoder
        self._encoder = encoder
        self._on_failure = on_failure
        self._parser = EventStreamParser()
        self._written: list[bytes] = []
        self._ended = False

    async def run(self, chunks: AsyncIterable[Chunk]) -> AsyncGenerator[bytes, None]:
        pull = aiter(chunks)
        try:
            while not self._ended:
                await self._advance(pull)
                if written := b"".join(self._written):
                    yield written
                self._written.clear()
        finally:
            for each in {id(pull): pull, id(chunks): chunks}.values():
                aclose = getattr(each, "aclose", None)
                if aclose is not None:
                    await aclose()

    async def _advance(self, pull: AsyncIterator[Chunk]) -> None:
        try:
            chunk = await anext(pull, None)
            if chunk is None:
                self._decoder.close()
                self._end(self._encoder.finish())
            else:
                self._read(chunk)
        except Exception as exc:  # told to whoever reads the target, and to on_failure
            self._end(self._encoder.fail(_told(exc)))
            self._on_failure(exc)

    def _read(self, chunk: Chunk) -> None:
        for event in self._parser.feed(chunk):
            for item in self._decoder.decode(event):
                self._put(item)
                if self._ended:
                    return

    def _put(self, item: AnItem) -> None:
        encoder = self._encoder
        if isinstance(item, Failure):
            self._end(encoder.fail(item))
        elif type(item) in encoder.extra:
            self._written.append(encoder.encode_extra(item))
        else:
            self._written.append(encoder.encode(item))
            if isinstance(item, Finish) or encoder.ended:
                self._end(encoder.finish())

    def _end(self, chunk: bytes) -> None:
        self._written.append(chunk)
        self._ended = True


def _told(exc: Exception) -> Failure:
    return next(failure for kinds, failure in _TOLD if isinstance(exc, kinds))
