"""Hector's events to items."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from sseware import ServerSentEvent
from sseware.dialects import AnItem, read_payload
from sseware.errors import TruncatedStream
from sseware.items import Data, Failure, Finish, Text

from ._encoder import DONE

__all__ = ["Chunk", "ErrorBody", "HectorDecoder"]


class Chunk(msgspec.Struct, frozen=True):
    """A piece of the answer."""

    chunk: str


class ErrorMessage(msgspec.Struct, frozen=True):
    """What went wrong."""

    message: str


class ErrorBody(msgspec.Struct, frozen=True):
    """The payload of ``error``."""

    error: ErrorMessage


class HectorDecoder:
    """Decodes one stream.

    Args:
        lenient: Whether each line of an event's data counts as an event of its own, as the documents print it.
    """

    def __init__(self, *, lenient: bool = False) -> None:
        self._lenient = lenient
        self._ended = False

    def decode(self, event: ServerSentEvent) -> Iterable[AnItem]:
        """Returns the items of one event."""
        if event.event == "error":
            self._ended = True
            return (Failure(read_payload(event, ErrorBody, dialect="hector").error.message),)
        if event.event != "message":
            return (event,)
        if not self._lenient:
            return (self._frame(event),)
        return [self._frame(ServerSentEvent(line)) for line in event.data.split("\n") if line]

    def _frame(self, event: ServerSentEvent) -> AnItem:
        if event.data == DONE:
            self._ended = True
            return Finish()
        value = read_payload(event, Any, dialect="hector")
        if isinstance(value, dict) and value.keys() == {"chunk"} and isinstance(value["chunk"], str):
            return Text(value["chunk"])
        return Data(value)

    def close(self) -> None:
        """Is called where the stream has ended.

        Raises:
            TruncatedStream: Neither ``[DONE]`` nor ``error`` has come.
        """
        if not self._ended:
            raise TruncatedStream("hector", f"{DONE} or error")
