"""Chronos' frames: JSON as Go writes it, a struct's fields in their order, a map's keys sorted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from sseware.dialects import GO
from sseware.errors import InvalidItem

__all__ = ["END_TYPES", "StreamEvent", "check_event_type", "frame", "stream_event", "timestamp"]

END_TYPES: Final = frozenset(("completed", "error", "interrupt"))
"""The types after which a stream ends."""

_SECOND: Final = 1_000_000_000


class StreamEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a graph's runner emits.

    Attributes:
        type: ``"node_start"``, ``"node_end"``, ``"edge_transition"``, ``"interrupt"``, ``"error"``, ``"completed"``.
        timestamp: RFC 3339, UTC, up to nine fractional digits.
        node_id: The node; the next one for an ``edge_transition``, none for ``completed``.
        state: The state of the run.
        error: What went wrong.
    """

    type: str
    timestamp: str
    node_id: str = ""
    state: dict[str, Any] = {}
    error: str = ""


def frame(kind: str, payload: str) -> str:
    """Returns a frame: ``{"type":...,"data":...}`` around a payload that is JSON already."""
    return f'{{"type":{GO.dumps(kind)},"data":{payload}}}'


def stream_event(event: StreamEvent) -> str:
    """Spells a stream event: what is empty is left out, the timestamp never."""
    parts = [f'"type":{GO.dumps(event.type)}']
    if event.node_id:
        parts.append(f'"node_id":{GO.dumps(event.node_id)}')
    if event.state:
        parts.append(f'"state":{GO.dumps(event.state)}')
    if event.error:
        parts.append(f'"error":{GO.dumps(event.error)}')
    parts.append(f'"timestamp":"{event.timestamp}"')
    return f"{{{','.join(parts)}}}"


def timestamp(nanoseconds: int) -> str:
    """Spells a time as Go's RFC3339Nano does: trailing zeros of the fraction are left out.

    >>> timestamp(1_500_000_000_120_000_000), timestamp(0)
    ('2017-07-14T02:40:00.12Z', '1970-01-01T00:00:00Z')

    Args:
        nanoseconds: Since the epoch.
    """
    seconds, rest = divmod(nanoseconds, _SECOND)
    whole = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f"{rest:09d}".rstrip("0")
    return f"{whole}.{fraction}Z" if fraction else f"{whole}Z"


def check_event_type(kind: str) -> str:
    """Returns what can be the type of a frame.

    Raises:
        InvalidItem: It is empty, or has a line end in it: Go's broker lets it split the frame.
    """
    if not kind or "\n" in kind or "\r" in kind:
        raise InvalidItem(f"the type of a Chronos event must be one non-empty line, got {kind!r}")
    return kind
