"""JSON values to bytes, where each is the data of an event of one type, and the event would have nothing else."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..errors import EventTooLarge
from ..events import ServerSentEvent
from ..wire import MAX_EVENT_SIZE, encode
from ._json import compact_at_length, compact_at_once

__all__ = ["json_encoder"]


@functools.lru_cache(maxsize=64)
def json_encoder(event: str = "message") -> Callable[[Any], bytes]:
    r"""Returns a function that encodes values as `COMPACT` JSON; the events that it writes are never made.

    >>> encode_json = json_encoder("progress")
    >>> encode_json({"done": 0.5})
    b'event: progress\ndata: {"done":0.5}\n\n'

    Args:
        event: The event type of all of them.

    Raises:
        InvalidEvent: The type cannot be written.
    """
    head = encode(ServerSentEvent("", event=event)).removesuffix(b"\n\n")

    def encode_json(value: Any) -> bytes:
        # Neither a line end nor a lone surrogate is ever in such JSON.
        chunk = head + (compact_at_once(value) or compact_at_length(value).encode()) + b"\n\n"
        if len(chunk) > MAX_EVENT_SIZE:
            raise EventTooLarge(MAX_EVENT_SIZE, len(chunk))
        return chunk

    return encode_json
