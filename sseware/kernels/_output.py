"""What a kernel writes, from bytes to items."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence

from ..items import Log, Text
from ._process import STDOUT, Source
from ._redaction import Redactor

__all__ = ["Output"]

_Decoder = codecs.getincrementaldecoder("utf-8")


class Output:
    """Decodes both pipes of one kernel, each on its own, and redacts stderr.

    Invalid bytes become U+FFFD, as WHATWG's decoder has it; a code point that is split over two chunks is
    whole.
    """

    def __init__(self, limit: int | None, secrets: Sequence[str]) -> None:
        self._left = limit
        self._stdout = _Decoder("replace")
        self._stderr = _Decoder("replace")
        self._redactor = Redactor(secrets)

    def fits(self, chunk: bytes) -> bool:
        """Counts a chunk; tells whether it is within the limit of both pipes together."""
        if self._left is None:
            return True
        self._left -= len(chunk)
        return self._left >= 0

    def take(self, source: Source, chunk: bytes) -> Text | Log | None:
        """Returns the item of a chunk, or ``None`` where there is nothing to tell yet."""
        if source is STDOUT:
            text = self._stdout.decode(chunk)
            return Text(text) if text else None
        text = self._redactor.feed(self._stderr.decode(chunk))
        return Log(text) if text else None

    def close(self) -> Iterator[bytes | Log]:
        """Yields what is left: the bytes of stdout's unfinished code point, and the held back end of stderr.

        The bytes stay bytes: it is for the answer to say what becomes of a code point that nothing finishes.
        A stream leaves it out, a buffered body has U+FFFD there.
        """
        unfinished, _ = self._stdout.getstate()
        if unfinished:
            yield unfinished
        if text := self._redactor.close():
            yield Log(text)
