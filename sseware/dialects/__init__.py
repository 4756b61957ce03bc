"""Event schemas as plugins: what a dialect is, the hooks that provide one, the registry, the way back."""

from ._authoring import leave_out, omits_of, read_payload, refuse_owned, status_of
from ._decode import decode
from ._extensions import ItemEncoders
from ._file import file_answer
from ._hookspecs import hookimpl
from ._json import COMPACT, GO, SPACED, JSONProfile, pretty
from ._offer import offer_of, stream_headers_of
from ._plain import Plain
from ._plugins import Provider
from ._protocols import (
    AnItem,
    BufferedAnswer,
    Dialect,
    DialectDecoder,
    DialectEncoder,
    DialectFold,
    StreamContext,
)
from ._registry import Registry, default_registry, get_dialect
from ._schema import EventShape, events_schema

__all__ = [
    "COMPACT",
    "GO",
    "SPACED",
    "AnItem",
    "BufferedAnswer",
    "Dialect",
    "DialectDecoder",
    "DialectEncoder",
    "DialectFold",
    "EventShape",
    "ItemEncoders",
    "JSONProfile",
    "Plain",
    "Provider",
    "Registry",
    "StreamContext",
    "decode",
    "default_registry",
    "events_schema",
    "file_answer",
    "get_dialect",
    "hookimpl",
    "leave_out",
    "offer_of",
    "omits_of",
    "pretty",
    "read_payload",
    "refuse_owned",
    "status_of",
    "stream_headers_of",
]
