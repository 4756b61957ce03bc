"""Hearing the signal that stops a server, before the server does."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

__all__ = ["SignalChain"]

_NAMES: Final = ("SIGTERM", "SIGINT", "SIGBREAK")  # the last one is Windows' own


class SignalChain:
    """Stands before the handlers of the signals that stop a process; they are called after it.

    1. A signal that is ignored stays so: whoever ignores it is not about to stop.
    2. Where there is no handler the process would die at once. It dies when the streams have had their time: a worker
       of hypercorn's has none, while its parent tells it to stop in another way.
    3. The first signal is enough. The handler that was there is put back with it, so that a second one means what it
       means to the server (uvicorn: to stop now).

    Args:
        told: Is called once, in a signal handler.
        grace: After how many seconds a process dies that has no handler.
    """

    def __init__(self, told: Callable[[], object], grace: float) -> None:
        self._told = told
        self._grace = grace
        self._before: dict[int, Any] = {}
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (getattr(signal, name) for name in _NAMES if hasattr(signal, name)):
            before = signal.getsignal(number)
            if before not in (signal.SIG_IGN, None):
                self._before[number] = before
                signal.signal(number, self._handle)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        before = self._before.get(number)
        self.put_back()
        told, self._told = self._told, _nothing
        told()
        if before == signal.SIG_DFL:
            later = threading.Timer(self._grace, signal.raise_signal, (number,))
            later.daemon = True
            later.start()
        elif callable(before):
            before(number, frame)

    def put_back(self) -> None:
        """Puts the handlers back that were there, where nobody has put another one over ours since."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number, before in self._before.items():
            if signal.getsignal(number) == self._handle:
                signal.signal(number, before)


def _nothing() -> None:
    """Nobody is told twice."""
