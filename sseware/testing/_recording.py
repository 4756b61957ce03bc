"""A response as it came: its chunks with their times, in a file that one can read.

::

    sseware recording 1
    request GET /ticks
    status 200
    content-type: text/event-stream

    @0 9
    data: 1

    @15 8
    : ping

    @end complete

Before each chunk stand its time, in seconds since the request, and how many bytes it has; behind it a line end that
does not belong to it. So any bytes can be recorded, and an event stream is read as it is.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, Iterable
from pathlib import Path
from typing import Final, Self

import anyio
import msgspec

from ._client_side import Ending
from ._observed import ObservedStream
from ._seen import SeenChunk
from .errors import RecordingError

__all__ = ["Recording"]

_FIRST_LINE: Final = "sseware recording 1"
_HEAD: Final = re.compile(
    r"sseware recording 1\n(?:request (?P<request>.*)\n)?status (?P<status>[0-9]{3})\n"
    r"(?P<fields>(?:[^\n:]+: ?.*\n)*)\n"
)
_CHUNK: Final = re.compile(rb"@(?P<at>[0-9]+(?:\.[0-9]+)?) (?P<size>[0-9]+)\n")
_END: Final = re.compile(rb"@end (?P<ending>complete|cut|left)\n?\Z")


class Recording(msgspec.Struct, frozen=True):
    r"""One response.

    >>> text = b"sseware recording 1\nstatus 200\n\n@0.5 9\ndata: 1\n\n\n@end complete\n"
    >>> Recording.parse(text).chunks
    (SeenChunk(data=b'data: 1\n\n', at=0.5),)

    Attributes:
        status: The status.
        headers: The header fields, names in lower case.
        chunks: The body, piece by piece, each with its time.
        ending: How it ended; ``None`` where the client left before.
        request: Method and path of the request, where they are known.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    chunks: tuple[SeenChunk, ...]
    ending: Ending | None = "complete"
    request: str = ""

    @classmethod
    def of(cls, stream: ObservedStream) -> Self:
        """Returns what has come on a stream so far."""
        headers = tuple((name, value) for name, value in stream.headers.items())
        return cls(stream.status, headers, tuple(stream.chunks), stream.ending)

    @classmethod
    async def gather(
        cls, chunks: AsyncIterable[bytes], *, status: int = 200, headers: Iterable[tuple[str, str]] = ()
    ) -> Self:
        """Reads a body to its end, from wherever it comes: ``response.aiter_raw()`` of an HTTP client will do.

        Args:
            chunks: The body.
            status: The status to be recorded.
            headers: The header fields to be recorded.
        """
        began = anyio.current_time()
        seen = [SeenChunk(chunk, anyio.current_time() - began) async for chunk in chunks]
        return cls(status, tuple((name.lower(), value) for name, value in headers), tuple(seen))

    def dump(self) -> bytes:
        """Returns the file."""
        lines = [_FIRST_LINE, *([f"request {self.request}"] if self.request else []), f"status {self.status}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        parts = ["\n".join(lines).encode() + b"\n\n"]
        for chunk in self.chunks:
            at = f"{chunk.at:.6f}".rstrip("0").rstrip(".")
            parts.append(b"@%s %d\n%s\n" % (at.encode(), len(chunk.data), chunk.data))
        parts.append(f"@end {self.ending or 'left'}\n".encode())
        return b"".join(parts)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Reads what `dump` has written, or a person.

        Raises:
            RecordingError: It is no recording; the message names the line.
        """
        # Only the head is surely text.
        text = data.partition(b"\n\n")[0].decode(errors="replace") + "\n\n"
        head = _HEAD.fullmatch(text)
        if head is None:
            raise RecordingError(
                f"line 1: a recording begins with {_FIRST_LINE!r}, a status and header fields"
            )
        position, chunks = len(data.partition(b"\n\n")[0]) + 2, []
        while found := _CHUNK.match(data, position):
            chunk = data[found.end() : found.end() + int(found["size"])]
            position = found.end() + len(chunk) + 1
            if data[position - 1 : position] != b"\n":
                line = data.count(b"\n", 0, found.start()) + 1
                size = int(found["size"])
                raise RecordingError(
                    f"line {line}: the chunk has {size} bytes, and a line end is to follow them"
                )
            chunks.append(SeenChunk(chunk, float(found["at"])))
        end = _END.match(data, position)
        if end is None:
            line = data.count(b"\n", 0, position) + 1
            raise RecordingError(
                f"line {line}: '@<seconds> <bytes>' or '@end complete', 'cut', 'left' is wanted"
            )
        fields = (line.partition(":") for line in head["fields"].splitlines())
        headers = tuple((name.lower(), value.strip()) for name, _, value in fields)
        ending = _ENDINGS[end["ending"]]
        return cls(int(head["status"]), headers, tuple(chunks), ending, head["request"] or "")

    def save(self, path: Path) -> None:
        """Writes the file, and the directories that it lies in."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.dump())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads a file.

        Raises:
            RecordingError: It is not there, or is no recording.
        """
        try:
            return cls.parse(path.read_bytes())
        except FileNotFoundError:
            raise RecordingError(f"there is no recording {path}") from None
        except RecordingError as exc:
            raise RecordingError(f"{path}, {exc}") from None


_ENDINGS: Final[dict[bytes, Ending | None]] = {b"complete": "complete", b"cut": "cut", b"left": None}
