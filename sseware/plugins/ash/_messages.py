"""SDK messages: how ours are built, and which later kinds of events come before one."""

from __future__ import annotations

from typing import Any

from sseware.items import ToolCall, ToolResult

from ._helpers import extract_stream_delta

__all__ = [
    "assistant",
    "delta",
    "delta_text",
    "granular_kinds",
    "is_partial",
    "result",
    "text_block",
    "thinking_block",
    "tool_block",
    "tool_result",
]


def text_block(text: str) -> dict[str, Any]:
    """Returns a block of text."""
    return {"type": "text", "text": text}


def thinking_block(text: str) -> dict[str, Any]:
    """Returns a block of thinking."""
    return {"type": "thinking", "thinking": text}


def tool_block(item: ToolCall) -> dict[str, Any]:
    """Returns a block that calls a tool."""
    return {"type": "tool_use", "id": item.id, "name": item.name, "input": item.arguments}


def assistant(block: dict[str, Any]) -> dict[str, Any]:
    """Returns the complete message of one block."""
    return {"type": "assistant", "message": {"content": [block]}}


def delta(kind: str, text: str, index: int = 0) -> dict[str, Any]:
    """Returns the partial message of a piece; ``kind`` is ``"text"`` or ``"thinking"``."""
    piece = {"type": f"{kind}_delta", kind: text}
    return {"type": "stream_event", "event": {"type": "content_block_delta", "index": index, "delta": piece}}


def delta_text(kind: str, text: str) -> str:
    """Returns the JSON of a `delta`, spelled by hand: it is what there are thousands of.

    >>> import json
    >>> json.loads(delta_text("text", '"Once"')) == delta("text", "Once")
    True

    Args:
        kind: As of `delta`.
        text: The JSON of the piece.
    """
    piece = f'{{"type":"{kind}_delta","{kind}":{text}}}'
    return f'{{"type":"stream_event","event":{{"type":"content_block_delta","index":0,"delta":{piece}}}}}'


def tool_result(item: ToolResult, text: str) -> dict[str, Any]:
    """Returns the message of a tool's answer."""
    answer = {"tool_use_id": item.id, "stdout": text, "stderr": "", "is_error": item.is_error}
    return {"type": "user", "tool_use_result": answer}


def result(session_id: str, said: Any, usage: tuple[int, int] | None) -> dict[str, Any]:
    """Returns the message that closes a turn."""
    message: dict[str, Any] = {
        "type": "result",
        "subtype": "success",
        "session_id": session_id,
        "is_error": False,
        "num_turns": 1,
    }
    if said is not None:
        message["result"] = said
    if usage is not None:
        message["usage"] = {"input_tokens": usage[0], "output_tokens": usage[1]}
    return message


def is_partial(message: Any) -> bool:
    """Whether a message is a piece of one."""
    return isinstance(message, dict) and message.get("type") == "stream_event"


def granular_kinds(message: Any) -> list[tuple[str, dict[str, Any]]]:
    """Returns the later kinds of events that come before a message; none where it is of no known shape."""
    kind = message.get("type") if isinstance(message, dict) else None
    if kind == "assistant":
        return [("tool_use", _some(block, "id", "name", "input")) for block in _tool_blocks(message)]
    if kind == "user" and message.get("tool_use_result"):
        answer = message["tool_use_result"]
        fields = _some(answer, "tool_use_id", "stdout", "is_error") if isinstance(answer, dict) else {}
        return [("tool_result", {_RENAMED.get(name, name): value for name, value in fields.items()})]
    if kind == "stream_event":
        return _delta_kinds(message)
    if kind == "result":
        fields = _some(message, "num_turns", "result")
        return [("turn_complete", {_RENAMED.get(name, name): value for name, value in fields.items()})]
    return []


_RENAMED = {"stdout": "content", "num_turns": "numTurns"}


def _some(fields: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: fields[name] for name in names if name in fields}


def _tool_blocks(message: dict[str, Any]) -> list[dict[str, Any]]:
    inner = message.get("message")
    content = inner.get("content") if isinstance(inner, dict) else None
    if not isinstance(content, list):
        return []
    return [block for block in content if isinstance(block, dict) and block.get("type") == "tool_use"]


def _delta_kinds(message: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    if (text := extract_stream_delta(message)) is not None:
        return [("text_delta", {"delta": text})]
    if (thinking := thinking_delta_of(message)) is not None:
        return [("thinking_delta", {"delta": thinking})]
    return []


def thinking_delta_of(message: dict[str, Any]) -> str | None:
    """Returns the piece of thinking of a ``stream_event``."""
    event = message.get("event")
    piece = event.get("delta") if isinstance(event, dict) else None
    if not isinstance(piece, dict) or piece.get("type") != "thinking_delta":
        return None
    thinking = piece.get("thinking")
    return thinking if isinstance(thinking, str) else None
