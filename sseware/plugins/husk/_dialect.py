"""The dialect: what it is called, what it offers, what it leaves out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Final, Literal

import msgspec

from sseware.dialects import AnItem, Dialect, EventShape, StreamContext, events_schema, hookimpl
from sseware.errors import ConfigurationError
from sseware.items import Finish, Item, Start, Step, Text, Thinking, ToolCall, ToolResult, Usage

from ._decoder import HuskDecoder
from ._encoder import HuskEncoder
from ._events import Done
from ._fold import HuskFold

__all__ = ["Husk", "sseware_dialects"]

_MEDIA_TYPES: Final = {"text": "text/plain", "json": "application/json", "file": "*/*"}


class Husk(msgspec.Struct, frozen=True, repr_omit_defaults=True):
    """The dialect of HUSK's clients.

    >>> Husk(output="json")
    Husk(output='json')
    >>> Husk(output="html")
    Traceback (most recent call last):
    sseware.errors.ConfigurationError: output must be one of 'text', 'json', 'file', got 'html'

    Attributes:
        output: What the skill's output is: ``"text"``, ``"json"`` (the handler yields JSON text), or ``"file"``
            (the handler yields a `File`), which is never streamed.
        strict: Whether an item that HUSK has no place for is an error; if not, it is left out.
        default: What a client gets that does not say what it wants.

    Raises:
        ConfigurationError: An option has a wrong type or value.
    """

    output: Literal["text", "json", "file"] = "text"
    strict: bool = False
    default: Literal["stream", "buffered"] = "buffered"

    stream_flag: ClassVar[tuple[str, str]] = ("stream", "1")
    stream_headers: ClassVar[tuple[tuple[str, str], ...]] = (("cache-control", "no-cache, no-transform"),)
    omits: ClassVar[frozenset[type[Item]]] = frozenset((Start, Thinking, ToolCall, ToolResult, Step, Usage))
    example: ClassVar[tuple[AnItem, ...]] = (Text("HELLO"), Finish())

    def __post_init__(self) -> None:
        if self.output not in tuple(_MEDIA_TYPES):
            known = ", ".join(map(repr, _MEDIA_TYPES))
            raise ConfigurationError(f"output must be one of {known}, got {self.output!r}")
        if not isinstance(self.strict, bool):
            raise ConfigurationError(f"strict must be True or False, got {self.strict!r}")
        if self.default not in ("stream", "buffered"):
            raise ConfigurationError(f"default must be 'stream' or 'buffered', got {self.default!r}")

    @property
    def name(self) -> str:
        """By which it is chosen."""
        return "husk"

    @property
    def media_types(self) -> tuple[str, ...]:
        """What the buffered answer may be; that of a file is known when there is one."""
        return (_MEDIA_TYPES[self.output],)

    @property
    def streams(self) -> bool:
        """Whether it can be streamed."""
        return self.output != "file"

    def open(self, context: StreamContext) -> HuskEncoder:
        """Returns the encoder of one stream."""
        return HuskEncoder(self)

    def fold(self, context: StreamContext) -> HuskFold:
        """Returns the fold of one buffered answer."""
        return HuskFold(self, self.output, context)

    def decoder(self) -> HuskDecoder:
        """Returns the decoder of one stream."""
        return HuskDecoder()

    def schema(self) -> dict[str, Any]:
        """Returns the JSON Schema of its events."""
        return events_schema(
            self.name,
            [
                EventShape("stdout", description="A piece of the kernel's output."),
                EventShape("stderr", description="A piece of what the kernel writes to its standard error."),
                EventShape(
                    "done", json=Done, description="The end: whether the kernel did well, and how it exited."
                ),
                EventShape(
                    "error", description="The request could not be handled, or its output was cut short."
                ),
            ],
        )


@hookimpl
def sseware_dialects() -> Iterable[Dialect]:
    """Provides `Husk` in its default configuration."""
    return [Husk()]
