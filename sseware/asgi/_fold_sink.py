"""Where a handler's values become one buffered answer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final

from ..dialects import AnItem, BufferedAnswer, DialectFold
from ..errors import BufferedLimitExceeded
from ..items import Failure, Finish
from ._plan import Plan
from ._reader import ItemReader
from ._runtime import Runtime, WakeUp

__all__ = ["FoldSink"]

_log = logging.getLogger("sseware")

_TURN: Final = 64
"""After how many items a handler that never awaits lets the event loop turn, where no reader makes it."""


class FoldSink:
    """Folds items into one answer.

    Attributes:
        ended: Whether an item has ended the answer.
        closed: Whether the handler has ended.
        answer: The answer, once there is one.
        error: The exception of a handler that raised; nothing partial is answered.
    """

    put_text = None

    def __init__(self, plan: Plan, runtime: Runtime, wake_writer: WakeUp) -> None:
        self._plan = plan
        self._limit = plan.settings.buffer[0]
        self._runtime = runtime
        self._wake_writer = wake_writer
        self._reader = ItemReader()
        self._fold: DialectFold | None = None
        self._items = 0
        self.ended = False
        self.closed = False
        self.answer: BufferedAnswer | None = None
        self.error: Exception | None = None

    async def wait_room(self) -> None:
        await self._runtime.turn()

    def carry(self, main: Callable[[], Coroutine[Any, Any, None]]) -> Coroutine[Any, Any, None]:
        """Does nothing more than to run it: the answer is taken whole."""
        return main()

    def release(self) -> None:
        """Does nothing: there is always room."""

    def put(self, value: object) -> bool:
        self._items += 1
        extra = self._plan.extra.get(type(value))
        if extra is not None:
            for item in extra(value):
                self._add(item)
        elif (item_ := self._reader.read(value)) is not None:
            self._put(item_)
        return not self.ended and self._items % _TURN != 0

    def _put(self, item: AnItem) -> None:
        if isinstance(item, Failure):
            self.answer = self._opened().fail(item)
            self.ended = True
        elif isinstance(item, Finish):
            self._add_rest()
            self._add(item)
            self.ended = True
        else:
            self._add(item)

    def _add_rest(self) -> None:
        rest = self._reader.rest()
        if rest is not None:
            self._add(rest)

    def _add(self, item: AnItem) -> None:
        fold = self._opened()
        fold.add(item)
        if getattr(fold, "ended", False):
            self.ended = True
        if fold.size > self._limit:
            raise BufferedLimitExceeded("bytes", self._limit)

    def _opened(self) -> DialectFold:
        # A stranger's dialect may raise even here: let it raise where the handler's errors are told.
        if self._fold is None:
            self._fold = self._plan.fold()
        return self._fold

    def finish(self) -> None:
        if self.answer is None:
            self._add_rest()
            self.answer = self._opened().finish()

    def fail(self, exc: Exception) -> None:
        if self.answer is None:
            self.ended = True
            self.error = exc
        else:
            _log.error("the handler failed after its end", exc_info=exc)

    def close(self) -> None:
        self.closed = True
        self._wake_writer()
