"""What an existing application's body holds, as items: text, JSON lines, another dialect's events.

A body comes in chunks that are cut anywhere. Each of the readers keeps what is not complete yet, under a limit, and
says in which line or event it met what it cannot read.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from typing import Any, Final, Protocol, get_args

import msgspec

from ..dialects import AnItem, Dialect, read_payload
from ..errors import InvalidDialectEvent, ProtocolError
from ..events import ServerSentEvent
from ..items import AnyItem, Data, File
from ..wire import MAX_EVENT_SIZE, EventStreamParser

__all__ = ["BodyReader", "EventsBody", "LinesBody", "TextBody", "UnreadableBody"]

MAX_LINE: Final = MAX_EVENT_SIZE
"""How many bytes a JSON line may have: as many as an event."""

_PIECE: Final = 2**20
"""How many characters of text one event carries at the most: a chunk may be a whole book; an event has a limit."""

_SHOWN: Final = 80


class UnreadableBody(Exception):
    """The application sent what its content type does not promise; the text says where, for the log."""


class BodyReader(Protocol):
    """Reads one body, chunk by chunk."""

    def read(self, chunk: bytes) -> Iterator[str | AnItem]:
        """Yields what a chunk completes.

        Raises:
            UnreadableBody: After what could be read.
        """
        ...

    def close(self) -> Iterator[str | AnItem]:
        """Yields what the end of the body completes.

        Raises:
            UnreadableBody: The body ends too early.
        """
        ...


class TextBody:
    """Text in UTF-8: each chunk is a piece of it, but for a code point that it ends inside of."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("strict")
        self._line = 1

    def read(self, chunk: bytes) -> Iterator[str]:
        return self._decode(chunk, final=False)

    def close(self) -> Iterator[str]:
        return self._decode(b"", final=True)

    def _decode(self, chunk: bytes, *, final: bool) -> Iterator[str]:
        wrong = None
        try:
            text = self._decoder.decode(chunk, final)
        except UnicodeDecodeError as exc:
            wrong = exc
            text = exc.object[: exc.start].decode()
        for start in range(0, len(text), _PIECE):
            yield text[start : start + _PIECE]
        self._line += text.count("\n")
        if wrong is not None:
            raise UnreadableBody(f"line {self._line} is not UTF-8: {_why_no_utf8(wrong)}") from wrong


class LinesBody:
    """JSON lines: an item where a line is one by its tag and all of its fields, else a `Data` of its value.

    Somebody's own ``{"type": "finish", "reason": "length"}`` is data: `Finish` has no ``reason``, and to read it as
    one would lose it. A line may end with CR and LF; the last one need not end at all; empty ones are passed over.
    """

    def __init__(self, max_line: int = MAX_LINE) -> None:
        self._max_line = max_line
        self._rest = bytearray()
        self._number = 0

    def read(self, chunk: bytes) -> Iterator[AnItem]:
        *lines, rest = chunk.split(b"\n")
        for line in lines:
            yield from self._read_line(line)
        self._rest += rest
        self._check_size(len(self._rest), self._number + 1)

    def close(self) -> Iterator[AnItem]:
        yield from self._read_line(b"")

    def _read_line(self, end: bytes) -> Iterator[AnItem]:
        line = bytes(self._rest) + end if self._rest else end
        self._rest.clear()
        self._number += 1
        self._check_size(len(line), self._number)
        if line.strip():
            yield _item_of(line, self._number)

    def _check_size(self, size: int, number: int) -> None:
        if size > self._max_line:
            raise UnreadableBody(f"line {number} has {size} bytes or more, the limit is {self._max_line}")


def _item_of(line: bytes, number: int) -> AnItem:
    try:
        text = line.decode()
    except UnicodeDecodeError as exc:
        raise UnreadableBody(f"line {number} is not UTF-8: {_why_no_utf8(exc)}, in {_shown(line)}") from exc
    try:
        # The payload of an event is read in the same way; a lone surrogate, which JavaScript writes, included.
        value = read_payload(ServerSentEvent(text), object, dialect="JSON lines")
    except InvalidDialectEvent as exc:
        raise UnreadableBody(f"line {number} is not JSON: {exc.reason}, in {_shown(line)}") from exc
    return _tagged(value) or Data(value)


# A stream cannot carry a file; a line that looks like one is data.
_KINDS: Final[dict[Any, Any]] = {
    kind.__struct_config__.tag: kind for kind in get_args(AnyItem) if kind is not File
}


def _tagged(value: Any) -> AnItem | None:
    """Returns the item that a value spells out, and nothing but that, or ``None``."""
    tag = value.get("type") if type(value) is dict else None
    kind = _KINDS.get(tag) if type(tag) is str else None
    if kind is None or not value.keys() <= {"type", *kind.__struct_fields__}:
        return None
    try:
        item: AnItem = msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return None
    return item


class EventsBody:
    """Another dialect's event stream; its comments, ids and reconnection times stay with its connection."""

    def __init__(self, source: Dialect) -> None:
        self._parser = EventStreamParser()
        self._decoder = source.decoder()
        self._name = source.name
        self._number = 0

    def read(self, chunk: bytes) -> Iterator[AnItem]:
        for event in self._feed(chunk):
            self._number += 1
            for item in self._decode(event):
                if isinstance(item, File):
                    raise UnreadableBody(f"event {self._number} is a file, which a stream cannot carry")
                yield item

    def close(self) -> Iterator[AnItem]:
        # What is too large is told by the call that follows.
        yield from self.read(b"")
        try:
            self._decoder.close()
        except ProtocolError as exc:
            raise UnreadableBody(f"after event {self._number}: {exc}") from exc

    def _feed(self, chunk: bytes) -> Sequence[ServerSentEvent]:
        try:
            return self._parser.feed(chunk)
        except ProtocolError as exc:
            raise UnreadableBody(f"event {self._number + 1}: {exc}") from exc

    def _decode(self, event: ServerSentEvent) -> Sequence[AnItem]:
        try:
            return tuple(self._decoder.decode(event))
        except ProtocolError as exc:
            raise UnreadableBody(f"event {self._number}: {exc}") from exc


def _why_no_utf8(exc: UnicodeDecodeError) -> str:
    return f"{exc.reason} ({exc.object[exc.start : exc.end]!r})"


def _shown(line: bytes) -> str:
    return repr(line) if len(line) <= _SHOWN else f"{line[:_SHOWN]!r}... ({len(line)} bytes)"
