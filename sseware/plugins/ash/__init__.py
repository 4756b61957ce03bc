"""Ash: the turns of an agent's session, and what its clients use to read them."""

from collections.abc import Iterable

from sseware.dialects import Dialect, hookimpl

from ._client import AshEvent, ash_events, async_ash_events
from ._dialect import Ash
from ._helpers import extract_display_items, extract_stream_delta, extract_text_from_event

__all__ = [
    "Ash",
    "AshEvent",
    "ash_events",
    "async_ash_events",
    "extract_display_items",
    "extract_stream_delta",
    "extract_text_from_event",
    "sseware_dialects",
]


@hookimpl
def sseware_dialects() -> Iterable[Dialect]:
    """Provides Ash in its default configuration."""
    return [Ash()]
