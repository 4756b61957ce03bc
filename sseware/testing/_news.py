"""Waking everybody who waits for something to have happened."""

from __future__ import annotations

import anyio

__all__ = ["News"]


class News:
    """Wakes all who wait; costs nothing where nobody does."""

    def __init__(self) -> None:
        self._event: anyio.Event | None = None

    def tell(self) -> None:
        """Wakes everybody who waits."""
        if self._event is not None:
            self._event.set()
            self._event = None

    async def wait(self) -> None:
        """Waits for the next call of `tell`."""
        if self._event is None:
            self._event = anyio.Event()
        await self._event.wait()
