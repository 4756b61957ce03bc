"""Events to bytes: the only place that writes the wire format."""

from __future__ import annotations

import re
from typing import Final, cast

from ..errors import EventTooLarge, InvalidEvent
from ..events import Comment, NamedEvent, ReceivedEvent, ServerSentEvent, check_id, check_retry, check_type

__all__ = ["MAX_EVENT_SIZE", "encode", "encode_comment", "encode_within"]

MAX_EVENT_SIZE: Final = 16 * 2**20
"""How many bytes an encoded event may have; a parser takes as many, unless it is told otherwise."""

# Lone surrogates have no UTF-8. In data they are replaced, so that one bad character does not end a stream.
_SURROGATE: Final = re.compile("[\ud800-\udfff]")

# What stands before the data of an event that has a type and nothing else, by type: checked and put together once.
# Bounded, for a type may be anything. The classes are ours, and say nothing but what their fields have.
_heads: dict[str, str] = {}
_named_heads: dict[str, str] = {}
_heads_of: Final[dict[type, dict[str, str]]] = {
    ServerSentEvent: _heads,
    ReceivedEvent: _heads,
    NamedEvent: _named_heads,
}
_MOST_HEADS: Final = 256
_LONGEST_HEAD: Final = 80


# It has one parameter, because CPython calls functions slower that have a default: a twentieth of an event's time.
def encode(event: ServerSentEvent | Comment) -> bytes:
    r"""Encodes one event (or a comment) after checking each field again.

    >>> encode(ServerSentEvent("two\nlines", event="note", id="7"))
    b'id: 7\nevent: note\ndata: two\ndata: lines\n\n'

    Args:
        event: The event.

    Raises:
        InvalidEvent: A field cannot be written.
        EventTooLarge: The result would be larger than `MAX_EVENT_SIZE`; `encode_within` has another limit.
    """
    # The usual event: of a class of ours, a type that was written before, and data without a CR. The data are of
    # class str itself, so that no method of theirs can say anything else than what they are; the head is ours. Every
    # byte code counts here: a name for the head, or one for the event as Any, would be a fiftieth of the time.
    try:
        data = event.data  # type: ignore[union-attr]  # what has none of these is seen to below
        if event.id is None and event.retry is None and type(data) is str and "\r" not in data:  # type: ignore[union-attr]
            if "\n" in data:
                data = data.replace("\n", "\ndata: ")
            chunk = (
                f"{(_heads if type(event) is ServerSentEvent else _heads_of[type(event)])[event.event]}"  # type: ignore[union-attr]
                f"{data}\n\n"
            ).encode()
            if len(chunk) <= MAX_EVENT_SIZE:
                return chunk
    except Exception:  # noqa: S110  # whatever it is, what follows says what is wrong, or knows what to do
        pass
    return encode_within(event, MAX_EVENT_SIZE)


def encode_within(event: ServerSentEvent | Comment, max_event_size: int | None) -> bytes:
    r"""Encodes one event (or a comment), as `encode` does, under another limit.

    >>> encode_within(ServerSentEvent("Hello"), 13)
    b'data: Hello\n\n'

    Args:
        event: The event.
        max_event_size: How many bytes the result may have; ``None`` for no limit. A comment has none.

    Raises:
        InvalidEvent: A field cannot be written.
        EventTooLarge: The result would be larger than ``max_event_size``.
    """
    if not isinstance(event, ServerSentEvent):
        if isinstance(event, Comment):
            return encode_comment(event.text)
        raise InvalidEvent("event", event, "a ServerSentEvent")
    # Each attribute is read once, so that what is checked is what is written.
    type_ = _exact("event", event.event)
    before = _id_line(event.id) + _head(type_, named=isinstance(event, NamedEvent))
    data = _one_field_a_line(_exact("data", event.data), "data: ")
    return _limited(f"{before}{data}\n{_retry_line(event.retry)}\n", max_event_size)


def encode_comment(text: str) -> bytes:
    r"""Encodes a comment, one ``:`` line for each line of the text, and a blank line.

    >>> encode_comment("hello\ndata: not an event")
    b': hello\n: data: not an event\n\n'

    Raises:
        InvalidEvent: The text is not a str.
    """
    return _limited(f": {_one_field_a_line(_exact('comment', text), ': ')}\n\n", None)


def _id_line(value: object) -> str:
    if value is None:
        return ""
    id_ = _exact("id", value)
    check_id(id_)
    return f"id: {id_}\n"


def _head(type_: str, *, named: bool) -> str:
    heads = _named_heads if named else _heads
    head = heads.get(type_)
    if head is None:
        check_type(type_)
        head = "data: " if type_ == "message" and not named else f"event: {type_}\ndata: "
        if len(head) <= _LONGEST_HEAD:
            if len(heads) == _MOST_HEADS:
                heads.clear()
            heads[type_] = head
    return head


def _retry_line(value: object) -> str:
    if value is None:
        return ""
    check_retry(value)
    return f"retry: {value}\n"


def _one_field_a_line(text: str, field: str) -> str:
    # The standard has three line endings, and str.splitlines() has eleven.
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\n", "\n" + field)


def _exact(field: str, value: object) -> str:
    """Returns the characters of a str, whatever its class says they are."""
    if type(value) is str:
        return value
    try:
        return str.__str__(cast("str", value))
    except TypeError:
        raise InvalidEvent(field, value, "a str") from None


def _limited(text: str, max_size: int | None) -> bytes:
    try:
        chunk = text.encode()
    except UnicodeEncodeError:
        chunk = _SURROGATE.sub("\ufffd", text).encode()
    if max_size is not None and len(chunk) > max_size:
        raise EventTooLarge(max_size, len(chunk))
    return chunk
