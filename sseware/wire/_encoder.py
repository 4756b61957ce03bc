"""Events to bytes: the only place that writes the wire format."""

from __future__ import annotations

import re
from typing import Final, cast

from ..errors import EventTooLarge, InvalidEvent
from ..events import ServerSentEvent, check_id, check_retry, check_type

__all__ = ["MAX_EVENT_SIZE", "encode", "encode_comment"]

MAX_EVENT_SIZE: Final = 16 * 2**20
"""How many bytes an encoded event may have unless the caller says otherwise."""

# The standard has three line endings and str.splitlines() has eleven.
_NEWLINE: Final = re.compile("\r\n|\r|\n")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def encode(event: ServerSentEvent, *, max_event_size: int | None = MAX_EVENT_SIZE) -> bytes:
    r"""Encodes one event, after checking each field again.

    >>> encode(ServerSentEvent("two\nlines", event="note", id="7"))
    b'id: 7\nevent: note\ndata: two\ndata: lines\n\n'

    Args:
        event: The event.
        max_event_size: How many bytes the result may have; ``None`` for no limit.

    Raises:
        InvalidEvent: A field cannot be written.
        EventTooLarge: The result would be larger than ``max_event_size``.
    """
    if not isinstance(event, ServerSentEvent):
        raise InvalidEvent("event", event, "a ServerSentEvent")
    lines = []
    # Each attribute is read once, so that what is checked is what is written.
    id_, type_, retry = event.id, _exact("event", event.event), event.retry
    if id_ is not None:
        id_ = _exact("id", id_)
        check_id(id_)
        lines.append(f"id: {id_}")
    if type_ != "message":
        check_type(type_)
        lines.append(f"event: {type_}")
    lines += [f"data: {line}" for line in _NEWLINE.split(_exact("data", event.data))]
    if retry is not None:
        check_retry(retry)
        lines.append(f"retry: {retry}")
    chunk = _utf8("\n".join(lines) + "\n\n")
    if max_event_size is not None and len(chunk) > max_event_size:
        raise EventTooLarge(max_event_size, len(chunk))
    return chunk


def encode_comment(text: str) -> bytes:
    r"""Encodes a comment, one ``:`` line for each line of the text, and a blank line.

    >>> encode_comment("hello\ndata: not an event")
    b': hello\n: data: not an event\n\n'

    Raises:
        InvalidEvent: The text is not a str.
    """
    lines = _NEWLINE.split(_exact("comment", text))
    return _utf8("".join(f": {line}\n" for line in lines) + "\n")


def _exact(field: str, value: object) -> str:
    """Returns the characters of a str, whatever its class says they are."""
    if type(value) is str:
        return value
    try:
        return str.__str__(cast("str", value))
    except TypeError:
        raise InvalidEvent(field, value, "a str") from None


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub("\ufffd", text).encode()
