"""What a dialect offers to a negotiation, read off its optional attributes."""

from __future__ import annotations

from ..negotiation import Offer
from ._protocols import Dialect

__all__ = ["offer_of", "stream_headers_of"]


def offer_of(dialect: Dialect) -> Offer:
    """Returns the offer of a dialect; what it does not say is `Offer`'s default."""
    said = {
        name: getattr(dialect, name)
        for name in ("media_types", "stream_flag", "streams")
        if hasattr(dialect, name)
    }
    return Offer(dialect.name, dialect.default, **said)


def stream_headers_of(dialect: Dialect) -> tuple[tuple[str, str], ...]:
    """Returns the header fields that a dialect wants on its streams."""
    headers: tuple[tuple[str, str], ...] = getattr(dialect, "stream_headers", ())
    return headers
