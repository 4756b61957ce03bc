"""hypercorn, which tells an application nothing, and cancels what is open three seconds after it was told to stop.

``hypercorn --workers 0`` is stopped by a signal, which a `Drain` hears; there ``graceful_timeout`` has to be longer
than the grace period. Where hypercorn is served from a program, its shutdown trigger is the better place.
"""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable

import anyio

from ..asgi import Drain

__all__ = ["draining"]

_MORE = 1.0
"""Seconds after the end of the grace period for which streams are waited for that have been broken off."""


def draining(
    *drains: Drain | None, trigger: Callable[[], Awaitable[object]] | None = None
) -> Callable[[], Awaitable[None]]:
    """Returns a shutdown trigger: it lets the streams leave, and then hypercorn stop.

    >>> from sseware import SSEMiddleware
    >>> async def hello():
    ...     yield "Hello"
    >>> app = SSEMiddleware(hello)
    >>> async def main() -> None:
    ...     from hypercorn.asyncio import serve
    ...     from hypercorn.config import Config
    ...
    ...     await serve(app, Config(), shutdown_trigger=draining(app.drain))

    Args:
        drains: Those of the application; ``None`` among them is left out.
        trigger: Returns when hypercorn is to stop; by default when SIGTERM or SIGINT comes.
    """
    given = [drain for drain in drains if drain is not None]

    async def shutdown_trigger() -> None:
        await (_a_signal if trigger is None else trigger)()
        for drain in given:
            drain.begin()
        # While it waits, hypercorn goes on: newcomers get 503, and nobody is cancelled.
        with anyio.move_on_after(max((drain.grace for drain in given), default=0.0) + _MORE):
            for drain in given:
                await drain.wait_ended()

    return shutdown_trigger


async def _a_signal() -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        await anext(signals)
