"""What happened on a stream, as text: who sent what, and when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from .._types import Message
from ._seen import Note, SeenMessage

__all__ = ["transcript_lines"]

_FIRST: Final = 6
_LAST: Final = 18
_LONGEST_BODY: Final = 72


def transcript_lines(log: Sequence[SeenMessage | Note]) -> list[str]:
    """Returns a line for each entry of a log; of a long one the beginning, the end, and what stands out between."""
    end = len(log) - _LAST
    kept = [n for n, entry in enumerate(log) if n < _FIRST or n >= end or isinstance(entry, Note)]
    lines, before = [], -1
    for number in kept:
        if number > before + 1:
            lines.append(f"           ... {number - before - 1} more ...")
        lines.append(_line(log[number]))
        before = number
    return lines


def _line(entry: SeenMessage | Note) -> str:
    if isinstance(entry, Note):
        return f"{entry.at:10.3f} {entry.text}"
    arrow = "app ->" if entry.direction == "send" else "app <-"
    return f"{entry.at:10.3f} {arrow} {_shown(entry.message)}"


def _shown(message: Message) -> str:
    if not isinstance(message, dict):
        return repr(message)
    kind = message.get("type")
    if kind == "http.response.start":
        fields = _fields(message.get("headers", ()))
        return f"{kind} {message.get('status')} {fields}".rstrip()
    if kind in ("http.response.body", "http.request"):
        default = kind == "http.request"
        end = "" if message.get("more_body", False) else " (the end)"
        return f"{kind} {_body(message.get('body', b''))}{'' if default and not end else end}"
    return repr(kind) if not isinstance(kind, str) else kind


def _fields(headers: Any) -> str:
    try:
        named: dict[Any, Any] = dict(headers)
        return repr(named[b"content-type"].decode())
    except (TypeError, ValueError, KeyError, AttributeError):
        return ""


def _body(body: object) -> str:
    if not isinstance(body, bytes | bytearray) or len(body) <= _LONGEST_BODY:
        return repr(body)
    return f"{bytes(body[:_LONGEST_BODY])!r}... ({len(body)} bytes)"
