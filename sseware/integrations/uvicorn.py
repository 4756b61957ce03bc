"""uvicorn where no signal comes: ``limit_max_requests``, ``should_exit``, a server in a thread.

Where uvicorn is stopped by a signal nothing of this is needed: a `Drain` hears it.
"""

from __future__ import annotations

import math
import socket

import uvicorn

from ..asgi import Drain

__all__ = ["DrainingServer"]


class DrainingServer(uvicorn.Server):
    """A server of uvicorn's that lets streams leave when it shuts down, whatever it shuts down for.

    Where ``timeout_graceful_shutdown`` is not set, it is set to the longest grace period and a second: without one,
    uvicorn waits for ever for a client that has stopped reading.

    >>> from sseware import SSEMiddleware
    >>> async def hello():
    ...     yield "Hello"
    >>> app = SSEMiddleware(hello)
    >>> server = DrainingServer(uvicorn.Config(app, limit_max_requests=10_000), app.drain)
    >>> server.config.timeout_graceful_shutdown
    6

    Args:
        config: uvicorn's.
        drains: Those of the application; ``None`` among them is left out.
    """

    def __init__(self, config: uvicorn.Config, *drains: Drain | None) -> None:
        super().__init__(config)
        self._drains = [drain for drain in drains if drain is not None]
        if config.timeout_graceful_shutdown is None and self._drains:
            config.timeout_graceful_shutdown = math.ceil(max(drain.grace for drain in self._drains)) + 1

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Lets the streams leave, and shuts down as ever."""
        for drain in self._drains:
            drain.begin()
        await super().shutdown(sockets)
