"""The event stream of OpenAI's chat completions, as a dialect that can be read: twenty lines of a user's own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sseware import ServerSentEvent
from sseware.dialects import AnItem, Plain, read_payload
from sseware.errors import TruncatedStream
from sseware.items import Finish, Text

__all__ = ["OpenAI"]


class OpenAI(Plain, frozen=True):
    """Reads ``chat.completion.chunk``; it writes what plain writes."""

    name: str = "openai"

    def decoder(self) -> Any:
        return _Decoder()


class _Decoder:
    def __init__(self) -> None:
        self._ended = False

    def decode(self, event: ServerSentEvent) -> Iterable[AnItem]:
        if event.data == "[DONE]":
            self._ended = True
            return (Finish(),)
        chunk = read_payload(event, dict[str, Any], dialect="openai")
        texts = (choice.get("delta", {}).get("content") for choice in chunk.get("choices", ()))
        return [Text(text) for text in texts if text]

    def close(self) -> None:
        if not self._ended:
            raise TruncatedStream("openai", "[DONE]")
