"""WHATWG Encoding, "UTF-8 decode", step by step.

Section 6, "UTF-8 decode", drops a byte order mark; section 8.1.1, "UTF-8 decoder", is the automaton. Python's
own codec is not used here: the parser uses it, and the two are to be compared.
"""

from __future__ import annotations

__all__ = ["utf_8_decode"]

_BYTE_ORDER_MARK = [0xEF, 0xBB, 0xBF]
_REPLACEMENT = "\ufffd"


def utf_8_decode(data: bytes) -> str:
    """Decodes a whole byte sequence as the standard's *UTF-8 decode* does.

    Args:
        data: The bytes, from the first to the last.

    Returns:
        The text. One byte order mark is dropped from its start; what is no UTF-8 becomes U+FFFD.
    """
    queue = list(data)
    if queue[:3] == _BYTE_ORDER_MARK:
        queue = queue[3:]
    decoder = _Utf8Decoder()
    output: list[str] = []
    for byte in queue:
        restored = decoder.handle(byte, output)
        if restored:
            decoder.handle(byte, output)
    decoder.handle_end_of_queue(output)
    return "".join(output)


class _Utf8Decoder:
    """The variables are the standard's: a code point in the making, and what its next byte may be."""

    def __init__(self) -> None:
        self._start_over()

    def _start_over(self) -> None:
        self.code_point = 0
        self.bytes_needed = 0
        self.lower_boundary = 0x80
        self.upper_boundary = 0xBF

    def handle_end_of_queue(self, output: list[str]) -> None:
        if self.bytes_needed:
            output.append(_REPLACEMENT)

    def handle(self, byte: int, output: list[str]) -> bool:
        """Takes one byte; says whether it is to be *restored*, which is to be read once more."""
        if not self.bytes_needed:
            if byte <= 0x7F:
                output.append(chr(byte))
            else:
                self._handle_lead(byte, output)
            return False
        if not self.lower_boundary <= byte <= self.upper_boundary:
            self._start_over()
            output.append(_REPLACEMENT)
            return True
        self.lower_boundary, self.upper_boundary = 0x80, 0xBF
        self.code_point = self.code_point << 6 | byte & 0x3F
        self.bytes_needed -= 1
        if not self.bytes_needed:
            output.append(chr(self.code_point))
            self._start_over()
        return False

    def _handle_lead(self, byte: int, output: list[str]) -> None:
        if 0xC2 <= byte <= 0xDF:
            self.bytes_needed = 1
            self.code_point = byte & 0x1F
        elif 0xE0 <= byte <= 0xEF:
            if byte == 0xE0:  # shorter forms would be overlong
                self.lower_boundary = 0xA0
            if byte == 0xED:  # surrogates
                self.upper_boundary = 0x9F
            self.bytes_needed = 2
            self.code_point = byte & 0xF
        elif 0xF0 <= byte <= 0xF4:
            if byte == 0xF0:  # shorter forms would be overlong
                self.lower_boundary = 0x90
            if byte == 0xF4:  # nothing lies above U+10FFFF
                self.upper_boundary = 0x8F
            self.bytes_needed = 3
            self.code_point = byte & 0x7
        else:
            output.append(_REPLACEMENT)
