"""From items to bytes: a dialect's encoder, what plugins add to it, and the wire."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final

from ..dialects import AnItem, DialectEncoder, ItemEncoders
from ..events import ServerSentEvent
from ..items import Failure
from ..wire import encode

__all__ = ["ChunkEncoder"]

_log = logging.getLogger("sseware")

_LAST_RESORT: Final = encode(ServerSentEvent("internal error", event="error"))
"""What a stream ends with where its dialect cannot even say that it failed."""


class ChunkEncoder:
    """Encodes the items of one stream to bytes.

    Args:
        encoder: The dialect's encoder of this stream.
        extra: What plugins add, by the type of an item.
    """

    def __init__(self, encoder: DialectEncoder, extra: ItemEncoders) -> None:
        self._encoder = encoder
        self.extra = extra
        self._started = False

    def encode(self, item: AnItem) -> bytes:
        """Returns the bytes of an item, and before the first one those that open the stream."""
        events = self._encoder.encode(item)
        if self._started:
            return _to_bytes(events)
        return self._start() + _to_bytes(events)

    def encode_extra(self, value: object) -> bytes:
        """Returns the bytes of a value of one of the types that plugins add."""
        return self._start() + b"".join(map(self.encode, self.extra[type(value)](value)))

    def _start(self) -> bytes:
        if self._started:
            return b""
        self._started = True
        return _to_bytes(self._encoder.start())

    def finish(self) -> bytes:
        """Returns the bytes that end the stream as the handler meant it."""
        return self._start() + _to_bytes(self._encoder.finish())

    def fail(self, failure: Failure) -> bytes:
        """Returns the bytes that end the stream badly; it never raises."""
        try:
            return self._start() + _to_bytes(self._encoder.fail(failure))
        except Exception:  # a stranger's dialect may raise anything
            _log.exception("the dialect could not encode its failure")
            return _LAST_RESORT


def _to_bytes(events: Iterable[ServerSentEvent]) -> bytes:
    chunks = [encode(event) for event in events]
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)
