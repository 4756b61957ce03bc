"""Where a handler's values become a stream with time between its events, as a dialect may want it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from ..dialects import ChunkEncoder, PieceEncoder
from ._fold_sink import FoldSink
from ._outbox import Outbox
from ._plan import Plan
from ._runtime import Runtime, WakeUp
from ._stream_sink import StreamSink

__all__ = ["PacedSink", "open_sink"]

# A timer may ring a little early: no event loop promises more than a millisecond.
_EARLY: Final = 0.001


class PacedSink(StreamSink):
    """Hands events out one by one; some seconds pass between two of them at the least.

    The handler waits at its ``yield`` until the last event of what it yielded has been handed out; one that is
    slower than the pause does not wait. What ends the stream does not wait either, and takes along what has not
    been handed out: where a deadline that the handler holds over its ``yield`` has passed, nothing is lost.

    Args:
        encoder: Makes bytes of items, event by event.
        outbox: Where the bytes go.
        make_fold: Makes the sink of the buffered answer.
        debug: Whether the client sees the text of any exception.
        pause: How many seconds pass between two events.
        runtime: Timers.
    """

    def __init__(
        self,
        encoder: PieceEncoder,
        outbox: Outbox,
        make_fold: Callable[[], FoldSink],
        *,
        debug: bool,
        pause: float,
        runtime: Runtime,
    ) -> None:
        super().__init__(encoder, outbox, make_fold, debug=debug)
        self._pieces = encoder.pieces
        self._pause = pause
        self._runtime = runtime
        self._wake = runtime.wake_up()
        self._due = -math.inf
        self._room = True
        self._released = False

    def _write(self, chunk: bytes) -> bool:
        if not self._pieces:
            self._room = super()._write(chunk)
            return self._room
        if self._encoder.ended:
            return self._end(self._encoder.finish())
        self._hand_out()
        return self._room and not self._pieces

    def _may_write_unasked(self) -> bool:
        """Tells that there is no short way: each event waits for its time."""
        return False

    def _hand_out(self) -> None:
        now = self._runtime.now()
        if self._due - now <= _EARLY:
            self._due = now + self._pause
            self._room = self._outbox.put(self._pieces.popleft())
            self._outbox.flush()

    def _end(self, chunk: bytes) -> bool:
        return super()._end(self._take_pieces() + chunk)

    def _take_pieces(self) -> bytes:
        left = b"".join(self._pieces)
        self._pieces.clear()
        return left

    def farewell(self) -> bytes | None:
        self._outbox.put(self._take_pieces())
        return super().farewell()

    async def wait_room(self) -> None:
        self._released = False
        while not self._released:
            if self.instead is not None or not self._room:
                await super().wait_room()
                self._room = True
            elif self._pieces:
                await self._wait_due()
                self._hand_out()
            if not self._pieces and self._room:
                return

    async def _wait_due(self) -> None:
        """Waits until the next event is due, or `release` is called."""
        while not self._released and (left := self._due - self._runtime.now()) > _EARLY:
            timer = self._runtime.call_later(left, self._wake)
            try:
                await self._wake.wait()
            finally:
                timer.cancel()

    def release(self) -> None:
        self._released = True
        self._wake()
        super().release()


def open_sink(
    plan: Plan, runtime: Runtime, wake_writer: WakeUp, make_fold: Callable[[], FoldSink]
) -> tuple[StreamSink, Outbox]:
    """Makes the sink of a stream and the outbox behind it, as the dialect of the plan wants them.

    Args:
        plan: The dialect and the options.
        runtime: The event loop.
        wake_writer: Is called when there is something to write.
        make_fold: Makes the sink of the buffered answer that the stream may become.

    Raises:
        ConfigurationError: The dialect wants a pause that is no number of seconds, or the like.
        Exception: Whatever a dialect raises that cannot open an encoder.
    """
    pause, run_ahead = plan.pace
    max_items, max_bytes = plan.settings.outbox
    outbox = Outbox(runtime, wake_writer, max_items, run_ahead or max_bytes)
    debug = plan.settings.debug
    if not pause:
        return StreamSink(ChunkEncoder(plan.encoder(), plan.extra), outbox, make_fold, debug=debug), outbox
    encoder = PieceEncoder(plan.encoder(), plan.extra)
    return PacedSink(encoder, outbox, make_fold, debug=debug, pause=pause, runtime=runtime), outbox
