"""The dialect of Hector: an agent's answer in chunks."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from sseware import ServerSentEvent
from sseware.dialects import AnItem, EventShape, StreamContext, closed, events_schema
from sseware.errors import ConfigurationError
from sseware.items import Finish, Item, Log, Start, Step, Text, Thinking, Usage

from ._decoder import Chunk, ErrorBody, HectorDecoder
from ._encoder import DONE, HectorEncoder, HectorFold

__all__ = ["Hector"]


class Hector(msgspec.Struct, frozen=True, repr_omit_defaults=True):
    """The dialect of Hector.

    >>> Hector(chunk_size=10, delay_ms=50).pause
    0.05

    Attributes:
        chunk_size: How many code points a chunk has at the most; ``None`` leaves texts as they are.
        delay_ms: How many milliseconds pass between two chunks.
        buffer_size: How many bytes a handler may run ahead of its reader; ``None`` leaves it to the middleware.
        enable_streaming: If not, the whole text is one chunk.
        show_thinking: Whether thinking is shown in the text.
        lenient: Whether streams without blank lines can be read, as Hector's documents print them.
        strict: Whether an item that Hector has no place for is an error.
        default: What a client gets that does not say what it wants.

    Raises:
        ConfigurationError: An option is not what it must be.
    """

    chunk_size: int | None = None
    delay_ms: float = 0
    buffer_size: int | None = None
    enable_streaming: bool = True
    show_thinking: bool = False
    lenient: bool = False
    strict: bool = False
    default: Literal["stream", "buffered"] = "stream"

    def __post_init__(self) -> None:
        for name in ("chunk_size", "buffer_size"):
            value = getattr(self, name)
            if value is not None and (type(value) is not int or value < 1):
                raise ConfigurationError(f"{name} must be 1 or more, or None, got {value!r}")
        if type(self.delay_ms) not in (int, float) or not 0 <= self.delay_ms < float("inf"):
            raise ConfigurationError(f"delay_ms must be a number of milliseconds, got {self.delay_ms!r}")

    @property
    def name(self) -> str:
        """By which it is chosen."""
        return "hector"

    @property
    def pause(self) -> float:
        """How many seconds pass between two events of the handler's items."""
        return self.delay_ms / 1000

    @property
    def run_ahead(self) -> int | None:
        """How many bytes a handler may run ahead of its reader."""
        return self.buffer_size

    @property
    def omits(self) -> frozenset[type[Item]]:
        """The items that it leaves out."""
        hidden: tuple[type[Item], ...] = () if self.show_thinking else (Thinking,)
        return frozenset((Start, Log, Step, Usage, *hidden))

    @property
    def owned(self) -> frozenset[str]:
        """The event types that a handler's own events may not have."""
        return frozenset(("message", "error"))

    @property
    def example(self) -> tuple[AnItem, ...]:
        """Items whose bytes the command line shows."""
        return Text("Quantum"), Text(" computing"), Finish()

    def open(self, context: StreamContext) -> HectorEncoder:
        """Returns the encoder of one response."""
        return HectorEncoder(self, context)

    def fold(self, context: StreamContext) -> HectorFold:
        """Returns the fold of one buffered response."""
        return HectorFold(self)

    def decoder(self) -> HectorDecoder:
        """Returns the decoder of one stream."""
        return HectorDecoder(lenient=self.lenient)

    def message_of(self, event: ServerSentEvent) -> str | None:
        """Returns the text message that an event is over a WebSocket.

        ``[DONE]`` is none: there a run ends with the close. An event with a name of the handler's own is none
        either, for a message has no place for a name.
        """
        if event.event not in self.owned or (event.event == "message" and event.data == DONE):
            return None
        return event.data

    def buffered_schemas(self) -> dict[str, dict[str, Any]]:
        """Returns the JSON Schema of its buffered answer, by media type."""
        return {"application/json": closed({"response": {"type": "string"}})}

    def schema(self) -> dict[str, Any]:
        """Returns the JSON Schema of its events."""
        return events_schema(
            self.name,
            [
                EventShape(json=Chunk, description="A piece of the answer."),
                EventShape(text=DONE, description="The answer is complete."),
                EventShape(json=Any, description="A value of the agent's own."),
                EventShape("error", json=ErrorBody, description="The run has failed."),
            ],
        )
