"""What a network does to a connection, as a value."""

from __future__ import annotations

import msgspec

from ..errors import ConfigurationError

__all__ = ["Faults"]


class Faults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happens to what a server sends. Without an argument: nothing.

    >>> Faults(latency=0.1, dribble=1)
    Faults(latency=0.1, dribble=1, pause=0.0, stall=False, cut_after=None, reset_after=None, refuse=False)

    Attributes:
        latency: Seconds that each chunk is late.
        dribble: How many bytes are handed on at a time; ``None``: as they come.
        pause: Seconds after each of these.
        stall: Whether nothing is handed on, and soon nothing read.
        cut_after: After how many bytes a connection is closed (FIN), at both ends.
        reset_after: After how many bytes it is reset (RST).
        refuse: Whether connections that come are reset at once.
    """

    latency: float = 0.0
    dribble: int | None = None
    pause: float = 0.0
    stall: bool = False
    cut_after: int | None = None
    reset_after: int | None = None
    refuse: bool = False

    def __post_init__(self) -> None:
        for name in ("latency", "pause"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ConfigurationError(f"{name} must be seconds, 0 or more; got {getattr(self, name)!r}")
        for name, least in (("dribble", 1), ("cut_after", 0), ("reset_after", 0)):
            value = getattr(self, name)
            if value is not None and (type(value) is not int or value < least):
                raise ConfigurationError(f"{name} must be bytes, {least} or more, or None; got {value!r}")
