"""The comments of an event stream, which a parser of the standard drops: WHATWG HTML, 9.2.5."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["CommentReader"]

_LINE_END: Final = re.compile(rb"\r\n|\r|\n")
_BOM: Final = b"\xef\xbb\xbf"


class CommentReader:
    r"""Reads the comments out of a stream, chunk by chunk.

    >>> reader = CommentReader()
    >>> reader.feed(b"data: a\n\n: pi"), reader.feed(b"ng\r")
    ([], ['ping'])
    """

    def __init__(self) -> None:
        self._rest = b""
        self._after_cr = False
        self._first = True

    def feed(self, chunk: bytes) -> list[str]:
        """Takes the next bytes; returns the comments whose lines they end."""
        if not chunk:
            return []
        # A CR has ended its line already: an LF behind it ends nothing.
        if self._after_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]
        self._after_cr = chunk.endswith(b"\r")
        *lines, self._rest = _LINE_END.split(self._rest + chunk)
        found = []
        for line in lines:
            if self._first:
                line, self._first = line.removeprefix(_BOM), False
            if line.startswith(b":"):
                found.append(line[1:].removeprefix(b" ").decode(errors="replace"))
        return found
