"""The linter: what the standard ignores or repairs, each with its rule, its byte and its section.

A parser must take any bytes. Whoever writes a stream wants to hear of the bytes that readers throw away or
replace: they are where two readers differ, or where one's own data are lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from ..errors import ParserLimitExceeded, StrictViolation
from ._fragments import Fragments

__all__ = ["Linter", "lint"]

_BOM: Final = b"\xef\xbb\xbf"
_LINE_END: Final = re.compile(rb"\r\n|\r|\n")
_LONGEST_NAME: Final = len("event: ")
_UNSENDABLE: Final = re.compile(r"[\x01-\x1f\x7f-\x9f]|^[ \t]|[ \t]$")

_STREAM: Final = "WHATWG HTML 9.2.5"
_FIELD: Final = "WHATWG HTML 9.2.6"
_DECODE: Final = "WHATWG Encoding 6"
_HEADER: Final = "RFC 9110 5.5"


def lint(chunks: bytes | Iterable[bytes]) -> list[StrictViolation]:
    r"""Reports every deviation of a stream, in the order in which they come to light.

    >>> for violation in lint(b"data: a\n\nfoo: bar\ndata: b\n\nid: 7"):
    ...     print(violation)
    unknown-field at byte 9: b'foo' is no field, the line is dropped (WHATWG HTML 9.2.6)
    unfinished-tail at byte 27: the stream ends in the middle of an event, which is lost (WHATWG HTML 9.2.6)

    Args:
        chunks: The stream, whole or in pieces.
    """
    linter = Linter(max_event_size=None)
    found: list[StrictViolation] = []
    for chunk in [chunks] if isinstance(chunks, bytes) else chunks:
        found += linter.feed(chunk)
    return found + linter.close()


class Linter:
    """Looks at each line of a stream, with its offset.

    Args:
        max_event_size: The limit of the parser. Here each line has it, be it a comment; ``None`` for no limit.
    """

    def __init__(self, max_event_size: int | None) -> None:
        self._max_line_size = None if max_event_size is None else max_event_size + _LONGEST_NAME
        self._line = Fragments()
        self._offset = 0  # of the next byte
        self._line_offset = 0
        self._after_cr = False
        self._begin_block()

    def feed(self, chunk: bytes) -> list[StrictViolation]:
        """Returns the deviations that these bytes bring to light.

        Raises:
            ParserLimitExceeded: A line is too long.
        """
        if self._after_cr and chunk:
            self._after_cr = False
            if chunk[:1] == b"\n":
                self._offset = self._line_offset = self._offset + 1
                chunk = chunk[1:]
        found: list[StrictViolation] = []
        start = 0
        for end in _LINE_END.finditer(chunk):
            self._line.append(chunk[start : end.start()])
            found += self._look_at(self._line.take())
            start = end.end()
            self._line_offset = self._offset + start
            self._after_cr = start == len(chunk) and end[0] == b"\r"
        self._line.append(chunk[start:])
        self._offset += len(chunk)
        if self._max_line_size is not None and self._line.size > self._max_line_size:
            raise ParserLimitExceeded("bytes", self._max_line_size, self._line.size)
        return found

    def close(self) -> list[StrictViolation]:
        """Returns what the end of the stream brings to light."""
        if self._block_offset is None and not self._line.size:
            return []
        offset = self._line_offset if self._block_offset is None else self._block_offset
        detail = "the stream ends in the middle of an event, which is lost"
        return [StrictViolation("unfinished-tail", offset, _FIELD, detail)]

    def _begin_block(self) -> None:
        self._block_offset: int | None = None
        self._type_offset: int | None = None
        self._has_data = False

    def _look_at(self, line: bytes) -> list[StrictViolation]:
        if not line:
            found = list(self._blank_line())
            self._begin_block()
            return found
        found = list(self._encoding(line))
        if self._line_offset == 0:
            line = line.removeprefix(_BOM)
        elif line.startswith(_BOM):
            detail = "a byte order mark counts at the start of the stream only, the line is dropped"
            return [*found, StrictViolation("late-bom", self._line_offset, _STREAM, detail)]
        return [*found, *self._field(line)]

    def _blank_line(self) -> Iterator[StrictViolation]:
        if self._type_offset is not None and not self._has_data:
            detail = "an event without a data field is not dispatched"
            yield StrictViolation("named-block-without-data", self._type_offset, _FIELD, detail)

    def _encoding(self, line: bytes) -> Iterator[StrictViolation]:
        try:
            line.decode()
        except UnicodeDecodeError as exc:
            offset = self._line_offset + exc.start
            detail = f"{line[exc.start : exc.end]!r} is not UTF-8, U+FFFD takes its place"
            yield StrictViolation("invalid-utf-8", offset, _DECODE, detail)

    def _field(self, line: bytes) -> Iterator[StrictViolation]:
        name, _, value = line.partition(b":")
        if not name:  # a comment, or the byte order mark alone
            return
        if self._block_offset is None:
            self._block_offset = self._line_offset
        value = value.removeprefix(b" ")
        if name == b"data":
            self._has_data = True
        elif name == b"event":
            self._type_offset = self._line_offset if value else None
        elif name == b"id":
            yield from self._id(value)
        elif name != b"retry":
            detail = f"{name[:40]!r} is no field, the line is dropped"
            yield StrictViolation("unknown-field", self._line_offset, _FIELD, detail)
        elif not value.isdigit():
            detail = f"{value[:40]!r} is not a number in ASCII digits, the line is dropped"
            yield StrictViolation("bad-retry", self._line_offset, _FIELD, detail)

    def _id(self, value: bytes) -> Iterator[StrictViolation]:
        if 0 in value:
            detail = f"{value[:40]!r} has a NUL in it, the line is dropped"
            yield StrictViolation("nul-id", self._line_offset, _FIELD, detail)
        elif _UNSENDABLE.search(value.decode("utf-8", "replace")):
            detail = f"{value[:40]!r} cannot come back as the value of a Last-Event-ID header"
            yield StrictViolation("unsendable-id", self._line_offset, _HEADER, detail)
