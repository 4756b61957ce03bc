"""MachPay's events to items."""

from __future__ import annotations

from collections.abc import Iterable

from sseware import ServerSentEvent
from sseware.dialects import AnItem, read_payload
from sseware.errors import InvalidDialectEvent, TruncatedStream
from sseware.items import Failure, Finish, Text, Usage
from sseware.items import Start as StartItem

from ._payloads import Chunk, End, Error, Start

__all__ = ["MachPayDecoder", "unnamed_chunk"]


class MachPayDecoder:
    """Decodes one stream.

    Args:
        chunk_event: The event type of chunks, beside ``"chunk"`` and unnamed ones; ``None`` where they are unnamed.
    """

    def __init__(self, chunk_event: str | None = "chunk") -> None:
        self._chunk_events = {"chunk", chunk_event or "message"}
        self._ended = False

    def decode(self, event: ServerSentEvent) -> Iterable[AnItem]:
        """Returns the items of one event."""
        name = event.event
        if name in self._chunk_events:
            return (Text(read_payload(event, Chunk, dialect="machpay").text),)
        if name == "message":
            chunk = unnamed_chunk(event)
            return (event if chunk is None else Text(chunk.text),)
        if name == "start":
            start = read_payload(event, Start, dialect="machpay")
            return (StartItem(start.execution_id, start.skill_id),)
        if name == "end":
            end = read_payload(event, End, dialect="machpay")
            self._ended = True
            bill = {"costUsd": end.cost_usd, "durationMs": end.duration_ms}
            return Usage(output_tokens=end.tokens_used), Finish(result=bill)
        if name == "error":
            error = read_payload(event, Error, dialect="machpay")
            self._ended = True
            return (Failure(error.message, error.code),)
        return (event,)

    def close(self) -> None:
        """Is called where the stream has ended.

        Raises:
            TruncatedStream: Neither ``end`` nor ``error`` has come.
        """
        if not self._ended:
            raise TruncatedStream("machpay", "end or error")


def unnamed_chunk(event: ServerSentEvent) -> Chunk | None:
    """Returns the chunk that an unnamed event is, or ``None``: it is one of the handler's own."""
    try:
        return read_payload(event, Chunk, dialect="machpay")
    except InvalidDialectEvent:
        return None
