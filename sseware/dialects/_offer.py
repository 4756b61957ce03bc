"""What a dialect offers to a negotiation, read off its optional attributes."""

from __future__ import annotations

import math

from ..errors import ConfigurationError
from ..negotiation import Offer
from ._protocols import Dialect

__all__ = ["offer_of", "pace_of", "stream_headers_of"]


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


def pace_of(dialect: Dialect) -> tuple[float, int | None]:
    """Returns how many seconds a dialect wants between two events, and how many bytes a handler may run ahead.

    Raises:
        ConfigurationError: It wants something else.
    """
    pause, ahead = getattr(dialect, "pause", 0.0), getattr(dialect, "run_ahead", None)
    if type(pause) not in (int, float) or not 0 <= pause < math.inf:
        raise ConfigurationError(f"pause of {dialect.name!r} must be a number of seconds, got {pause!r}")
    if ahead is not None and (type(ahead) is not int or ahead < 1):
        raise ConfigurationError(
            f"run_ahead of {dialect.name!r} must be 1 or more bytes, or None, got {ahead!r}"
        )
    return pause, ahead
