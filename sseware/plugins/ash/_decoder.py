"""Ash's events to items."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from sseware import ServerSentEvent
from sseware.dialects import AnItem, read_payload
from sseware.errors import TruncatedStream
from sseware.items import Data, Failure, Finish, Start, Text, Thinking, ToolCall, ToolResult, Usage

from ._helpers import extract_stream_delta
from ._messages import thinking_delta_of

__all__ = ["AshDecoder", "DoneBody", "ErrorBody"]

GRANULAR: Final = frozenset(("text_delta", "thinking_delta", "tool_use", "tool_result", "turn_complete"))
"""Events that say again what a message says."""


class ErrorBody(msgspec.Struct, frozen=True):
    """The payload of ``error``."""

    error: str


class DoneBody(msgspec.Struct, frozen=True, rename="camel"):
    """The payload of ``done`` and of ``session_start``."""

    session_id: str


class AshDecoder:
    """Decodes one stream. Text that came in pieces is not told again by its complete message."""

    def __init__(self) -> None:
        self._told: dict[type[Text | Thinking], str] = {Text: "", Thinking: ""}
        self._result: Any = None
        self._ended = False
        self._failed = False

    def decode(self, event: ServerSentEvent) -> Iterable[AnItem]:
        """Returns the items of one event."""
        name = event.event
        if name == "message":
            return tuple(self._message(read_payload(event, Any, dialect="ash")))
        if name == "done":
            read_payload(event, DoneBody, dialect="ash")
            self._ended = True
            return () if self._failed else (Finish(result=self._result),)
        if name == "error":
            self._ended = self._failed = True
            return (Failure(read_payload(event, ErrorBody, dialect="ash").error),)
        if name == "session_start":
            return (Start(read_payload(event, DoneBody, dialect="ash").session_id),)
        return () if name in GRANULAR else (event,)

    def _message(self, message: Any) -> Iterator[AnItem]:
        kind = message.get("type") if isinstance(message, dict) else None
        if kind == "stream_event":
            yield from self._partial(message)
        elif kind == "assistant" and (blocks := _known_blocks(message)) is not None:
            for item in blocks:
                yield from self._not_told(item) if isinstance(item, Text | Thinking) else (item,)
        elif kind == "user" and (answer := _tool_result(message)) is not None:
            yield answer
        elif kind == "result":
            yield from self._keep_result(message)
        else:
            yield Data(message)

    def _partial(self, message: dict[str, Any]) -> Iterator[AnItem]:
        """Yields a piece; what else a partial message says, its complete one says again."""
        if text := extract_stream_delta(message):
            self._told[Text] += text
            yield Text(text)
        elif thinking := thinking_delta_of(message):
            self._told[Thinking] += thinking
            yield Thinking(thinking)

    def _not_told(self, item: Text | Thinking) -> Iterator[AnItem]:
        told, self._told[type(item)] = self._told[type(item)], ""
        rest = item.text.removeprefix(told)
        if rest:
            yield type(item)(rest)

    def _keep_result(self, message: dict[str, Any]) -> Iterator[AnItem]:
        self._result = message.get("result")
        try:
            yield msgspec.convert({**message["usage"], "type": "usage"}, Usage)
        except (KeyError, TypeError, msgspec.ValidationError):
            return

    def close(self) -> None:
        """Is called where the stream has ended.

        Raises:
            TruncatedStream: Neither ``done`` nor ``error`` has come.
        """
        if not self._ended:
            raise TruncatedStream("ash", "done or error")


def _known_blocks(message: dict[str, Any]) -> list[AnItem] | None:
    """Returns the items of a message's blocks, or ``None`` where one of them is none of ours."""
    inner = message.get("message")
    content = inner.get("content") if isinstance(inner, dict) else None
    if isinstance(content, str):
        return [Text(content)]
    if not isinstance(content, list):
        return None
    items = [_block(block) for block in content]
    return None if None in items else [item for item in items if item is not None]


def _block(block: Any) -> AnItem | None:
    match block:
        case {"type": "text", "text": str(text)}:
            return Text(text)
        case {"type": "thinking", "thinking": str(text)}:
            return Thinking(text)
        case {"type": "tool_use", "id": str(id_), "name": str(name), "input": dict(arguments)}:
            return ToolCall(id_, name, arguments)
    return None


def _tool_result(message: dict[str, Any]) -> ToolResult | None:
    match message.get("tool_use_result"):
        case {"tool_use_id": str(id_), "stdout": str(stdout), **rest}:
            stderr = rest.get("stderr")
            text = f"{stdout}\n{stderr}" if isinstance(stderr, str) and stderr else stdout
            return ToolResult(id_, text, is_error=rest.get("is_error") is True)
    return None
