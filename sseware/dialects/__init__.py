"""Event schemas as plugins: what a dialect is, the hooks that provide one, the registry, the way back."""

from ._decode import decode
from ._file import file_answer
from ._hookspecs import hookimpl
from ._json import COMPACT, GO, SPACED, JSONProfile, pretty
from ._offer import offer_of, stream_headers_of
from ._plain import Plain
from ._protocols import (
    AnItem,
    BufferedAnswer,
    Dialect,
    DialectDecoder,
    DialectEncoder,
    DialectFold,
    StreamContext,
)
from ._registry import ItemEncoders, Provider, Registry, default_registry, get_dialect

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
    "ItemEncoders",
    "JSONProfile",
    "Plain",
    "Provider",
    "Registry",
    "StreamContext",
    "decode",
    "default_registry",
    "file_answer",
    "get_dialect",
    "hookimpl",
    "offer_of",
    "pretty",
    "stream_headers_of",
]
