"""Bytes to events: WHATWG HTML, sections 9.2.5 (parsing) and 9.2.6 (interpreting an event stream)."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import msgspec

from ..errors import ConfigurationError, ParserLimitExceeded
from ..events import MAX_RETRY, ServerSentEvent
from ._fragments import Fragments

__all__ = ["MAX_DATA_LINES", "Chunk", "EventStreamParser", "Leftover"]

Chunk: TypeAlias = bytes | bytearray | memoryview
"""What a stream may arrive in."""

MAX_DATA_LINES: Final = 65_536
"""How many ``data`` lines one event may have: a limit of bytes alone lets millions of tiny fields through."""

_BOM: Final = b"\xef\xbb\xbf"
_LF: Final = 10
_CR: Final = 13
_FIELDS: Final = (b"data", b"event", b"id", b"retry")
_LONGEST_FIELD: Final = 5


class Leftover(msgspec.Struct, frozen=True):
    """What the end of a stream discards: an event that was never finished.

    Attributes:
        data: The data that had arrived.
        event: The type that the event would have had.
        id: The id that was not committed, or ``None``.
        line: The line whose end did not come, where it was a field.
    """

    data: str = ""
    event: str = "message"
    id: str | None = None
    line: str = ""


class EventStreamParser:
    r"""Parses one event stream, chunk by chunk; it does no I/O.

    >>> parser = EventStreamParser()
    >>> parser.feed(b"data: hel")
    []
    >>> [event.data for event in parser.feed(b"lo\n\ndata: world\n\n")]
    ['hello', 'world']

    Args:
        last_event_id: The last event ID string, where this stream goes on from an earlier one.
        max_event_size: How many bytes a pending event may have; ``None`` for no limit.
        strict: Whether what the standard ignores or repairs is an error.

    Attributes:
        last_event_id: The last event ID string: an ``id`` counts from the end of its block on.
        reconnection_time: What the last valid ``retry`` field said, in milliseconds, or ``None``.

    Raises:
        ConfigurationError: An argument is not what it must be.
    """

    def __init__(
        self, *, last_event_id: str = "", max_event_size: int | None = 16 * 2**20, strict: bool = False
    ) -> None:
        if not isinstance(last_event_id, str):
            raise ConfigurationError(f"last_event_id must be a str, got {last_event_id!r}")
        if max_event_size is not None and (type(max_event_size) is not int or max_event_size < 1):
            raise ConfigurationError(
                f"max_event_size must be a positive number of bytes or None, got {max_event_size!r}"
            )
        self.last_event_id = last_event_id
        self.reconnection_time: int | None = None
        self._max_event_size = max_event_size
        self._strict = strict
        self._failure: tuple[Any, ...] | None = None
        self._begin()

    def feed(self, chunk: Chunk) -> list[ServerSentEvent]:
        """Takes the next bytes of the stream and returns the events that they complete.

        Args:
            chunk: Any number of bytes, cut anywhere. The caller may reuse its buffer afterwards.

        Raises:
            ParserLimitExceeded: The pending event is too large. The events before it are returned first, and
                the next call raises; so does every one until `reset`.
            TypeError: The chunk is not bytes. Text is refused: the decoding belongs inside of the parser.
        """
        self._raise_failure()
        events: list[ServerSentEvent] = []
        try:
            self._read(self._with_lf_only(self._without_bom(_as_bytes(chunk))), events)
        except ParserLimitExceeded as exc:
            self._failure = exc.args
            if not events:
                raise
        return events

    def close(self) -> Leftover | None:
        """Ends the stream, tells what that discards, and makes the parser ready for the next stream.

        Raises:
            ParserLimitExceeded: As `feed`.
        """
        self._raise_failure()
        line = self._line.take() or self._start or b""
        nothing = not (self._data_lines or self._type or self._id is not None or line)
        leftover = Leftover(
            _decoded(self._data.take()[:-1]),
            _decoded(self._type) or "message",
            None if self._id is None else _decoded(self._id),
            _decoded(line),
        )
        self._begin()
        return None if nothing else leftover

    def reset(self, *, keep_last_event_id: bool = True) -> None:
        """Makes the parser ready for the next stream, whatever happened on this one.

        Args:
            keep_last_event_id: Whether the next stream goes on from this one: the last event ID string and
                the reconnection time stay. Otherwise neither does.
        """
        if not keep_last_event_id:
            self.last_event_id = ""
            self.reconnection_time = None
        self._begin()

    def _begin(self) -> None:
        self._failure = None
        self._start: bytes | None = b""
        self._after_cr = False
        self._begin_line()
        self._begin_event()

    def _begin_line(self) -> None:
        self._line = Fragments()
        self._name = b""
        self._ignoring = False

    def _begin_event(self) -> None:
        self._data = Fragments()
        self._data_lines = 0
        self._type = b""
        self._id: bytes | None = None
        self._retry: int | None = None

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise ParserLimitExceeded(*self._failure)

    def _without_bom(self, chunk: bytes) -> bytes:
        if self._start is None:
            return chunk
        chunk = self._start + chunk
        if len(chunk) < len(_BOM) and _BOM.startswith(chunk):
            self._start = chunk
            return b""
        self._start = None
        return chunk.removeprefix(_BOM)

    def _with_lf_only(self, chunk: bytes) -> bytes:
        if not chunk:
            return chunk
        # A CR has ended its line already; the LF that makes a CRLF of it has nothing left to end.
        if self._after_cr and chunk[0] == _LF:
            chunk = chunk[1:]
        self._after_cr = chunk.endswith(b"\r")
        if _CR in chunk:
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return chunk

    def _read(self, chunk: bytes, events: list[ServerSentEvent]) -> None:
        start = 0
        while (end := chunk.find(b"\n", start)) >= 0:
            self._read_line(chunk[start:end], events)
            start = end + 1
        if start < len(chunk):
            self._keep(chunk[start:])

    def _read_line(self, line: bytes, events: list[ServerSentEvent]) -> None:
        ignoring = self._ignoring
        if self._line.size:
            self._line.append(line)
            line = self._line.take()
        if self._name or ignoring:
            self._begin_line()
        if ignoring:
            return
        if line:
            self._field(line)
        else:
            self._dispatch(events)

    def _keep(self, piece: bytes) -> None:
        """Keeps the beginning of a line, unless it is of no known field."""
        if self._ignoring:
            return
        if len(self._name) <= _LONGEST_FIELD and b":" not in self._name:
            self._name += piece[: _LONGEST_FIELD + 1]
            name, colon, _ = self._name.partition(b":")
            if not (name in _FIELDS if colon else any(field.startswith(name) for field in _FIELDS)):
                self._ignoring = True
                self._line = Fragments()
                return
        if b":" in self._name:
            self._check_size(self._line.size + len(piece) - self._name.index(b":") - 1)
        self._line.append(piece)

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        if name not in _FIELDS:
            return
        self._check_size(len(value) + 1)
        value = value.removeprefix(b" ")
        if name == b"data":
            self._add_data(value)
        elif name == b"event":
            self._type = value
        elif name == b"id":
            if 0 not in value:
                self._id = value
        elif value.isdigit():  # of bytes: ASCII digits only
            self._retry = self.reconnection_time = _milliseconds(value)

    def _add_data(self, value: bytes) -> None:
        self._data_lines += 1
        if self._data_lines > MAX_DATA_LINES:
            raise ParserLimitExceeded("data lines", MAX_DATA_LINES, self._data_lines)
        self._data.append(value + b"\n")

    def _dispatch(self, events: list[ServerSentEvent]) -> None:
        own_id = None if self._id is None else _decoded(self._id)
        if own_id is not None:
            self.last_event_id = own_id
        if self._data_lines:
            data = _decoded(self._data.take()[:-1])
            event = ServerSentEvent(
                data, _decoded(self._type) or "message", None, self._retry, self.last_event_id
            )
            if own_id is not None:
                # The constructor refuses an id that could not be sent back; a stream may carry it.
                msgspec.structs.force_setattr(event, "id", own_id)
            events.append(event)
        self._begin_event()

    def _check_size(self, more: int) -> None:
        if self._max_event_size is None:
            return
        size = self._data.size + len(self._type) + len(self._id or b"") + more
        if size > self._max_event_size:
            raise ParserLimitExceeded("bytes", self._max_event_size, size)


def _as_bytes(chunk: Chunk) -> bytes:
    if isinstance(chunk, bytes | bytearray | memoryview):
        return bytes(chunk)
    if isinstance(chunk, str):
        raise TypeError(
            "feed() takes bytes, got str: the decoding belongs inside of the parser, pass raw bytes"
        )
    raise TypeError(f"feed() takes bytes, a bytearray or a memoryview, got {type(chunk).__name__}")


def _decoded(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _milliseconds(digits: bytes) -> int:
    digits = digits.lstrip(b"0")
    # int() is quadratic, and refuses more than 4300 digits.
    return MAX_RETRY if len(digits) > len(str(MAX_RETRY)) else min(int(digits or b"0"), MAX_RETRY)
