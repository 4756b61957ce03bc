"""The dialect of MachPay: paid skills that stream."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from sseware.dialects import AnItem, EventShape, StreamContext, closed, events_schema
from sseware.errors import ConfigurationError
from sseware.items import Finish, Item, Log, Step, Text, Thinking, ToolCall, ToolResult
from sseware.items import Start as StartItem

from ._billing import Pricing
from ._decoder import MachPayDecoder
from ._encoder import MachPayEncoder
from ._fold import MachPayFold
from ._payloads import Chunk, End, Error, Start
from ._timestamps import utc_now

__all__ = ["MachPay"]

_NO_TYPE: Final = re.compile(r"[\r\n]")


def _new_id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_hex(12)}"


class MachPay(msgspec.Struct, frozen=True, repr_omit_defaults=True):
    """The dialect of MachPay.

    >>> MachPay(skill_id="story", pricing=Pricing(base_usd=0.01)).name
    'machpay'

    Attributes:
        skill_id: The skill; a `Start` item's name takes its place.
        version: The version of the skill, for buffered answers.
        pricing: What a run costs.
        price_usd: Short for a pricing of its base alone.
        chunk_event: The event type of chunks. ``None`` leaves them unnamed, for clients that listen to
            ``EventSource.onmessage``.
        count_tokens: Counts the tokens of a text where the handler reports none; ``None`` counts words.
        new_id: Makes an identity from its prefix, ``"exec"`` or ``"req"``.
        now: Tells the time, in UTC.
        strict: Whether an item that MachPay has no place for is an error.
        default: What a client gets that does not say what it wants.

    Raises:
        ConfigurationError: An option is not what it must be.
    """

    skill_id: str | None = None
    version: str = "1.0.0"
    pricing: Pricing = Pricing()
    price_usd: float | None = None
    chunk_event: str | None = "chunk"
    count_tokens: Callable[[str], int] | None = None
    new_id: Callable[[str], str] = _new_id
    now: Callable[[], datetime] = utc_now
    strict: bool = False
    default: Literal["stream", "buffered"] = "buffered"

    def __post_init__(self) -> None:
        if not isinstance(self.pricing, Pricing):
            raise ConfigurationError(f"pricing must be a Pricing, got {self.pricing!r}")
        if self.price_usd is not None and self.pricing != Pricing():
            raise ConfigurationError("give price_usd or pricing, not both: price_usd is its base_usd")
        event = self.chunk_event
        if event is not None and (not str(event) or _NO_TYPE.search(str(event))):
            raise ConfigurationError(f"chunk_event must be an event type or None, got {event!r}")
        if event in ("start", "end", "error"):
            raise ConfigurationError(f"chunk_event must not be {event!r}, which means something else")

    @property
    def name(self) -> str:
        """By which it is chosen."""
        return "machpay"

    @property
    def prices(self) -> Pricing:
        """The pricing that holds, whichever way it was given."""
        return self.pricing if self.price_usd is None else Pricing(base_usd=self.price_usd)

    @property
    def omits(self) -> frozenset[type[Item]]:
        """The items that it leaves out."""
        return frozenset((Log, Thinking, ToolCall, ToolResult, Step))

    @property
    def owned(self) -> frozenset[str]:
        """The event types that a handler's own events may not have."""
        return frozenset(("start", "end", "error", "chunk", self.chunk_event or "message"))

    @property
    def example(self) -> tuple[AnItem, ...]:
        """Items whose bytes the command line shows."""
        return StartItem("exec_1", name="story"), Text("Once "), Text("upon"), Finish()

    def open(self, context: StreamContext) -> MachPayEncoder:
        """Returns the encoder of one response."""
        return MachPayEncoder(self, context)

    def fold(self, context: StreamContext) -> MachPayFold:
        """Returns the fold of one buffered response."""
        return MachPayFold(self, context)

    def decoder(self) -> MachPayDecoder:
        """Returns the decoder of one stream; it takes named chunks and unnamed ones."""
        return MachPayDecoder(self.chunk_event)

    def buffered_schemas(self) -> dict[str, dict[str, Any]]:
        """Returns the JSON Schema of its buffered answer, by media type."""
        data = {
            "text": {"type": "string"},
            "tokens_used": {"type": "integer"},
            "processing_time_ms": {"type": "integer"},
        }
        meta = {
            "skill_id": {"type": ["string", "null"]},
            "version": {"type": "string"},
            "execution_id": {"type": "string"},
            "cost_usd": {"type": "number"},
        }
        envelope = {"success": {"const": True}, "data": closed(data), "meta": closed(meta)}
        return {"application/json": closed(envelope)}

    def schema(self) -> dict[str, Any]:
        """Returns the JSON Schema of its events."""
        return events_schema(
            self.name,
            [
                EventShape("start", Start, description="The run has begun."),
                EventShape(self.chunk_event or "message", Chunk, description="A piece of the answer."),
                EventShape("end", End, description="The run has ended well, and this is its bill."),
                EventShape("error", Error, description="The run has failed; nothing is billed."),
            ],
        )
