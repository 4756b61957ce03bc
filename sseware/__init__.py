"""Server-sent events for any ASGI app: write one async generator, every client gets its wire format.

The map of the package, from the top down; an import points down only.

- `sseware.cli`: ``python -m sseware``
- `sseware.plugins`: the dialects that come with it
- `sseware.kernels`: a process as a handler's source
- `sseware.integrations`: frameworks, one module each
- `sseware.asgi`: `SSEMiddleware`, `EventStream`, `streaming`: the life of a stream on a server
- `sseware.dialects`: event schemas, found through pluggy; `decode`, `translate`
- `sseware.negotiation`: which representation and which dialect a client gets, and why
- `sseware.wire`: bytes to events and events to bytes, by the letter of the WHATWG standard
- `sseware.items`, `sseware.events`, `sseware.errors`: values

Names are looked up when they are used: importing the package loads none of this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import items
    from .asgi import EventStream, SSEMiddleware, streaming
    from .dialects import Dialect, decode, get_dialect, translate
    from .errors import StreamError
    from .events import ServerSentEvent
    from .wire import EventStreamParser, encode
else:
    from ._lazy import looked_up_late

    __getattr__, __dir__ = looked_up_late(
        __name__,
        {
            "Dialect": "dialects",
            "EventStream": "asgi",
            "EventStreamParser": "wire",
            "SSEMiddleware": "asgi",
            "ServerSentEvent": "events",
            "StreamError": "errors",
            "decode": "dialects",
            "encode": "wire",
            "get_dialect": "dialects",
            "items": "items",
            "streaming": "asgi",
            "translate": "dialects",
            # `import sseware` is enough to say `sseware.wire.encode_comment`.
            **{name: name for name in ("asgi", "dialects", "errors", "events", "negotiation", "wire")},
        },
    )

__all__ = [
    "Dialect",
    "EventStream",
    "EventStreamParser",
    "SSEMiddleware",
    "ServerSentEvent",
    "StreamError",
    "decode",
    "encode",
    "get_dialect",
    "items",
    "streaming",
    "translate",
]
