"""Chronos: the steps of a graph's run, and the broker that publishes them."""

from collections.abc import Iterable

from sseware.dialects import Dialect, hookimpl

from ._broker import Broker, BrokerStatistics, Event, Policy, Subscription
from ._decoder import Frame
from ._dialect import Chronos
from ._frames import StreamEvent
from ._model import ChatResponse, ModelToolCall, ModelUsage, chat_items
from ._serve import sse_handler

__all__ = [
    "Broker",
    "BrokerStatistics",
    "ChatResponse",
    "Chronos",
    "Event",
    "Frame",
    "ModelToolCall",
    "ModelUsage",
    "Policy",
    "StreamEvent",
    "Subscription",
    "chat_items",
    "sse_handler",
    "sseware_dialects",
]


@hookimpl
def sseware_dialects() -> Iterable[Dialect]:
    """Provides Chronos in its default configuration."""
    return [Chronos()]
