"""Bytes to events: WHATWG HTML, sections 9.2.5 (parsing) and 9.2.6 (interpreting an event stream).

The parser finds out where blocks begin and end, and hands whole ones to `sseware.wire._blocks`, all else to
`sseware.wire._pending`. Where it chooses what the standard leaves open:

1. An event may have 16 MiB and 65 536 data lines; the standard knows no limits.
2. A ``retry`` too large for 63 bits is taken as the largest that is not.
3. The last event ID string can be given at the start. The text of the standard has each stream begin with an empty
   one; browsers, and their tests, let it outlive a reconnection.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import msgspec

from ..errors import ConfigurationError, ProtocolError, StrictViolation
from ..events import ReceivedEvent, ServerSentEvent
from ._blocks import read_blocks, sole_id
from ._pending import PendingEvent
from ._strict import Linter

__all__ = ["Chunk", "EventStreamParser", "Leftover"]

Chunk: TypeAlias = bytes | bytearray | memoryview
"""What a stream may arrive in."""

_BOM: Final = b"\xef\xbb\xbf"
_CR: Final = 13

# A tail up to this size is kept as it is and read with the next chunk; a longer one is read line by line.
_SHORT_TAIL: Final = 4096
# So many bytes at once go the fast way. A data line has five bytes at least: they cannot hold too many lines.
_FAST: Final = 64 * 1024


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
        max_event_size: How many bytes an event may have: its data, type and id, and the value that is arriving.
            ``None`` for no limit. Comments and unknown fields have no size: they are dropped as they come.
        strict: Whether what the standard ignores or repairs is an error.

    Raises:
        ConfigurationError: An argument is not what it must be.
    """

    _failure: tuple[type[ProtocolError], tuple[Any, ...]] | None
    _linter: Linter | None
    _start: bytes | None  # what may be the beginning of a BOM; None once that is known
    _after_cr: bool
    _tail: bytes  # an unfinished block, short
    _line_by_line: bool  # an unfinished block, in self._pending
    _idle: bool  # none of the above: the next byte begins a block

    def __init__(
        self, *, last_event_id: str = "", max_event_size: int | None = 16 * 2**20, strict: bool = False
    ) -> None:
        if not isinstance(last_event_id, str):
            raise ConfigurationError(f"last_event_id must be a str, got {last_event_id!r}")
        if max_event_size is not None and (type(max_event_size) is not int or max_event_size < 1):
            raise ConfigurationError(
                f"max_event_size must be a positive number of bytes or None, got {max_event_size!r}"
            )
        self._max_event_size = max_event_size
        self._fast = min(_FAST, max_event_size or _FAST)
        self._short_tail = min(_SHORT_TAIL, self._fast)
        self._strict = strict
        self._pending = PendingEvent(max_event_size, last_event_id)
        self._begin()

    @property
    def last_event_id(self) -> str:
        """The last event ID string; an ``id`` counts from the end of its block on."""
        return self._pending.last_event_id

    @property
    def reconnection_time(self) -> int | None:
        """What the last valid ``retry`` field said, in milliseconds, or ``None``."""
        return self._pending.reconnection_time

    def feed(self, chunk: Chunk) -> list[ServerSentEvent]:
        """Takes the next bytes of the stream and returns the events that they complete.

        Args:
            chunk: Any number of bytes, cut anywhere. The caller may reuse its buffer afterwards.

        Raises:
            ParserLimitExceeded: An event is too large. The events before it are returned first, and the next call
                raises; so does every call until `reset`.
            StrictViolation: The parser is strict, and something in this chunk deviates from the standard.
            TypeError: The chunk is not bytes. Text is refused: the decoding belongs inside of the parser.
        """
        if self._idle and type(chunk) is bytes and len(chunk) <= self._fast:
            # Servers send whole events: nothing is to be joined before, and nothing to be kept after. Where it is
            # one event, of the shape of the last one, its value's line is followed by the blank line and no more;
            # before it may stand an id.
            pending = self._pending
            text = chunk.decode("utf-8", "replace")
            if "\r" in text and not text.endswith("\r"):
                text = text.replace("\r\n", "\n").replace("\r", "\n")
            opening, type_ = pending.shape
            before, _, data = text.partition(opening)
            value, _, rest = data.partition("\n")
            if rest == "\n":
                if not before:
                    return [ReceivedEvent(value, type_, None, None, pending.last_event_id)]
                if own_id := sole_id(before):
                    pending.last_event_id = own_id
                    return [ReceivedEvent(value, type_, own_id, None, own_id)]
            if text.endswith("\n\n"):
                return read_blocks(text, pending)
        if self._failure is not None:
            self._raise_failure()
        chunk = chunk if type(chunk) is bytes else _as_bytes(chunk)
        events: list[ServerSentEvent] = []
        try:
            if not (self._line_by_line and self._linter is None and self._pending.extend(chunk)):
                self._read(chunk, events)
                if self._linter is not None:
                    _raise_first(self._linter.feed(chunk))
        except ProtocolError as exc:
            self._fail(exc)
            if self._strict or not events:
                raise
        return events

    def close(self) -> Leftover | None:
        """Ends the stream, tells what that discards, and makes the parser ready for the next stream.

        Raises:
            ParserLimitExceeded: An event was too large.
            StrictViolation: The parser is strict, and the stream deviates, or ends in the middle of an event.
        """
        self._raise_failure()
        if self._linter is not None:
            try:
                _raise_first(self._linter.close())
            except StrictViolation as exc:
                self._fail(exc)
                raise
        self._gather(self._tail or self._start or b"", [])
        lost = self._pending.leftover()
        self._begin()
        return lost and Leftover(*lost)

    def reset(self, *, keep_last_event_id: bool = True) -> None:
        """Makes the parser ready for the next stream, whatever happened on this one.

        Args:
            keep_last_event_id: Whether the next stream goes on from this one: the last event ID string and the
                reconnection time stay. Otherwise neither does.
        """
        if not keep_last_event_id:
            self._pending = PendingEvent(self._max_event_size, "")
        self._begin()

    def _begin(self) -> None:
        self._failure = None
        self._linter = Linter(self._max_event_size) if self._strict else None
        self._start = b""
        self._after_cr = False
        self._tail = b""
        self._line_by_line = False
        self._idle = False
        self._pending.discard()

    def _fail(self, exc: ProtocolError) -> None:
        # Not the exception itself: its traceback would keep the chunk alive.
        self._failure = type(exc), exc.args
        self._idle = False
        self._pending.discard()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            kind, args = self._failure
            raise kind(*args)

    def _without_bom(self, chunk: bytes) -> bytes:
        chunk = (self._start or b"") + chunk
        if len(chunk) < len(_BOM) and _BOM.startswith(chunk):
            self._start = chunk
            return b""
        self._start = None
        return chunk.removeprefix(_BOM)

    def _with_lf_only(self, chunk: bytes) -> bytes:
        # A CR has ended its line already; the LF that makes a CRLF of it has nothing left to end.
        if self._after_cr and chunk[:1] == b"\n":
            chunk = chunk[1:]
            self._after_cr = False
        if chunk:
            self._after_cr = chunk.endswith(b"\r")
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _read(self, chunk: bytes, events: list[ServerSentEvent]) -> None:
        if self._start is not None:
            chunk = self._without_bom(chunk)
        if self._after_cr or _CR in chunk:
            chunk = self._with_lf_only(chunk)
        if self._line_by_line:
            chunk = chunk[self._pending.read(chunk, 0, events) :]
            self._line_by_line = not self._pending.is_empty()
        if not self._line_by_line:
            tail, end = self._tail, 0
            if tail:
                # No blank line is in it; one may be where it meets the chunk.
                chunk = tail + chunk
                end = len(tail) - 1
            end = chunk.rfind(b"\n\n", end) + 2
            if end > 1:
                if end <= self._fast:
                    events += read_blocks(chunk[:end].decode("utf-8", "replace"), self._pending)
                else:
                    self._read_blocks(chunk[:end], events)
                chunk = chunk[end:]
            self._keep(chunk, events)
        pending = (
            self._line_by_line or self._tail or self._after_cr or self._start is not None or self._linter
        )
        self._idle = not pending

    def _read_blocks(self, blocks: bytes, events: list[ServerSentEvent]) -> None:
        start, size = 0, len(blocks)
        while start < size:
            # All of it, or as many blocks as go the fast way, or the first one.
            end = size if size - start <= self._fast else blocks.rfind(b"\n\n", start, start + self._fast) + 2
            if end < 2:
                start = self._pending.read(blocks, start, events)
            else:
                events += read_blocks(blocks[start:end].decode("utf-8", "replace"), self._pending)
                start = end

    def _keep(self, tail: bytes, events: list[ServerSentEvent]) -> None:
        # A retry field takes effect with its line, not with its block.
        if len(tail) <= self._short_tail and (b"\n" not in tail or b"retry" not in tail):
            self._tail = tail
        else:
            self._tail = b""
            self._gather(tail, events)
            self._line_by_line = not self._pending.is_empty()

    def _gather(self, tail: bytes, events: list[ServerSentEvent]) -> None:
        start = 0
        while start < len(tail):
            start = self._pending.read(tail, start, events)


def _as_bytes(chunk: Chunk) -> bytes:
    if isinstance(chunk, bytes | bytearray | memoryview):
        return bytes(chunk)
    if isinstance(chunk, str):
        raise TypeError(
            "feed() takes bytes, got str: the decoding belongs inside of the parser, pass raw bytes"
        )
    raise TypeError(f"feed() takes bytes, a bytearray or a memoryview, got {type(chunk).__name__}")


def _raise_first(found: list[StrictViolation]) -> None:
    if found:
        raise found[0]
