"""Where a handler's values become a stream."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from ..dialects import ChunkEncoder
from ..items import Failure, File, Finish, Text
from ._failures import failure_of
from ._fold_sink import FoldSink
from ._outbox import Outbox
from ._reader import ItemReader

__all__ = ["StreamSink"]

_log = logging.getLogger("sseware")


class StreamSink:
    """Encodes items into an outbox.

    While nothing was written and the head has not been sent, the answer may still become another one: a `File` makes
    it a buffered one, and an exception is not told in a stream at all.

    Args:
        encoder: Makes bytes of items.
        outbox: Where the bytes go.
        make_fold: Makes the sink of the buffered answer.
        debug: Whether the client sees the text of any exception.

    Attributes:
        ended: Whether an item has ended the stream.
        failed: Whether it ended badly.
        head_sent: Is set by the writer; from then on an exception can only be told in the stream.
        error: The exception of a handler that raised while the head was still free to tell it.
        instead: The buffered answer that this one has become.
        put_text: Takes a text, where the second one and those after it need not be asked about.
    """

    def __init__(
        self, encoder: ChunkEncoder, outbox: Outbox, make_fold: Callable[[], FoldSink], *, debug: bool
    ) -> None:
        self._encoder = encoder
        self._outbox = outbox
        self._make_fold = make_fold
        self._debug = debug
        self._reader = ItemReader()
        self.put_text: Callable[[str], bool] | None = None
        self._write_data: Callable[[object], bytes] | None = None
        self._put = outbox.put
        self.ended = False
        self.failed = False
        self.head_sent = False
        self.error: Exception | None = None
        self.instead: FoldSink | None = None

    @property
    def is_undecided(self) -> bool:
        """Whether the answer may still become another one."""
        return not (self._outbox.ready or self.head_sent)

    def carry(self, main: Callable[[], Coroutine[Any, Any, None]]) -> Awaitable[None]:
        return self._outbox.carry(main)

    def wait_room(self) -> Awaitable[None]:
        return (self.instead or self._outbox).wait_room()

    def release(self) -> None:
        self._outbox.release()

    def put(self, value: object) -> bool:
        if type(value) is dict and self._write_data is not None:
            return self._put(self._write_data(value))
        if self.instead is not None:
            return self._put_instead(self.instead, value)
        encoder = self._encoder
        if type(value) is str:
            room = self._write(encoder.encode(Text(value)))
            if self.put_text is None and self._may_write_unasked():
                writers = encoder.text_writers
                self.put_text = None if writers is None else self._outbox.hold_texts(writers)
            return room
        if encoder.extra and type(value) in encoder.extra:
            return self._write(encoder.encode_extra(value))
        item = self._reader.read(value)
        if item is None:
            return self._write(b"")
        if isinstance(item, Failure):
            # One that is yielded is told in the stream; who wants a status raises a StreamError.
            self.failed = True
            return self._end(encoder.fail(item))
        if isinstance(item, File) and self.is_undecided:
            self.instead = self._make_fold()
            return self._put_instead(self.instead, item)
        if isinstance(item, Finish):
            self.failed = not item.ok
            return self._end(encoder.encode(item) + encoder.finish())
        room = self._write(encoder.encode(item))
        if type(value) is dict:
            self._write_data = encoder.data_writer if self._may_write_unasked() else None
        return room

    def _may_write_unasked(self) -> bool:
        """Tells whether there may be a short way for the usual items; there is none where one may end the stream."""
        return not self._encoder.may_end

    def _write(self, chunk: bytes) -> bool:
        room = self._outbox.put(chunk)
        encoder = self._encoder
        return self._end(encoder.finish()) if encoder.may_end and encoder.ended else room

    def _end(self, chunk: bytes) -> bool:
        self.ended = True
        self._outbox.put(chunk)
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

    def fail(self, exc: Exception) -> None:
        if self.instead is not None:
            self.instead.fail(exc)
        elif self.ended:
            _log.error("the handler failed after its end", exc_info=exc)
        elif self.is_undecided:
            self.ended = True
            self.error = exc
        else:
            _log.error("the handler failed in mid-stream", exc_info=exc)
            self.failed = True
            self._end(self._encoder.fail(failure_of(exc, debug=self._debug)))

    def farewell(self) -> bytes | None:
        """Returns what the dialect says where the server stops, if anything; everything else has been handed out."""
        return self._encoder.farewell()

    def close(self) -> None:
        if self.instead is not None:
            self.instead.close()
        self._outbox.close()
