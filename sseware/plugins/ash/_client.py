"""The client's side, as Ash's documents show it: events with ``.type`` and ``.data``."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from contextlib import aclosing, closing
from typing import Any

import msgspec

from sseware import ServerSentEvent
from sseware.dialects import read_payload
from sseware.wire import aiter_events, iter_events

__all__ = ["AshEvent", "ash_events", "async_ash_events"]


class AshEvent(msgspec.Struct, frozen=True):
    """One event of a turn.

    Attributes:
        type: ``"message"``, ``"error"``, ``"done"``, or one of the later kinds.
        data: Its payload: an SDK message, ``{"error": ...}``, ``{"sessionId": ...}``.
    """

    type: str
    data: Any


def ash_events(chunks: Iterable[bytes]) -> Iterator[AshEvent]:
    r"""Iterates over the events of a turn.

    >>> wire = b'event: done\ndata: {"sessionId":"s1"}\n\n'
    >>> [(event.type, event.data["sessionId"]) for event in ash_events([wire])]
    [('done', 's1')]

    Args:
        chunks: The bytes of the body, cut anywhere; closed when the iteration ends.

    Raises:
        InvalidDialectEvent: A payload is not JSON.
    """
    with closing(iter_events(chunks)) as events:
        for event in events:
            yield _ash_event(event)


async def async_ash_events(chunks: AsyncIterable[bytes]) -> AsyncIterator[AshEvent]:
    """Iterates over the events of a turn as `ash_events` does, awaiting its chunks."""
    async with aclosing(aiter_events(chunks)) as events:
        async for event in events:
            yield _ash_event(event)


def _ash_event(event: ServerSentEvent) -> AshEvent:
    return AshEvent(event.event, read_payload(event, Any, dialect="ash"))
