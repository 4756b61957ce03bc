"""Texts to bytes, where each is the data of an event of one type, and the event would have nothing else."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Final

from ..events import ServerSentEvent
from ._encoder import MAX_EVENT_SIZE, encode

__all__ = ["short_text_encoder", "text_encoder", "texts_encoder"]

# Not text.replace, for a str of a class of its own may have another one.
_replace: Final = str.replace


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


@functools.lru_cache(maxsize=64)
def short_text_encoder(event: str = "message") -> Callable[[str], bytes]:
    r"""Returns a function that encodes texts of which the caller knows two things, which are not asked again.

    Each is of class `str` itself, and so short that its event cannot be larger than `MAX_EVENT_SIZE`, whatever its
    characters are: a line end has seven bytes.

    >>> encode_short_text = short_text_encoder("token")
    >>> encode_short_text("Once")
    b'event: token\ndata: Once\n\n'

    Args:
        event: The event type of all of them.

    Raises:
        InvalidEvent: The type cannot be written.
    """
    encode_text = text_encoder(event)
    head = encode_text("").removesuffix(b"\n\n").decode()

    def encode_short_text(text: str) -> bytes:
        if "\r" not in text and "\n" not in text:
            try:
                return f"{head}{text}\n\n".encode()
            except UnicodeEncodeError:
                pass
        return encode_text(text)

    return encode_short_text


@functools.lru_cache(maxsize=64)
def texts_encoder(event: str = "message") -> Callable[[Sequence[str]], bytes]:
    r"""Returns a function that encodes texts that stand beside each other, at a fraction of what each alone costs.

    >>> encode_texts = texts_encoder("token")
    >>> encode_texts(["Once", " upon"])
    b'event: token\ndata: Once\n\nevent: token\ndata:  upon\n\n'

    Args:
        event: The event type of all of them.

    Raises:
        InvalidEvent: The type cannot be written; by the function, where a text is none.
        EventTooLarge: By the function, where an event would be larger than `MAX_EVENT_SIZE`.
    """
    encode_text = text_encoder(event)
    head = encode_text("").removesuffix(b"\n\n").decode()
    between = f"\n\n{head}"
    line_ends = between.count("\n")

    def encode_texts(texts: Sequence[str]) -> bytes:
        try:
            # join() takes the characters from the str itself, whatever its methods say.
            lines = between.join(texts)
            if texts and "\r" not in lines:
                if lines.count("\n") != line_ends * (len(texts) - 1):
                    lines = between.join([_replace(text, "\n", "\ndata: ") for text in texts])
                chunk = f"{head}{lines}\n\n".encode()
                if len(chunk) <= MAX_EVENT_SIZE:
                    return chunk
        except (TypeError, UnicodeEncodeError):
            pass  # one of them is no text, or has a lone surrogate: it is told, or replaced, below
        return b"".join(map(encode_text, texts))

    return encode_texts
