"""Hypothesis strategies for event streams.

- `events`, `event_lists`, `event_types`, `event_ids`, `retry_values`, `hostile_text`: what an encoder is given
- `wire_streams`, `chunkings`: what a parser is given, and how it is cut

Needs hypothesis, and is therefore imported by its own name: ``from sseware.testing import strategies``.
"""

from ._events import event_ids, event_lists, event_types, events, retry_values
from ._text import hostile_text
from ._wire import chunkings, wire_streams

__all__ = [
    "chunkings",
    "event_ids",
    "event_lists",
    "event_types",
    "events",
    "hostile_text",
    "retry_values",
    "wire_streams",
]
