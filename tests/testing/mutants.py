"""A plain parser, and wrong ones that differ from it in one thing each.

Every one of the wrong ones does what some released parser did. They prove the tests: what cannot tell them from
the plain one checks nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

BOM = b"\xef\xbb\xbf"
MAX_RETRY = 2**63 - 1


class PlainEvent(NamedTuple):
    event: str
    data: str
    last_event_id: str


class PlainParser:
    """Lines as they come, one step a method, so that a mutant is a method."""

    def __init__(self, *, last_event_id: str = "") -> None:
        self.committed = last_event_id
        self.reconnection_time: int | None = None
        self.id = last_event_id
        self.type = ""
        self.data: list[str] = []
        self.pending = b""
        self.at_start = True
        self.after_cr = False
        self.out: list[PlainEvent] = []

    @property
    def last_event_id(self) -> str:
        return self.committed

    def feed(self, chunk: bytes) -> list[PlainEvent]:
        self.pending += chunk
        for line in self.lines():
            self.take(self.decode(self.without_bom(line)))
        out, self.out = self.out, []
        return out

    def close(self) -> list[PlainEvent] | None:
        return None

    def lines(self) -> Iterator[bytes]:
        while self.pending:
            if self.after_cr and self.pending[:1] == b"\n":
                self.pending = self.pending[1:]
            self.after_cr = False
            end = re.search(rb"[\r\n]", self.pending)
            if end is None:
                return
            line, self.pending = self.pending[: end.start()], self.pending[end.end() :]
            self.after_cr = end[0] == b"\r"
            yield line

    def without_bom(self, line: bytes) -> bytes:
        if self.at_start:
            self.at_start = False
            return line.removeprefix(BOM)
        return line

    def decode(self, line: bytes) -> str:
        return line.decode("utf-8", "replace")

    def take(self, line: str) -> None:
        if not line:
            self.blank()
        elif not line.startswith(":"):
            name, _, value = line.partition(":")
            self.field(name, self.value(value))

    def value(self, value: str) -> str:
        return value.removeprefix(" ")

    def field(self, name: str, value: str) -> None:
        if name == "data":
            self.data.append(value)
        elif name == "event":
            self.type = value
        elif name == "id":
            self.set_id(value)
        elif name == "retry":
            self.set_retry(value)

    def set_id(self, value: str) -> None:
        if "\0" not in value:
            self.id = value

    def set_retry(self, value: str) -> None:
        if re.fullmatch("[0-9]+", value):
            self.reconnection_time = min(int(value), MAX_RETRY)

    def blank(self) -> None:
        self.committed = self.id
        if self.data:
            self.dispatch()
        self.data = []
        self.type = ""

    def dispatch(self) -> None:
        self.out.append(PlainEvent(self.type or "message", "\n".join(self.data), self.committed))


class LfOnly(PlainParser):
    """Ends lines at LF; a CR before it is dropped, a lone one is text."""

    def lines(self) -> Iterator[bytes]:
        *lines, self.pending = self.pending.split(b"\n")
        for line in lines:
            yield line.removesuffix(b"\r")


class CrHeldBack(PlainParser):
    """Waits after a CR for the byte that tells whether it is CRLF."""

    def lines(self) -> Iterator[bytes]:
        while end := re.search(rb"\r\n|\n|\r(?=[^\n])", self.pending):
            line, self.pending = self.pending[: end.start()], self.pending[end.end() :]
            yield line


class PhantomEvent(PlainParser):
    """Dispatches any block that has set something."""

    def blank(self) -> None:
        self.committed = self.id
        if self.data or self.type or self.id:
            self.dispatch()
        self.data = []
        self.type = ""


class BomKept(PlainParser):
    """Takes the byte order mark for text."""

    def without_bom(self, line: bytes) -> bytes:
        return line


class BomTwice(PlainParser):
    """Drops every byte order mark at the start."""

    def without_bom(self, line: bytes) -> bytes:
        while self.at_start and line.startswith(BOM):
            line = line.removeprefix(BOM)
        self.at_start = False
        return line


class IntRetry(PlainParser):
    """Leaves it to ``int`` what a number is."""

    def set_retry(self, value: str) -> None:
        try:
            self.reconnection_time = min(int(value), MAX_RETRY)
        except ValueError:
            pass


class NulId(PlainParser):
    """Takes an id with a NUL in it."""

    def set_id(self, value: str) -> None:
        self.id = value


class TypeCarriedOver(PlainParser):
    """Forgets the type with the event only, and not with a block without data."""

    def blank(self) -> None:
        kept = "" if self.data else self.type
        super().blank()
        self.type = kept


class UncommittedIdShown(PlainParser):
    """Shows an id before a blank line has committed it."""

    @property
    def last_event_id(self) -> str:
        return self.id


class DispatchAtEnd(PlainParser):
    """Takes the end of the stream for a blank line."""

    def close(self) -> list[PlainEvent] | None:
        return self.feed(b"\n\n")


class SplitLines(PlainParser):
    """Ends lines wherever ``str.splitlines`` does."""

    def take(self, line: str) -> None:
        for part in line.splitlines() or [""]:
            super().take(part)


class LfAfterCrCounts(PlainParser):
    """Sees a CRLF only where no chunk ends between the two."""

    def feed(self, chunk: bytes) -> list[PlainEvent]:
        self.after_cr = False
        return super().feed(chunk)


class DecodedByChunk(PlainParser):
    """Decodes each chunk by itself."""

    def feed(self, chunk: bytes) -> list[PlainEvent]:
        return super().feed(chunk.decode("utf-8", "replace").encode())


class DecodedStrictly(PlainParser):
    """Raises on what is not UTF-8."""

    def decode(self, line: bytes) -> str:
        return line.decode("utf-8")


class BomByLine(PlainParser):
    """Drops a byte order mark wherever a line begins."""

    def without_bom(self, line: bytes) -> bytes:
        return line.removeprefix(BOM)


class ValueStripped(PlainParser):
    """Takes more away than one space."""

    def value(self, value: str) -> str:
        return value.strip()


class AllSpacesDropped(PlainParser):
    """Drops every space at the start of a value."""

    def value(self, value: str) -> str:
        return value.lstrip(" ")


class NamesWithoutCase(PlainParser):
    """Takes ``Data`` for ``data``."""

    def field(self, name: str, value: str) -> None:
        super().field(name.lower(), value)


class UnicodeDigits(PlainParser):
    """Asks ``str.isdigit``."""

    def set_retry(self, value: str) -> None:
        if value.isdigit():
            self.reconnection_time = min(int(value), MAX_RETRY)


class RetryAtDispatch(PlainParser):
    """Lets a reconnection time wait for its event."""

    waiting: int | None = None

    def set_retry(self, value: str) -> None:
        before = self.reconnection_time
        super().set_retry(value)
        self.waiting, self.reconnection_time = self.reconnection_time, before

    def dispatch(self) -> None:
        super().dispatch()
        if self.waiting is not None:
            self.reconnection_time = self.waiting


class IdOnlyWithData(PlainParser):
    """Commits an id when an event is dispatched, and not at a blank line without data."""

    def blank(self) -> None:
        before = self.committed
        had_data = bool(self.data)
        super().blank()
        if not had_data:
            self.committed = before


class IdNotSticky(PlainParser):
    """Forgets the id after its event."""

    def dispatch(self) -> None:
        super().dispatch()
        self.id = ""


class EmptyDataSkipped(PlainParser):
    """Takes an event whose data are empty for none."""

    def dispatch(self) -> None:
        if any(self.data):
            super().dispatch()


class EndsStripped(PlainParser):
    """Drops every LF at the end of the data, and not just one."""

    def dispatch(self) -> None:
        while len(self.data) > 1 and not self.data[-1]:
            self.data.pop()
        super().dispatch()


class EmptyChunkEnds(PlainParser):
    """Takes an empty chunk for the end of the stream, and begins anew."""

    def feed(self, chunk: bytes) -> list[PlainEvent]:
        if not chunk:
            self.pending = b""
        return super().feed(chunk)


PLANTED: dict[str, type[PlainParser]] = {
    "LF-only split": LfOnly,
    "CR held back": CrHeldBack,
    "phantom event": PhantomEvent,
    "BOM kept": BomKept,
    "BOM twice": BomTwice,
    "int() retry": IntRetry,
    "NUL id": NulId,
    "type carried over": TypeCarriedOver,
    "uncommitted id shown": UncommittedIdShown,
    "dispatch at the end": DispatchAtEnd,
    "splitlines": SplitLines,
    "LF after CR counts": LfAfterCrCounts,
    "decoded by chunk": DecodedByChunk,
    "decoded strictly": DecodedStrictly,
    "BOM by line": BomByLine,
    "value stripped": ValueStripped,
    "all spaces dropped": AllSpacesDropped,
    "names without case": NamesWithoutCase,
    "str.isdigit retry": UnicodeDigits,
    "retry at dispatch": RetryAtDispatch,
    "id only with data": IdOnlyWithData,
    "id not sticky": IdNotSticky,
    "empty data skipped": EmptyDataSkipped,
    "ends stripped": EndsStripped,
    "empty chunk ends": EmptyChunkEnds,
}
"""Each wrong parser, by the name of what is wrong with it."""
