"""The wire format, without I/O: bytes to events and events to bytes, by the letter of the WHATWG standard."""

from ._content_type import check_event_stream, content_type_essence, is_event_stream
from ._count import count_events
from ._encoder import MAX_EVENT_SIZE, encode, encode_comment, encode_within
from ._iterate import aiter_events, iter_events
from ._parser import Chunk, EventStreamParser, Leftover
from ._pending import MAX_DATA_LINES
from ._strict import lint
from ._text_encoder import short_text_encoder, text_encoder, texts_encoder

__all__ = [
    "MAX_DATA_LINES",
    "MAX_EVENT_SIZE",
    "Chunk",
    "EventStreamParser",
    "Leftover",
    "aiter_events",
    "check_event_stream",
    "content_type_essence",
    "count_events",
    "encode",
    "encode_comment",
    "encode_within",
    "is_event_stream",
    "iter_events",
    "lint",
    "short_text_encoder",
    "text_encoder",
    "texts_encoder",
]
