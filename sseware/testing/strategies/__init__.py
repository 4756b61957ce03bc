"""Hypothesis strategies for event streams.

- `events`, `event_lists`, `event_types`, `event_ids`, `retry_values`, `hostile_text`: what an encoder is given
- `wire_streams`, `chunkings`: what a parser is given, and how it is cut
- `items`, `dialect_streams`: what a handler yields, and what a dialect writes
- `accept_headers`, `disconnect_points`, `personalities`: what an application is asked, when its client leaves, how
  its server tells it

Where hypothesis is asked for an event, an item or a personality (``st.from_type``, ``st.builds``), it takes these.
Needs hypothesis, and is therefore imported by its own name: ``from sseware.testing import strategies``.
"""

from ._connections import DisconnectPoint, accept_headers, disconnect_points, personalities
from ._events import event_ids, event_lists, event_types, events, retry_values
from ._items import dialect_streams, items
from ._text import hostile_text
from ._wire import chunkings, wire_streams

__all__ = [
    "DisconnectPoint",
    "accept_headers",
    "chunkings",
    "dialect_streams",
    "disconnect_points",
    "event_ids",
    "event_lists",
    "event_types",
    "events",
    "hostile_text",
    "items",
    "personalities",
    "retry_values",
    "wire_streams",
]
