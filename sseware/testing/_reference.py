"""The reference interpreter: the text of the standard as a program, slow and in one shot.

Each function is named for a sentence of WHATWG HTML, 9.2.5 "Parsing an event stream" and 9.2.6 "Interpreting
an event stream", and does what that sentence says, character by character. It shares nothing with
`sseware.wire`, so that each can be held against the other.

Where it goes beyond the text:

1. The last event ID buffer is seeded with the last event ID of the connection before, where the text says
   that it begins empty. Web Platform Tests (``format-field-id``) and browsers need that.
2. An empty ``retry`` value "consists of only ASCII digits" if one wants to read it so. It is ignored here, as
   Web Platform Tests (``format-field-retry-empty``) have it.
3. A reconnection time saturates at ``sseware.events.MAX_RETRY``; the standard knows no largest integer.
4. An event also tells which ``id`` and ``retry`` its own block set. The standard has no name for that.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from ..events import MAX_RETRY
from ._utf8 import utf_8_decode

__all__ = ["ReferenceEvent", "ReferenceResult", "reference_parse"]

_ASCII_DIGITS = "0123456789"


class ReferenceEvent(msgspec.Struct, frozen=True, repr_omit_defaults=True):
    """An event as the standard dispatches it.

    Attributes:
        data: The data.
        event: The event type.
        last_event_id: The last event ID string at the dispatch.
        id: The ``id`` that the event's own block set, or ``None``. Beyond the standard.
        retry: The reconnection time that its own block set, in milliseconds, or ``None``. Beyond the standard.
    """

    data: str
    event: str = "message"
    last_event_id: str = ""
    id: str | None = None
    retry: int | None = None


class ReferenceResult(msgspec.Struct, frozen=True, repr_omit_defaults=True):
    """What an event stream has meant when its last byte is in.

    Attributes:
        events: The events that were dispatched.
        last_event_id: The last event ID string: what ``Last-Event-ID`` would be sent as.
        reconnection_time: The reconnection time, in milliseconds, or ``None`` where the stream set none.
    """

    events: tuple[ReferenceEvent, ...] = ()
    last_event_id: str = ""
    reconnection_time: int | None = None


def reference_parse(data: bytes, *, last_event_id: str = "") -> ReferenceResult:
    r"""Interprets an event stream that ends where ``data`` ends.

    What the stream meant at an earlier byte is the result for that prefix: ``reference_parse(data[:n])``.

    >>> reference_parse(b"id: 7\ndata: a\n\ndata: unfinished\n")
    ReferenceResult(events=(ReferenceEvent(data='a', last_event_id='7', id='7'),), last_event_id='7')

    Args:
        data: Any bytes.
        last_event_id: The last event ID string that the connection before has left.

    Returns:
        The events, the last event ID string and the reconnection time.
    """
    stream = _EventStream(last_event_id)
    for line in _lines(utf_8_decode(data)):
        stream.process_line(line)
    return ReferenceResult(tuple(stream.dispatched), stream.last_event_id_string, stream.reconnection_time)


def _lines(text: str) -> Iterator[str]:
    """9.2.5: a line ends with CRLF, with an LF that no CR precedes, or with a CR that no LF follows."""
    # Strings are made once they are whole: what it costs to append to one is the memory allocator's secret.
    line: list[str] = []
    after_cr = False
    for character in text:
        if character == "\n" and after_cr:
            pass  # the second half of CRLF: the CR has ended the line
        elif character in "\r\n":
            yield "".join(line)
            line.clear()
        else:
            line.append(character)
        after_cr = character == "\r"
    # "Once the end of the file is reached, any pending data must be discarded."


class _EventStream:
    """The buffers of 9.2.6, and what they did."""

    def __init__(self, last_event_id: str) -> None:
        self.data_buffer: list[str] = []
        self.event_type_buffer = ""
        self.last_event_id_buffer = last_event_id
        self.last_event_id_string = last_event_id
        self.reconnection_time: int | None = None
        self.dispatched: list[ReferenceEvent] = []
        self.block_id: str | None = None
        self.block_retry: int | None = None

    def process_line(self, line: str) -> None:
        if line == "":
            self.dispatch_the_event()
            self.block_id = self.block_retry = None
        elif line[0] == ":":
            pass
        elif ":" in line:
            colon = line.index(":")
            field, value = line[:colon], line[colon + 1 :]
            if value[:1] == " ":
                value = value[1:]
            self.process_field(field, value)
        else:
            self.process_field(line, "")

    def process_field(self, field: str, value: str) -> None:
        if field == "event":
            self.event_type_buffer = value
        elif field == "data":
            self.data_buffer.append(value)
            self.data_buffer.append("\n")
        elif field == "id":
            if "\0" not in value:
                self.last_event_id_buffer = self.block_id = value
        elif field == "retry" and value and all(character in _ASCII_DIGITS for character in value):
            self.reconnection_time = self.block_retry = _base_ten(value)

    def dispatch_the_event(self) -> None:
        self.last_event_id_string = self.last_event_id_buffer
        data = "".join(self.data_buffer)
        if data == "":
            self.event_type_buffer = ""
            return
        data = data.removesuffix("\n")
        event_type = "message"
        if self.event_type_buffer != "":
            event_type = self.event_type_buffer
        event = ReferenceEvent(
            data=data,
            event=event_type,
            last_event_id=self.last_event_id_string,
            id=self.block_id,
            retry=self.block_retry,
        )
        self.data_buffer.clear()
        self.event_type_buffer = ""
        self.dispatched.append(event)


def _base_ten(digits: str) -> int:
    number = 0
    for digit in digits:
        number = min(number * 10 + _ASCII_DIGITS.index(digit), MAX_RETRY)
    return number
