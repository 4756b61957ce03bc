"""The dialect of Chronos: a graph's run, frame by frame."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from sseware.dialects import AnItem, EventShape, StreamContext, closed, events_schema
from sseware.items import Finish, Item, Start, Step, Text, Usage

from ._decoder import ChronosDecoder, Frame
from ._encoder import ChronosEncoder, ChronosFold
from ._frames import END_TYPES

__all__ = ["Chronos"]


class Chronos(msgspec.Struct, frozen=True, repr_omit_defaults=True):
    """The dialect of Chronos.

    Its documented client reads ``onmessage`` and ``data.type``; its Go code names every frame and is never heard
    there. So events are unnamed, unless ``named`` asks for what Go writes.

    >>> Chronos(named=True).name
    'chronos'

    Attributes:
        named: Whether the event type is written, too.
        now: Tells the time, in nanoseconds since the epoch.
        strict: Whether an item that Chronos has no place for is an error.
        default: What a client gets that does not say what it wants.
    """

    named: bool = False
    now: Callable[[], int] = time.time_ns
    strict: bool = False
    default: Literal["stream", "buffered"] = "stream"

    @property
    def name(self) -> str:
        """By which it is chosen."""
        return "chronos"

    @property
    def omits(self) -> frozenset[type[Item]]:
        """The items that it leaves out."""
        return frozenset((Start, Usage))

    @property
    def owned(self) -> frozenset[str]:
        """The event types that a handler's own events may not have."""
        return END_TYPES | {"message"}

    @property
    def example(self) -> tuple[AnItem, ...]:
        """Items whose bytes the command line shows."""
        state = {"source": "csv"}
        return (
            Step("node_start", "extract", state),
            Text("Once"),
            Step("node_end", "extract", state),
            Finish(),
        )

    def open(self, context: StreamContext) -> ChronosEncoder:
        """Returns the encoder of one response."""
        return ChronosEncoder(self)

    def fold(self, context: StreamContext) -> ChronosFold:
        """Returns the fold of one buffered response."""
        return ChronosFold(self)

    def decoder(self) -> ChronosDecoder:
        """Returns the decoder of one stream; it takes named events and unnamed ones."""
        return ChronosDecoder()

    def buffered_schemas(self) -> dict[str, dict[str, Any]]:
        """Returns the JSON Schema of its buffered answer, by media type."""
        return {"application/json": closed({"events": {"type": "array", "items": {"type": "object"}}})}

    def schema(self) -> dict[str, Any]:
        """Returns the JSON Schema of its events; named ones bear the type of their frame."""
        event = None if self.named else "message"
        return events_schema(
            self.name, [EventShape(event, json=Frame, description="A step of a run, or a broker's own.")]
        )
