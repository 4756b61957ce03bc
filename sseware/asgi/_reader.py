"""From what a handler yields to items."""

from __future__ import annotations

import codecs

from ..dialects import AnItem
from ..items import Text, as_item

__all__ = ["ItemReader"]


class ItemReader:
    """Spells out what was yielded; decodes bytes over yields, for a code point may be split over two."""

    __slots__ = ("_decoder",)

    def __init__(self) -> None:
        self._decoder: codecs.IncrementalDecoder | None = None

    def read(self, value: object) -> AnItem | None:
        """Returns the item of a value; none where bytes end inside their first code point.

        Raises:
            InvalidItem: It is nothing that could be sent.
        """
        if not isinstance(value, bytes | bytearray | memoryview):
            return as_item(value)
        if self._decoder is None:
            self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        text = self._decoder.decode(bytes(value))
        return Text(text) if text else None

    def rest(self) -> AnItem | None:
        """Returns what is left of a code point that was never completed, as U+FFFD."""
        text = self._decoder.decode(b"", final=True) if self._decoder is not None else ""
        return Text(text) if text else None
