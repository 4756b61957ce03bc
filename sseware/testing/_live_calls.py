"""The calls of an application that a real server has made, and which of them have not ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from ._frames import Place, waiting_places

__all__ = ["Calls", "LeakedCall", "wait_for"]

_PAUSE: Final = 0.002
"""Seconds between two looks: they come from another thread than the application's."""

LeakedCall = tuple[str, list[str]]
"""What was asked for, and the places where its application waits, the outermost first."""


class Calls:
    """An application around an application, which knows what is being answered.

    Args:
        app: The application.

    Attributes:
        startup_error: What its lifespan raised. One without a lifespan raises, too, and a server may let that pass.
        startup_failed: What its lifespan said when it failed.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self._running: dict[int, tuple[str, Any]] = {}
        self.startup_error: Exception | None = None
        self.startup_failed: str | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
            return
        awaitable = self._app(scope, receive, send)
        name = " ".join(filter(None, [scope.get("method", scope["type"]), scope.get("path")]))
        key = id(awaitable)
        self._running[key] = (name, awaitable)
        try:
            await awaitable
        finally:
            del self._running[key]

    async def _lifespan(self, scope: Any, receive: Any, send: Any) -> None:
        async def listened(message: Any) -> None:
            if message["type"] == "lifespan.startup.failed":
                self.startup_failed = message.get("message") or "no reason given"
            await send(message)

        try:
            await self._app(scope, receive, listened)
        except Exception as exc:
            self.startup_error = exc
            raise

    def __len__(self) -> int:
        return len(self._running)

    def running(self) -> list[LeakedCall]:
        """Returns what has not ended, and where it waits."""
        return [(name, _places(awaitable)) for name, awaitable in list(self._running.values())]

    def wait_none(self, seconds: float) -> bool:
        """Waits until nothing runs, in another thread than the application's; returns whether that came.

        Args:
            seconds: How long it waits.
        """
        return wait_for(lambda: not self._running, seconds)


def wait_for(condition: Callable[[], object], seconds: float) -> bool:
    """Waits for what another thread brings about; returns whether it came.

    Args:
        condition: What is waited for.
        seconds: How long.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(_PAUSE)
    return True


def _places(awaitable: object) -> list[str]:
    places = waiting_places(awaitable)
    # Its own code says where to look; what it called says what it waits for.
    own: list[Place] = [place for place in places if place.own]
    return [str(place) for place in own or places]
