"""From items to bytes: a dialect's encoder, what plugins add to it, and the wire."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any, Final

from ..events import ServerSentEvent
from ..items import Failure
from ..wire import encode
from ._extensions import ItemEncoders
from ._protocols import AnEvent, AnItem, DialectEncoder

__all__ = ["ChunkEncoder"]

_log = logging.getLogger("sseware")

_LAST_RESORT: Final = encode(ServerSentEvent("internal error", event="error"))
"""What a stream ends with where its dialect cannot even say that it failed."""


class ChunkEncoder:
    r"""Encodes the items of one stream to bytes, calling a dialect's encoder as `DialectEncoder` wants it.

    >>> from sseware.dialects import Plain, StreamContext
    >>> from sseware.items import Finish, Text
    >>> chunks = ChunkEncoder(Plain().open(StreamContext()))
    >>> chunks.encode(Text("Once ")) + chunks.encode(Finish()) + chunks.finish()
    b'data: Once \n\nevent: finish\ndata: {"ok":true,"exit_code":0,"result":null}\n\n'

    Args:
        encoder: The dialect's encoder of this stream.
        extra: What plugins add, by the type of an item.
    """

    def __init__(self, encoder: DialectEncoder, extra: ItemEncoders | None = None) -> None:
        self._encoder = encoder
        self._opening: bytes | None = None
        self._started = False
        self.extra: ItemEncoders = extra or {}

    def encode(self, item: AnItem) -> bytes:
        """Returns the bytes of an item, and before the first one those that open the stream.

        Raises:
            InvalidItem: The dialect cannot express the item, or must not.
            InvalidEvent: The wire cannot carry what the dialect made of it.
        """
        if self._started:
            return _to_bytes(self._encoder.encode(item))
        return self._with_opening(self._encoder.encode, item)

    def encode_extra(self, value: object) -> bytes:
        """Returns the bytes of a value of one of the types that plugins add, which are the keys of ``extra``."""
        return b"".join(map(self.encode, self.extra[type(value)](value)))

    def finish(self) -> bytes:
        """Returns the bytes that end the stream as the handler meant it."""
        return self._with_opening(self._encoder.finish)

    def fail(self, failure: Failure) -> bytes:
        """Returns the bytes that end the stream badly; it never raises."""
        try:
            return self._with_opening(self._encoder.fail, failure)
        except Exception:  # a stranger's dialect may raise anything
            _log.exception("the dialect could not encode its failure")
            return _LAST_RESORT

    def _with_opening(self, make: Callable[..., Iterable[AnEvent]], *args: Any) -> bytes:
        # What opens a stream goes out with the first bytes that follow it; where an item is refused there are none.
        if self._opening is None:
            self._opening = _to_bytes(self._encoder.start())
        chunk = _to_bytes(make(*args))
        if self._started:
            return chunk
        self._started = True
        return self._opening + chunk


def _to_bytes(events: Iterable[AnEvent]) -> bytes:
    chunks = [encode(event) for event in events]
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)
