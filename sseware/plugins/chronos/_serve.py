"""A broker as an ASGI application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import sseware

from ._broker import Broker
from ._dialect import Chronos

if TYPE_CHECKING:
    from sseware.asgi import Options

__all__ = ["sse_handler"]


def sse_handler(broker: Broker, **options: Unpack[Options]) -> sseware.SSEMiddleware:
    """Returns an application that streams what a broker publishes, to each client that connects.

    >>> app = sse_handler(Broker(), keepalive=30.0)

    Args:
        broker: The broker.
        options: As `sseware.asgi.Settings` describes them. The head goes out at once, for a subscriber may wait
            long for its first event.
    """
    given: Options = {"dialect": Chronos(), "head_timeout": None}
    given.update(options)
    # The server's side is imported here, because whoever only reads a dialect loads this plugin, too.
    return sseware.SSEMiddleware(broker.events, **given)
