"""Where a handler's values go: into a stream, or into a buffered answer.

A sink is used by the handler's task only, but for what it shows to the writer: an outbox, an answer, an error.
"""

from __future__ import annotations

import codecs
import logging
from collections.abc import Callable
from typing import Protocol

import anyio.lowlevel

from ..dialects import AnItem, BufferedAnswer, DialectFold, ItemEncoders
from ..errors import BufferedLimitExceeded
from ..items import Failure, File, Finish, Text, as_item
from ._chunks import ChunkEncoder
from ._failures import failure_of
from ._outbox import Outbox
from ._runtime import WakeUp

__all__ = ["FoldSink", "Sink", "StreamSink"]

_log = logging.getLogger("sseware")

_TURN = 64
"""After how many items a handler that never awaits lets the event loop turn, where nothing else makes it."""


class Sink(Protocol):
    """Takes the values that a handler yields.

    Attributes:
        ended: Whether an item has ended the answer; nothing that comes after it is taken.
    """

    ended: bool

    @property
    def waiting(self) -> bool:
        """Whether the handler waits here, at its ``yield``."""
        ...

    def put(self, value: object) -> bool:
        """Takes a value; returns whether the handler may go on at once."""
        ...

    async def wait_room(self) -> None:
        """Waits until the handler may go on."""
        ...

    def release(self) -> None:
        """Ends that wait."""
        ...

    def finish(self) -> None:
        """Is called where the handler has ended."""
        ...

    def fail(self, exc: BaseException) -> None:
        """Is called where it has raised."""
        ...

    def close(self) -> None:
        """Is called last of all: nothing more will be put."""
        ...


class _Reader:
    """Spells out what was yielded; decodes bytes over yields, for a code point may be split over two."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def read(self, value: object) -> AnItem | None:
        if isinstance(value, bytes | bytearray | memoryview):
            text = self._decoder.decode(bytes(value))
            return Text(text) if text else None
        return as_item(value)

    def rest(self) -> AnItem | None:
        """Returns what is left of a code point that was never completed, as U+FFFD."""
        text = self._decoder.decode(b"", final=True)
        return Text(text) if text else None


class StreamSink:
    """Encodes items into an outbox.

    Attributes:
        head_sent: Is set by the writer; from then on an exception can only be told in the stream.
        error: The exception of a handler that raised while the head was still free to tell it.
        instead: The buffered answer that this one has become, because its first item was a `File`.
    """

    def __init__(
        self, encoder: ChunkEncoder, outbox: Outbox, make_fold: Callable[[], FoldSink], *, debug: bool
    ) -> None:
        self._encoder = encoder
        self._outbox = outbox
        self._make_fold = make_fold
        self._debug = debug
        self._reader = _Reader()
        self._written = False
        self.head_sent = False
        self.ended = False
        self.error: BaseException | None = None
        self.instead: FoldSink | None = None

    @property
    def waiting(self) -> bool:
        return self._outbox.waiting

    async def wait_room(self) -> None:
        if self.instead is not None:
            await self.instead.wait_room()
        else:
            await self._outbox.wait_room()

    def release(self) -> None:
        self._outbox.release()

    def put(self, value: object) -> bool:
        if self.instead is not None:
            return self._put_instead(self.instead, value)
        encoder = self._encoder
        if type(value) is str:
            return self._write(encoder.encode(Text(value)))
        if encoder.extra and type(value) in encoder.extra:
            return self._write(encoder.encode_extra(value))
        item = self._reader.read(value)
        if item is None:
            return self._write(b"")
        if isinstance(item, Failure):
            return self._end(encoder.fail(item))
        if isinstance(item, File) and not (self._written or self.head_sent):
            self.instead = self._make_fold()
            return self._put_instead(self.instead, item)
        room = self._write(encoder.encode(item))
        return self._end(encoder.finish()) if isinstance(item, Finish) else room

    def _write(self, chunk: bytes) -> bool:
        if chunk:
            self._written = True
        return self._outbox.put(chunk)

    def _end(self, chunk: bytes) -> bool:
        self.ended = True
        self._write(chunk)
        return False

    def _put_instead(self, fold: FoldSink, value: object) -> bool:
        room = fold.put(value)
        self.ended = fold.ended
        return room

    def finish(self) -> None:
        if self.instead is not None:
            self.instead.finish()
        elif not self.ended:
            self._end(self._encoder.finish())

    def fail(self, exc: BaseException) -> None:
        if self.instead is not None:
            self.instead.fail(exc)
        elif self.ended:
            _log.error("the handler failed after its end", exc_info=exc)
        elif self._written or self.head_sent:
            _log.error("the handler failed in mid-stream", exc_info=exc)
            self._end(self._encoder.fail(failure_of(exc, debug=self._debug)))
        else:
            self.ended = True
            self.error = exc

    def close(self) -> None:
        if self.instead is not None:
            self.instead.close()
        self._outbox.close()


class FoldSink:
    """Folds items into one answer.

    Attributes:
        answer: The answer, once there is one.
        error: The exception of a handler that raised; nothing partial is answered.
    """

    def __init__(self, fold: DialectFold, extra: ItemEncoders, limit: int, wake_writer: WakeUp) -> None:
        self._fold = fold
        self._extra = extra
        self._limit = limit
        self._wake_writer = wake_writer
        self._reader = _Reader()
        self._items = 0
        self.ended = False
        self.closed = False
        self.answer: BufferedAnswer | None = None
        self.error: BaseException | None = None

    waiting = False

    async def wait_room(self) -> None:
        await anyio.lowlevel.checkpoint()

    def release(self) -> None:
        """Does nothing: nobody waits for room in a fold."""

    def put(self, value: object) -> bool:
        self._items += 1
        if type(value) in self._extra:
            for event in self._extra[type(value)](value):
                self._add(event)
        elif (item := self._reader.read(value)) is not None:
            if isinstance(item, Failure):
                self.ended = True
                self.answer = self._fold.fail(item)
                return False
            self._add(item)
            self.ended = isinstance(item, Finish)
        return not self.ended and self._items % _TURN != 0

    def _add(self, item: AnItem) -> None:
        self._fold.add(item)
        if self._fold.size > self._limit:
            raise BufferedLimitExceeded("bytes", self._limit)

    def finish(self) -> None:
        if self.answer is None:
            if (rest := self._reader.rest()) is not None:
                self._add(rest)
            self.answer = self._fold.finish()

    def fail(self, exc: BaseException) -> None:
        if self.answer is not None:
            _log.error("the handler failed after its end", exc_info=exc)
            return
        self.ended = True
        self.error = exc

    def fail_with(self, failure: Failure) -> BufferedAnswer:
        """Returns the answer that tells a failure."""
        return self._fold.fail(failure)

    def close(self) -> None:
        self.closed = True
        self._wake_writer()
