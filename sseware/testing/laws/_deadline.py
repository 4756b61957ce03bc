"""A law's time: what loops for ever is broken off where it stands."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

__all__ = ["TimeIsUp", "deadline"]

_AGAIN: Final = 1.0
"""Seconds after which a target that has swallowed the end of its time is told again."""


class TimeIsUp(BaseException):
    """A law took too long; no ``Exception``, so that hardly anybody takes it for his own.

    Attributes:
        example: What the law was held against; ``None`` where it was between two examples.
    """

    example: Any = None


@contextmanager
def deadline(seconds: float | None) -> Iterator[None]:
    """Raises in the body of the statement when its time is up, whatever it does there.

    Only a signal gets into a loop that calls nobody. So there is no deadline outside of the main thread, nor on a
    system without interval timers (Windows); and none where there is no time to keep.

    Args:
        seconds: How long the body may take.

    Raises:
        TimeIsUp: It took longer; the message says where it was.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if seconds is None or not is_main or not hasattr(signal, "setitimer"):
        yield
        return
    is_over = False

    def ring(number: int, frame: FrameType | None) -> None:
        if not is_over:
            raise TimeIsUp(f"it took longer than {seconds:g} s, and was broken off {_place(frame)}")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)
    try:
        yield
    finally:
        is_over = True
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _place(frame: FrameType | None) -> str:
    if frame is None:
        return "somewhere"
    code = frame.f_code
    return f"in {code.co_qualname} ({code.co_filename}:{frame.f_lineno})"
