"""The dialect of Ash: the turns of an agent's session."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from sseware.dialects import AnItem, EventShape, StreamContext, closed, events_schema
from sseware.items import Finish, Item, Log, Start, Step, Text

from ._decoder import GRANULAR, AshDecoder, DoneBody, ErrorBody
from ._encoder import AshEncoder, AshFold

__all__ = ["Ash"]


def _new_id() -> str:
    return str(uuid.uuid4())


class Ash(msgspec.Struct, frozen=True, repr_omit_defaults=True):
    """The dialect of Ash.

    >>> Ash(include_partial_messages=True).name
    'ash'

    Attributes:
        include_partial_messages: Whether pieces of text are sent as they come, as ``stream_event`` messages.
        granular: Whether the later kinds of events come before the messages that they are taken from.
        session_id: The session; a `Start` item's id takes its place, and without either one is made.
        version: The version that ``session_start`` tells, if any.
        new_id: Makes the identity of a session.
        strict: Whether an item that Ash has no place for is an error.
        default: What a client gets that does not say what it wants.
    """

    include_partial_messages: bool = False
    granular: bool = False
    session_id: str | None = None
    version: str | None = None
    new_id: Callable[[], str] = _new_id
    strict: bool = False
    default: Literal["stream", "buffered"] = "stream"

    @property
    def name(self) -> str:
        """By which it is chosen."""
        return "ash"

    @property
    def omits(self) -> frozenset[type[Item]]:
        """The items that it leaves out."""
        return frozenset((Log, Step))

    @property
    def owned(self) -> frozenset[str]:
        """The event types that a handler's own events may not have."""
        return GRANULAR | {"message", "error", "done", "session_start"}

    @property
    def example(self) -> tuple[AnItem, ...]:
        """Items whose bytes the command line shows."""
        return Start("a1b2c3d4"), Text("Hello! "), Text("How can I help you?"), Finish()

    def open(self, context: StreamContext) -> AshEncoder:
        """Returns the encoder of one response."""
        return AshEncoder(self)

    def fold(self, context: StreamContext) -> AshFold:
        """Returns the fold of one buffered response."""
        return AshFold(msgspec.structs.replace(self, include_partial_messages=False, granular=False))

    def decoder(self) -> AshDecoder:
        """Returns the decoder of one stream."""
        return AshDecoder()

    def buffered_schemas(self) -> dict[str, dict[str, Any]]:
        """Returns the JSON Schema of its buffered answer, by media type."""
        messages = {"type": "array", "items": {"type": "object"}}
        return {"application/json": closed({"messages": messages, "sessionId": {"type": "string"}})}

    def schema(self) -> dict[str, Any]:
        """Returns the JSON Schema of its events."""
        shapes = [
            EventShape("message", json=Any, description="An SDK message, of any shape."),
            EventShape("error", json=ErrorBody, description="The turn has failed."),
            EventShape("done", json=DoneBody, description="The turn is over."),
        ]
        if self.granular:
            shapes.append(EventShape("session_start", json=DoneBody, description="The session has begun."))
            shapes += [EventShape(kind, json=dict[str, Any]) for kind in sorted(GRANULAR)]
        return events_schema(self.name, shapes)
