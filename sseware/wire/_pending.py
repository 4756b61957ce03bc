"""The plain interpreter: one event, gathered line by line, within limits.

WHATWG HTML, section 9.2.6 "Interpreting an event stream". Every sentence of it is in `PendingEvent`, once; what
is faster stands in `sseware.wire._blocks` and takes only blocks of which it can prove what this would do.
"""

from __future__ import annotations

import sys
from typing import Final

from ..errors import ParserLimitExceeded
from ..events import MAX_RETRY, ReceivedEvent, ServerSentEvent
from ._fragments import Fragments

__all__ = ["MAX_DATA_LINES", "PendingEvent"]

MAX_DATA_LINES: Final = 65_536
"""How many ``data`` lines one event may have: a limit of bytes alone lets millions of tiny fields through."""

_LF: Final = 10
_CR: Final = 13
_FIELDS: Final = (b"data", b"event", b"id", b"retry")
_HEAD: Final = len(b"event: ")


class PendingEvent:
    """An event whose blank line has not come.

    Its size is that of its data, its type and its id, and of the value of the field that is arriving. Comments
    and unknown fields are dropped as they come; they have no size.

    Args:
        max_size: How many bytes it may have; ``None`` for no limit.
        last_event_id: The last event ID string, to begin with.

    Attributes:
        last_event_id: The last event ID string.
        reconnection_time: What the last valid ``retry`` field said, in milliseconds, or ``None``.
        shape: For the fast path: how the last event began, up to its data, and its type.
    """

    def __init__(self, max_size: int | None, last_event_id: str) -> None:
        self.last_event_id = last_event_id
        self.reconnection_time: int | None = None
        self.shape: tuple[str, str] = ("data: ", "message")
        self._max_size = max_size
        self.discard()

    def discard(self) -> None:
        """Forgets the event and the beginning of its next line."""
        self._begin_line()
        self._begin_event()

    def is_empty(self) -> bool:
        """Tells whether nothing is pending, so that the next byte could as well begin the stream."""
        return not (
            self._line.size
            or self._ignoring
            or self._data_lines
            or self._type
            or self._id is not None
            or self._retry is not None
        )

    def leftover(self) -> tuple[str, str, str | None, str] | None:
        """Returns data, type, id and the unfinished line, where there is something to lose."""
        line = self._line.take()
        if not (line or self._data_lines or self._type or self._id is not None):
            return None
        own_id = None if self._id is None else _decoded(self._id)
        return _decoded(self._data.take()), _decoded(self._type) or "message", own_id, _decoded(line)

    def read(self, chunk: bytes, start: int, events: list[ServerSentEvent]) -> int:
        """Reads lines up to and including the next blank one, and keeps the beginning of a last line.

        Args:
            chunk: Bytes whose only line end is LF.
            start: Where to begin in it.
            events: Where a finished event goes.

        Returns:
            Where the first byte is that was not read.

        Raises:
            ParserLimitExceeded: The event is too large.
        """
        while (end := chunk.find(b"\n", start)) >= 0:
            line = chunk[start:end]
            start = end + 1
            if self._ignoring:
                self._begin_line()
                continue
            if self._line.size:
                self._line.append(line)
                line = self._line.take()
                self._begin_line()
            if not line:
                self._dispatch(events)
                return start
            self._field(line)
        if start < len(chunk):
            self._keep(chunk[start:])
        return len(chunk)

    def extend(self, piece: bytes) -> bool:
        """Reads a piece from the middle of a line, where it is no more than that; tells whether it did.

        Raises:
            ParserLimitExceeded: The event is too large.
        """
        if len(self._head) < _HEAD or _LF in piece or _CR in piece:
            return False
        if not self._ignoring:
            self._add_to_line(piece)
        return True

    def _begin_line(self) -> None:
        self._line = Fragments()
        self._head = b""
        self._before_value = 0
        self._line_room = sys.maxsize
        self._ignoring = False

    def _begin_event(self) -> None:
        self._data = Fragments()
        self._data_lines = 0
        self._type = b""
        self._id: bytes | None = None
        self._retry: int | None = None

    def _keep(self, piece: bytes) -> None:
        if self._ignoring:
            return
        if len(self._head) < _HEAD:
            # The first seven bytes tell the field, and whether a space follows its colon.
            self._head = (self._head + piece[:_HEAD])[:_HEAD]
            name, colon, value = self._head.partition(b":")
            if not (name in _FIELDS if colon else any(field.startswith(name) for field in _FIELDS)):
                self._ignoring = True
                self._line = Fragments()
                return
            if colon:
                self._before_value = len(name) + 1 + value.startswith(b" ")
                self._line_room = self._before_value + self._room()
        self._add_to_line(piece)

    def _add_to_line(self, piece: bytes) -> None:
        line = self._line
        line.append(piece)
        if line.size > self._line_room:
            self._check_size(line.size - self._before_value)

    def _field(self, line: bytes) -> None:
        # By index, so that a value of megabytes is copied once.
        colon = line.find(b":")
        if colon < 0:
            name, value = line, b""
        else:
            name = line[:colon]
            value = line[colon + 2 :] if line[colon + 1 : colon + 2] == b" " else line[colon + 1 :]
        if name not in _FIELDS:
            return
        self._check_size(len(value))
        if name == b"data":
            self._add_data(value)
        elif name == b"event":
            self._type = value
        elif name == b"id":
            if 0 not in value:
                self._id = value
        elif value.isdigit():  # of bytes, so that digits are ASCII digits
            self._retry = self.reconnection_time = _milliseconds(value)

    def _add_data(self, value: bytes) -> None:
        if self._data_lines == MAX_DATA_LINES:
            raise ParserLimitExceeded("data lines", MAX_DATA_LINES, MAX_DATA_LINES + 1)
        if self._data_lines:
            self._data.append(b"\n")
        self._data_lines += 1
        self._data.append(value)

    def _dispatch(self, events: list[ServerSentEvent]) -> None:
        own_id = None
        if self._id is not None:
            self.last_event_id = own_id = _decoded(self._id)
        if self._data_lines:
            data = _decoded(self._data.take())
            type_ = _decoded(self._type) or "message"
            events.append(ReceivedEvent(data, type_, own_id, self._retry, self.last_event_id))
        self._begin_event()

    def _room(self) -> int:
        """Tells how many bytes the next value may have."""
        if self._max_size is None:
            return sys.maxsize
        return (
            self._max_size - self._data.size - (self._data_lines > 0) - len(self._type) - len(self._id or b"")
        )

    def _check_size(self, arriving: int) -> None:
        if self._max_size is not None and arriving > (room := self._room()):
            raise ParserLimitExceeded("bytes", self._max_size, self._max_size + arriving - room)


def _decoded(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _milliseconds(digits: bytes) -> int:
    digits = digits.lstrip(b"0")
    # int() is quadratic in the number of digits, and refuses more than 4300.
    return MAX_RETRY if len(digits) > len(str(MAX_RETRY)) else min(int(digits or b"0"), MAX_RETRY)
