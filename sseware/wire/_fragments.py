"""Bytes that arrive in pieces and are wanted whole, later."""

from __future__ import annotations

from typing import Final

__all__ = ["Fragments"]

# A bytes object costs 33 bytes besides its own, and a list's slot 8: pieces below this are gathered first.
_SMALL: Final = 512
_GATHERED: Final = 4096


class Fragments:
    """A buffer that costs no more memory than it holds, and linear time however small the pieces are.

    Concatenation is quadratic, a list of two-byte pieces costs 21 times its content, and a ``bytearray`` of
    the whole reserves an eighth more than is in it.
    """

    __slots__ = ("_pieces", "_recent", "size")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._recent = bytearray()
        self.size = 0

    def append(self, piece: bytes) -> None:
        """Adds a piece at the end."""
        self.size += len(piece)
        if len(piece) < _SMALL:
            self._recent += piece
            if len(self._recent) >= _GATHERED:
                self._settle()
            return
        if self._recent:
            self._settle()
        self._pieces.append(piece)

    def take(self) -> bytes:
        """Returns the whole and forgets it."""
        if self._recent:
            self._settle()
        whole = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        self.size = 0
        return whole

    def _settle(self) -> None:
        self._pieces.append(bytes(self._recent))
        self._recent = bytearray()
