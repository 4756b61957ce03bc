"""The hand-over between a handler and its writer: bounded, coalescing.

What is put while the writer is busy leaves in one chunk. A handler that runs ahead waits for room, and so does
one that never awaits: this is where it lets the event loop turn. Short texts, of which most streams are made, are
encoded when they are taken, all in one go.
"""

from __future__ import annotations

import types
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, Final, Protocol, cast

from .._types import Send
from ..dialects import TextWriters
from ._on_asyncio import ENDED
from ._runtime import Runtime, WakeUp, before_waits

__all__ = ["IDLE", "Outbox"]

IDLE: Final = object()
"""Is yielded where nothing is ready to be sent."""

_Coroutine: Final = types.CoroutineType

# Where the writer is stood in for, a full outbox is emptied here and now. The turn of the loop, which costs as much
# as ten items, is made when a millisecond has passed, or so many fillings of the outbox have.
_WITHOUT_TURN: Final = 0.001
_FILLINGS: Final = 4

# Longer texts gain nothing by being encoded together.
_LONG_TEXT: Final = 2**14

# A line end becomes one with a field name; everything else has four bytes of UTF-8 at the most.
_MOST_OF_A_CHARACTER: Final = len("\ndata: ")


class HandOver(Protocol):
    """Hands over what is ready: see `Relay`."""

    def flush(self) -> None:
        """Does so now."""
        ...

    def carry(self, main: Callable[[], Coroutine[Any, Any, None]], /) -> Awaitable[None]:
        """Runs a coroutine, and does so each time before it waits."""
        ...

    def interrupt(self) -> None:
        """Hands nothing over until the writer has seen for itself what there is."""
        ...


class Outbox:
    """Holds encoded events between two tasks of one event loop.

    Args:
        runtime: The event loop.
        wake_writer: Is called when nothing will come any more, and when there is something to take.
        max_items: After how many items a handler has to wait; those that encode to nothing count.
        max_bytes: After how many bytes.

    Attributes:
        closed: Whether nothing will come any more.
        relay: Hands over what is put; without one the writer is woken.
    """

    __slots__ = (
        "_chunks",
        "_fillings",
        "_full",
        "_held",
        "_left",
        "_max_bytes",
        "_max_items",
        "_most",
        "_room",
        "_runtime",
        "_short",
        "_turned",
        "_wake_writer",
        "_write_any",
        "_write_short",
        "_write_texts",
        "closed",
        "relay",
    )

    def __init__(self, runtime: Runtime, wake_writer: WakeUp, max_items: int, max_bytes: int) -> None:
        self._runtime = runtime
        self._wake_writer = wake_writer.__call__
        self._max_items = max_items
        self._max_bytes = max_bytes
        self._chunks: list[bytes] = []
        # What is not encoded yet: one text, or several; there are no chunks then. One is the usual case, and there is
        # no list made for it.
        self._held: str | list[str] | None = None
        self._most = max_items
        self._left = max_bytes
        self._full = False
        self._room = runtime.wake_up()
        self._turned = runtime.now()
        self._fillings = 0
        self.relay: HandOver | None = None
        self.closed = False

    def flush(self) -> None:
        """Hands over what was put: to be called each time before the task waits that puts."""
        if self.relay is not None:
            self.relay.flush()
        elif self.ready:
            self._wake_writer()

    def carry(self, main: Callable[[], Coroutine[Any, Any, None]]) -> Awaitable[None]:
        """Runs what puts, and hands over what was put each time before it waits."""
        return before_waits(main, self.flush) if self.relay is None else self.relay.carry(main)

    def put(self, chunk: bytes) -> bool:
        """Puts the bytes of one item, maybe none, for `flush` to hand over; returns whether there is room."""
        chunks = self._chunks
        if self._held is not None:
            self._encode_held(self._held)
        if chunk:
            chunks.append(chunk)
            self._left -= len(chunk)
        else:
            self._most -= 1
        return self._left > 0 and len(chunks) < self._most

    def hold_texts(self, writers: TextWriters) -> Callable[[str], bool]:
        """Returns what puts a text as `put` puts its bytes; short ones are encoded together, when they are taken."""
        self._write_any, self._write_short, self._write_texts = writers
        # As many of these as there may be items are no more bytes than there may be: they need not be counted.
        most = self._max_bytes // self._max_items - len(writers.any(""))
        self._short = min(most // _MOST_OF_A_CHARACTER, _LONG_TEXT)
        return self._put_text

    def _put_text(self, text: str) -> bool:
        if len(text) > self._short or self._chunks:
            return self.put(self._write_any(text))
        if self._held is None:
            self._held = text
            # To return the comparison itself would take twice as long on CPython 3.11.
            if self._most > 1:  # noqa: SIM103
                return True
            return False
        held = self._held
        if type(held) is list:
            held.append(text)
            return len(held) < self._most
        self._held = [cast("str", held), text]
        return self._most > 2

    def _encode_held(self, held: str | list[str]) -> None:
        texts = [held] if isinstance(held, str) else held
        chunk = self._write_texts(texts)
        self._chunks.append(chunk)
        self._left -= len(chunk)
        self._most -= len(texts) - 1
        self._held = None

    def put_first(self, chunk: bytes) -> None:
        """Puts what goes before everything that is ready; it wakes nobody, and nobody waits for its room."""
        if self._held is not None:
            self._encode_held(self._held)
        if chunk:
            self._chunks.insert(0, chunk)

    @property
    def ready(self) -> bool:
        """Whether there is something to take."""
        return bool(self._chunks) or self._held is not None

    async def wait_room(self) -> None:
        """Waits until what was put has been taken, or `release` is called."""
        if not self.ready:
            # Items without bytes have nobody to wait for; yet the loop must turn.
            self._most = self._max_items
            await self._runtime.turn()
            return
        if self._empties():
            return
        self._full = True
        if isinstance(self._held, str):
            self._held = [self._held]  # who takes it must see to us, too
        # A turn is all that a writer needs which is not held up: it was woken by the first chunk.
        await self._runtime.turn()
        while self._full:
            await self._room.wait()
        self._turned = self._runtime.now()

    def _empties(self) -> bool:
        """Empties it without a turn of the loop, where that can be done and others have not waited for long."""
        self._fillings += 1
        if self._fillings == _FILLINGS or self._runtime.now() - self._turned > _WITHOUT_TURN:
            self._fillings = 0
            return False
        self.flush()
        if self.ready:
            return False
        self._most = self._max_items
        return True

    def release(self) -> None:
        """Ends the handler's wait for room, though there may be none."""
        if self._full:
            self._full = False
            self._room()

    def close(self) -> None:
        """Tells that nothing will come any more."""
        self.closed = True
        if self.relay is not None:
            # The last of it leaves with the end, and not before.
            self.relay.interrupt()
        else:
            self._wake_writer()

    @types.coroutine
    def parts(self, send: Send) -> Generator[Any, None, None]:
        """Sends what is ready each time it is resumed, and waits as ``send`` does.

        Yields:
            ``ENDED`` where it was taken, ``IDLE`` where there was nothing.
        """
        write: Callable[[str], bytes] | None = None
        while True:
            held = self._held
            if type(held) is str:
                # The usual case: what `take` does, without its call. Items without bytes stay counted for a while.
                self._held = None
                if write is None:
                    write = self._write_short
                chunk = write(held)
            else:
                chunk = self.take()
            if chunk:
                call: Any = send({"type": "http.response.body", "body": chunk, "more_body": True})
                yield from call if type(call) is _Coroutine else call.__await__()  # type: ignore[misc]  # it may here
                # What is kept until the next event is in no cache by then, and neither is what that one gets instead.
                del held, chunk, call
                yield ENDED
            else:
                yield IDLE

    def take(self) -> bytes:
        """Returns all that is ready, as one chunk; empty where nothing is."""
        held = self._held
        if held is not None:
            # Nothing but items without bytes has been counted.
            self._held = None
            write: Callable[[Any], bytes] = self._write_short if type(held) is str else self._write_texts
            taken = write(held)
        elif self._chunks:
            taken = self._join()
        else:
            return b""
        self._most = self._max_items
        if self._full:
            self.release()
        return taken

    def _join(self) -> bytes:
        chunks = self._chunks
        joined = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        chunks.clear()
        self._left = self._max_bytes
        return joined
