"""Whether the event loop turns: an application that never lets it turn stops a whole server."""

from __future__ import annotations

import time
from typing import Final

from ..asgi._runtime import Runtime

__all__ = ["TurnCounter"]

_LOOK_EVERY: Final = 256
"""Asking the event loop costs something, so that it is asked after so many times."""


class TurnCounter:
    """Counts what is done since the event loop has turned.

    Args:
        runtime: The event loop.

    Attributes:
        count: How often something was done.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._call_later = runtime.call_later
        self.count = 0
        self._asked = False
        self._since = 0.0

    def step(self) -> None:
        """Counts one more."""
        self.count += 1
        if self.count % _LOOK_EVERY == 0 and not self._asked:
            self._asked = True
            self._since = time.monotonic()
            self._call_later(0, self._turned)

    @property
    def seconds(self) -> float:
        """For how long the event loop has not turned, about, in real seconds."""
        return time.monotonic() - self._since if self._asked else 0.0

    def _turned(self) -> None:
        self.count, self._asked = 0, False
