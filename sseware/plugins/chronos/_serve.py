"""A broker as an ASGI application."""

from __future__ import annotations

from typing import Unpack

from sseware import SSEMiddleware
from sseware.asgi import Options

from ._broker import Broker
from ._dialect import Chronos

__all__ = ["sse_handler"]


def sse_handler(broker: Broker, **options: Unpack[Options]) -> SSEMiddleware:
    """Returns an application that streams what a broker publishes, to each client that connects.

    >>> app = sse_handler(Broker(), keepalive=30.0)

    Args:
        broker: The broker.
        options: As `sseware.asgi.Settings` describes them. The head goes out at once, for a subscriber may wait
            long for its first event.
    """
    given: Options = {"dialect": Chronos(), "head_timeout": None}
    given.update(options)
    return SSEMiddleware(broker.events, **given)
