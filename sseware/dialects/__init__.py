"""Event schemas as plugins: what a dialect is, the hooks that provide one, the registry, the way back."""

from ._authoring import bad_end, json_answer, leave_out, omits_of, read_payload, refuse_owned, status_of
from ._chunks import ChunkEncoder, PieceEncoder, TextWriters
from ._decode import decode
from ._extensions import ItemEncoders
from ._file import file_answer
from ._hookspecs import hookimpl
from ._json import COMPACT, GO, SPACED, JSONProfile, pretty
from ._json_encoder import json_encoder
from ._losses import Fate, fates, loss_table, losses
from ._observers import ObservedStream, Outcome, StreamObserver, StreamSummary
from ._offer import offer_of, pace_of, stream_headers_of
from ._plain import Plain
from ._plugins import Provider
from ._protocols import (
    AnEvent,
    AnItem,
    BufferedAnswer,
    Dialect,
    DialectDecoder,
    DialectEncoder,
    DialectFold,
    StreamContext,
)
from ._registry import Registry, default_registry, get_dialect
from ._schema import EventShape, closed, events_schema
from ._translate import translate

__all__ = [
    "COMPACT",
    "GO",
    "SPACED",
    "AnEvent",
    "AnItem",
    "BufferedAnswer",
    "ChunkEncoder",
    "Dialect",
    "DialectDecoder",
    "DialectEncoder",
    "DialectFold",
    "EventShape",
    "Fate",
    "ItemEncoders",
    "JSONProfile",
    "ObservedStream",
    "Outcome",
    "PieceEncoder",
    "Plain",
    "Provider",
    "Registry",
    "StreamContext",
    "StreamObserver",
    "StreamSummary",
    "TextWriters",
    "bad_end",
    "closed",
    "decode",
    "default_registry",
    "events_schema",
    "fates",
    "file_answer",
    "get_dialect",
    "hookimpl",
    "json_answer",
    "json_encoder",
    "leave_out",
    "loss_table",
    "losses",
    "offer_of",
    "omits_of",
    "pace_of",
    "pretty",
    "read_payload",
    "refuse_owned",
    "status_of",
    "stream_headers_of",
    "translate",
]
