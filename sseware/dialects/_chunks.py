"""From items to bytes: a dialect's encoder, what plugins add to it, and the wire."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

from ..events import Comment, ServerSentEvent
from ..items import Failure
from ..wire import encode, short_text_encoder, text_encoder, texts_encoder
from ._extensions import ItemEncoders
from ._json_encoder import json_encoder
from ._protocols import AnEvent, AnItem, DialectEncoder

__all__ = ["ChunkEncoder", "PieceEncoder", "TextWriters"]

_log = logging.getLogger("sseware")

_LAST_RESORT: Final = encode(ServerSentEvent("internal error", event="error"))
"""What a stream ends with where its dialect cannot even say that it failed."""


class TextWriters(NamedTuple):
    """What writes texts without asking the dialect, where each is one event of one type.

    Attributes:
        any: Writes any text.
        short: Writes one of class `str` itself, of some kilobytes at the most.
        several: Writes several, one after the other.
    """

    any: Callable[[str], bytes]
    short: Callable[[str], bytes]
    several: Callable[[Sequence[str]], bytes]


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

    Attributes:
        may_end: Whether an item may end the stream: whether the dialect's encoder has the attribute ``ended``.
    """

    def __init__(self, encoder: DialectEncoder, extra: ItemEncoders | None = None) -> None:
        self._encoder = encoder
        self._opening: bytes | None = None
        self._started = False
        self.extra: ItemEncoders = extra or {}
        self.may_end = hasattr(encoder, "ended")

    @property
    def ended(self) -> bool:
        """Whether an item has ended the stream."""
        return self.may_end and bool(getattr(self._encoder, "ended", False))

    def encode(self, item: AnItem) -> bytes:
        """Returns the bytes of an item, and before the first one those that open the stream.

        Raises:
            InvalidItem: The dialect cannot express the item, or must not.
            InvalidEvent: The wire cannot carry what the dialect made of it.
        """
        if self._started:
            return _to_bytes(self._encoder.encode(item))
        return self._with_opening(self._encoder.encode, item)

    @property
    def text_writers(self) -> TextWriters | None:
        """What writes a text as ``encode`` would, without asking the dialect.

        There are none before the stream is open, or where the dialect wants to be asked: where its encoder has no
        attribute ``text_event``.
        """
        event: str | None = getattr(self._encoder, "text_event", None)
        if event is None or not self._started:
            return None
        return TextWriters(text_encoder(event), short_text_encoder(event), texts_encoder(event))

    @property
    def data_writer(self) -> Callable[[Any], bytes] | None:
        """What writes a dict that a handler yields as ``encode`` would write `Data` of it; ``None`` as above.

        There is one once the stream is open, where the dialect's encoder has the attribute ``data_event``, and no
        plugin has another idea of a dict.
        """
        event: str | None = getattr(self._encoder, "data_event", None)
        return json_encoder(event) if event is not None and self._started and dict not in self.extra else None

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

    def farewell(self) -> bytes | None:
        """Returns what the dialect says where the server stops in mid-stream; ``None`` where that is nothing."""
        say: Callable[[], Iterable[AnEvent]] | None = getattr(self._encoder, "farewell", None)
        if say is None:
            return None
        try:
            return self._with_opening(say)
        except Exception:  # a stranger's dialect may raise anything
            _log.exception("the dialect could not encode its farewell")
            return None

    def _with_opening(self, make: Callable[..., Iterable[AnEvent]], *args: Any) -> bytes:
        # What opens a stream goes out with the first bytes that follow it; where an item is refused there are none.
        if self._opening is None:
            self._opening = _to_bytes(self._encoder.start())
        chunk = _to_bytes(make(*args))
        if self._started:
            return chunk
        self._started = True
        return self._opening + chunk


class PieceEncoder(ChunkEncoder):
    r"""Encodes items, and keeps the bytes of each event apart, for whoever lets time pass between them.

    >>> from sseware.dialects import StreamContext, get_dialect
    >>> from sseware.items import Text
    >>> chunks = PieceEncoder(get_dialect("plain").open(StreamContext()))
    >>> chunks.encode(Text("Once ")), list(chunks.pieces)
    (b'', [b'data: Once \n\n'])

    Attributes:
        pieces: The events of items that nobody has taken yet. A comment belongs to the event that it stands before.
    """

    def __init__(self, encoder: DialectEncoder, extra: ItemEncoders | None = None) -> None:
        super().__init__(encoder, extra)
        self.pieces: deque[bytes] = deque()

    def encode(self, item: AnItem) -> bytes:
        """Appends the events of an item to the pieces; returns no bytes.

        Raises:
            InvalidItem: The dialect cannot express the item, or must not.
            InvalidEvent: The wire cannot carry what the dialect made of it.
        """
        if self._opening is None:
            self._opening = _to_bytes(self._encoder.start())
        held = b"" if self._started else self._opening
        pieces: list[bytes] = []
        for event in self._encoder.encode(item):
            held += encode(event)
            if not isinstance(event, Comment):
                pieces.append(held)
                held = b""
        if held:
            pieces.append(held)
        self._started = True
        self.pieces += pieces
        return b""


def _to_bytes(events: Iterable[AnEvent]) -> bytes:
    if type(events) is tuple and len(events) == 1:
        return encode(events[0])  # the usual case
    return b"".join(map(encode, events))
