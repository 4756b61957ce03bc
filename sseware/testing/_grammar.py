"""What streams are made of, and where they hurt when they are cut.

Streams of random bytes, or of random tokens, hardly ever reach an interesting state of a parser. Here are the
parts of the grammar of WHATWG HTML, 9.2.5, each beside what is nearly it: names that are no field, digits that
are not ASCII, characters that other languages take for line ends, sequences that are not quite UTF-8. The
hypothesis strategies and the random fuzzer draw from the same tables. The simplest stands first: hypothesis
shrinks towards it.
"""

from __future__ import annotations

from itertools import product
from typing import Final

import msgspec

__all__ = [
    "BEGINNINGS",
    "BOM",
    "BROKEN_UTF_8",
    "FIELD_NAMES",
    "LINES",
    "LINE_ENDS",
    "NEWLINE_LOOKALIKES",
    "OPENINGS",
    "SEQUELS",
    "VALUES",
    "Cuts",
    "aimed_cuts",
    "written",
]

BOM: Final = b"\xef\xbb\xbf"

BEGINNINGS: Final = (b"", BOM, BOM + BOM, BOM[:2], BOM[:1], b"\xfe\xff", b"\n" + BOM)
"""How a stream may begin: with nothing, with one byte order mark, with what is nearly one."""

LINE_ENDS: Final = (b"\n", b"\r\n", b"\r")

FIELD_NAMES: Final = (b"data", b"event", b"id", b"retry")

_NEARLY_NAMES: Final = (
    b"x",
    b"Data",
    b"ID",
    b" data",
    b"data ",
    b"dat",
    b"data\0",
    b"datadata",
    b"\tdata",
    b"event\xc2\xa0",
    b"retry_",
    BOM + b"data",
    BOM + b"id",
    b"data\xff",
    b"\xe2\x80\xa8data",
    b"__class__",
)
"""Names that are no field of the standard, although some parser takes each of them for one."""

_SEPARATORS: Final = (b":", b": ", b":  ", b"", b":\t", b" :", b": :", b":\xc2\xa0", b"::")
"""What stands between a name and its value; the second takes one space away, the fourth makes it all a name."""

NEWLINE_LOOKALIKES: Final = ("\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029")
"""Where ``str.splitlines`` ends a line and the standard does not."""

BROKEN_UTF_8: Final = (
    b"\xff",
    b"\xc2",
    b"\xe2\x82",
    b"\xf0\x9f\x98",
    b"\x80",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\xe2\x28\xa1",
    b"\xf0\x80\x80\x80",
)
"""Not UTF-8: lone, cut short, overlong, a surrogate, above U+10FFFF."""

_TEXTS: Final = (
    b"",
    b"a",
    b"7",
    b" ",
    b"a b ",
    b"\xc3\xa9",
    b"\xe2\x82\xac",
    b"\xf0\x9f\x98\x80",
    BOM,
    b":",
    b"a:b: c",
    b"data: a",
    b"\0",
    b"[DONE]",
    b'{"a": "\\n"}',
    b"\x1b\x7f\x01",
    *(character.encode() for character in NEWLINE_LOOKALIKES),
    *BROKEN_UTF_8,
)
"""What a value, a comment or a line of nothing known is put together from."""

_IDS: Final = (b"1", b"", b"2", b"\xe2\x80\xa6")

_HOSTILE_IDS: Final = (
    b"a\0",
    b" 2",
    b"\0",
    BOM + b"3",
    b"1\x002",
    b"\t4 ",
    b"\xc0\x80",
    b"5\x01",
    b"a\xe2\x80\xa8b",
)

_RETRIES: Final = (
    b"1000",
    b"0",
    b"007",
    b"",
    b"+5",
    b"-5",
    b"1_0",
    b" 5",
    b"5 ",
    b"1e3",
    b"1.0",
    b"0x10",
    b"5\0",
    "٣".encode(),
    "１２".encode(),
    "²".encode(),
    b"9223372036854775807",
    b"9223372036854775808",
    b"1" + b"0" * 40,
)
"""Reconnection times, and what ``int`` or ``str.isdigit`` would take for one."""


def _fields(names: tuple[bytes, ...], values: tuple[bytes, ...], separators: int = 2) -> tuple[bytes, ...]:
    return tuple(map(b"".join, product(names, _SEPARATORS[:separators], values)))


_DATA = _fields((b"data",), _TEXTS + tuple(map(b"".join, zip(_TEXTS, reversed(_TEXTS), strict=True))))
_ANY = len(_SEPARATORS)

LINES: Final = (
    (b"data: a",),
    _DATA,
    _fields((b"event",), _TEXTS),
    _fields((b"id",), _IDS),
    _fields((b"retry",), _RETRIES),
    _fields((b"id",), _HOSTILE_IDS),
    _fields((b"retry",), _RETRIES),
    _fields(FIELD_NAMES, (b"1", b""), _ANY),
    _fields(_NEARLY_NAMES, (b"a",)),
    tuple(b":" + text for text in _TEXTS),
    (b"", *FIELD_NAMES, *_TEXTS),
)
"""Lines without their ends, kind by kind; a stream takes as many of each kind."""

SEQUELS: Final = ((), (b"",), (b"data: a", b""), (b"", b"data: a", b""))
"""What follows such a line: nothing; the end of its block; data and the end; the end and another block.

Without these most lines would do nothing that can be seen.
"""

OPENINGS: Final = ((), (b"event: a",), (b"id: 1",), (b"id: 1", b"event: a"), (b"event: b",))
"""What stands before the data where a server writes one event after the other in the same shape."""

VALUES: Final = (*_TEXTS[:12], *map(str.encode, NEWLINE_LOOKALIKES), *BROKEN_UTF_8[:4])
"""What the data of such events are; parsers that take runs of one shape in one go are tempted by these."""


def written(end: bytes, *lines: bytes) -> bytes:
    """Writes lines that are all ended alike."""
    return end.join((*lines, b""))


class Cuts(msgspec.Struct, frozen=True):
    """Where cutting a stream is worth a try; each an offset, in bytes.

    Attributes:
        crlf: Between a CR and its LF.
        after_cr: After a CR that has no LF: its line has ended, and nothing may wait for what follows.
        utf_8: Before a byte that continues a sequence; inside a byte order mark, too.
        colon: After a colon, where the space to be dropped may follow.
        line: After an LF, so that a blank line begins a chunk, or ends one.
        block: After a blank line, so that each chunk is an event.
    """

    crlf: tuple[int, ...] = ()
    after_cr: tuple[int, ...] = ()
    utf_8: tuple[int, ...] = ()
    colon: tuple[int, ...] = ()
    line: tuple[int, ...] = ()
    block: tuple[int, ...] = ()

    def kinds(self) -> tuple[tuple[int, ...], ...]:
        """Returns the kinds of cuts of which this stream has any, the most fruitful first."""
        kinds = self.crlf, self.utf_8, self.colon, self.after_cr, self.line, self.block
        return tuple(kind for kind in kinds if kind)


def aimed_cuts(data: bytes) -> Cuts:
    r"""Finds where a stream hurts when it is cut.

    >>> aimed_cuts(b"id:\r\n\r")
    Cuts(crlf=(4,), after_cr=(), utf_8=(), colon=(3,), line=(5,), block=())

    Args:
        data: The stream.

    Returns:
        The offsets, from the first byte to the last but one, by what they cut through.
    """
    inner = range(1, len(data))
    return Cuts(
        crlf=tuple(at for at in inner if data[at - 1 : at + 1] == b"\r\n"),
        after_cr=tuple(at for at in inner if data[at - 1] == 13 and data[at] != 10),
        utf_8=tuple(at for at in inner if data[at] & 0xC0 == 0x80),
        colon=tuple(at for at in inner if data[at - 1] == 58),
        line=tuple(at for at in inner if data[at - 1] == 10),
        block=tuple(at for at in inner if data[:at].endswith((b"\n\n", b"\r\r", b"\n\r\n"))),
    )
