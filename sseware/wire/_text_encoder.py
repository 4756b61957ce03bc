"""Texts to bytes, where each is the data of an event of one type, and the event would have nothing else."""

from __future__ import annotations

import functools
from collections.abc import Callable

from ..events import ServerSentEvent
from ._encoder import MAX_EVENT_SIZE, encode

__all__ = ["text_encoder"]


@functools.lru_cache(maxsize=64)
def text_encoder(event: str = "message") -> Callable[[str], bytes]:
    r"""Returns a function that encodes texts; the events that it writes are never made.

    >>> encode_text = text_encoder("token")
    >>> encode_text("Once") == encode(ServerSentEvent("Once", event="token"))
    True

    Args:
        event: The event type of all of them.

    Raises:
        InvalidEvent: The type cannot be written.
    """
    empty = encode(ServerSentEvent("", event=event))
    head = empty.removesuffix(b"\n\n").decode()

    def encode_text(text: str) -> bytes:
        # The usual text has no CR, and is of class str itself, so that it is what it says it is.
        if type(text) is str and "\r" not in text:
            lines = text.replace("\n", "\ndata: ") if "\n" in text else text
            try:
                chunk = f"{head}{lines}\n\n".encode()
            except UnicodeEncodeError:
                pass
            else:
                if len(chunk) <= MAX_EVENT_SIZE:
                    return chunk
        return encode(ServerSentEvent(text, event=event))

    return encode_text
