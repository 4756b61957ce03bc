"""Server-sent events for any ASGI app: write one async generator, every client gets its wire format.

The map of the package, from the top down; an import points down only.

- `sseware.cli`: ``python -m sseware``
- `sseware.plugins`: the dialects that come with it
- `sseware.kernels`: a process as a handler's source
- `sseware.asgi`: `SSEMiddleware`, `EventStream`: the life of a stream on a server
- `sseware.dialects`: event schemas, found through pluggy; `decode`, `translate`
- `sseware.negotiation`: which representation and which dialect a client gets, and why
- `sseware.wire`: bytes to events and events to bytes, by the letter of the WHATWG standard
- `sseware.items`, `sseware.events`, `sseware.errors`: values
"""

from . import items
from .asgi import EventStream, SSEMiddleware
from .dialects import Dialect, decode, get_dialect, translate
from .errors import StreamError
from .events import ServerSentEvent
from .wire import EventStreamParser, encode

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
    "translate",
]
