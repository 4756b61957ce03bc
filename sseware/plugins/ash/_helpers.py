"""Ash's three helper functions, as its clients have them in JavaScript.

Each takes an SDK message and returns ``None`` on anything that does not match; none of them raises. What is kept of
JavaScript, because the results differ otherwise:

1. ``[]`` and ``{}`` are true.
2. Keys that are whole numbers come first in an object, in their order.
3. ``1.0`` is spelled ``1``, an array with commas, an object ``[object Object]`` (where text is joined).
4. A length counts UTF-16 units; a cut never leaves half of a pair.
5. ``trim`` takes U+FEFF and U+00A0, but not U+001C to U+001F nor U+0085.
"""

from __future__ import annotations

import math
from typing import Any, Final

from sseware.dialects import COMPACT
from sseware.errors import InvalidItem

__all__ = ["extract_display_items", "extract_stream_delta", "extract_text_from_event"]

_INPUT_LIMIT: Final = 200
_RESULT_LIMIT: Final = 1000

# ECMAScript's WhiteSpace and LineTerminator.
_SPACE: Final = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
_LARGEST_INDEX: Final = 2**32 - 2


def extract_text_from_event(data: Any) -> str | None:
    """Returns the text of an assistant message: its text blocks, joined with nothing between them.

    >>> extract_text_from_event({"type": "assistant", "message": {"content": [{"type": "text", "text": "Hi"}]}})
    'Hi'
    """
    content = _assistant_content(data)
    if isinstance(content, str):
        return content or None
    if not isinstance(content, list):
        return None
    return "".join(_joined(block.get("text")) for block in _blocks(content, "text")) or None


def extract_display_items(data: Any) -> list[dict[str, Any]] | None:
    r"""Returns what there is to show of a message: texts, tool calls, or the result of a tool.

    >>> extract_display_items({"type": "user", "tool_use_result": {"stdout": "a", "stderr": "b"}})
    [{'type': 'tool_result', 'content': 'a\nb'}]
    """
    content = _assistant_content(data)
    if isinstance(content, list):
        return [item for block in content if (item := _display_item(block)) is not None] or None
    if isinstance(data, dict) and data.get("type") == "user" and _true(data.get("tool_use_result")):
        return _display_result(data["tool_use_result"])
    return None


def extract_stream_delta(data: Any) -> str | None:
    """Returns the piece of text of a ``stream_event``; an empty one stays an empty one.

    >>> delta = {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Hi"}}
    >>> extract_stream_delta({"type": "stream_event", "event": delta})
    'Hi'
    """
    if not isinstance(data, dict) or data.get("type") != "stream_event":
        return None
    event = data.get("event")
    if not isinstance(event, dict) or event.get("type") != "content_block_delta":
        return None
    delta = event.get("delta")
    if not isinstance(delta, dict) or delta.get("type") != "text_delta":
        return None
    text = delta.get("text")
    return text if isinstance(text, str) else None


def _assistant_content(data: Any) -> Any:
    if not isinstance(data, dict) or data.get("type") != "assistant":
        return None
    message = data.get("message")
    return message.get("content") if isinstance(message, dict) else None


def _blocks(content: list[Any], kind: str) -> list[dict[str, Any]]:
    return [block for block in content if isinstance(block, dict) and block.get("type") == kind]


def _display_item(block: Any) -> dict[str, Any] | None:
    kind = block.get("type") if isinstance(block, dict) else None
    if kind == "text":
        return {"type": "text", **({"content": block["text"]} if "text" in block else {})}
    if kind == "tool_use":
        names = {"content": block["name"], "toolName": block["name"]} if "name" in block else {}
        return {"type": "tool_use", **names, "toolInput": _shown_input(block.get("input"))}
    return None


def _shown_input(given: Any) -> str:
    if isinstance(given, list):
        pairs = [(str(index), value) for index, value in enumerate(given)]
    elif isinstance(given, dict):
        pairs = sorted(given.items(), key=_key_order)
    else:
        return ""
    shown = ", ".join(f"{key}: {value if isinstance(value, str) else _json(value)}" for key, value in pairs)
    return _cut(shown, _INPUT_LIMIT, "...")


def _key_order(pair: tuple[Any, Any]) -> tuple[int, int]:
    """Sorts keys that are whole numbers first; the sort is stable, so that the others keep their order."""
    key = pair[0]
    is_index = isinstance(key, str) and key.isascii() and key.isdigit() and str(int(key[:11])) == key
    return (0, int(key)) if is_index and int(key) <= _LARGEST_INDEX else (1, 0)


def _display_result(result: Any) -> list[dict[str, Any]] | None:
    fields = result if isinstance(result, dict) else {}
    stdout, stderr = fields.get("stdout"), fields.get("stderr")
    shown = _joined(stdout) if _true(stdout) else ""
    if _true(stderr):
        shown += f"\n{_joined(stderr)}"
    if not shown.strip(_SPACE):
        return None
    return [{"type": "tool_result", "content": _cut(shown, _RESULT_LIMIT, "\n...")}]


def _cut(text: str, limit: int, mark: str) -> str:
    """Cuts a text after so many UTF-16 units, before a pair that would be halved."""
    if len(text) * 2 <= limit:
        return text
    units = text.encode("utf-16-le", "surrogatepass")
    if len(units) <= limit * 2:
        return text
    kept = units[: limit * 2]
    if 0xD8 <= kept[-1] <= 0xDB and 0xDC <= units[limit * 2 + 1] <= 0xDF:
        kept = kept[:-2]
    return kept.decode("utf-16-le", "surrogatepass") + mark


def _true(value: Any) -> bool:
    """Whether JavaScript takes a value for true."""
    if isinstance(value, dict | list):
        return True
    return bool(value) and not (isinstance(value, float) and math.isnan(value))


def _joined(value: Any) -> str:
    """Spells a value as ``Array.prototype.join`` does."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ",".join(map(_joined, value))
    return "[object Object]" if isinstance(value, dict) else _json(value)


def _json(value: Any) -> str:
    try:
        return COMPACT.dumps(value)
    except InvalidItem:
        return "null"
