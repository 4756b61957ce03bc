"""An encoder as its laws see it: fields in, bytes out, and what a reader makes of them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any, TypeAlias

from ...events import ReceivedEvent
from .._reference import ReferenceEvent, ReferenceResult, reference_parse
from ._law import Broken

__all__ = ["Encode", "Fields", "as_read", "between", "expressible", "must_write", "only_event", "write"]

Encode: TypeAlias = Callable[..., Any]
"""Takes an event, or its fields by name where it has a parameter ``data``; returns bytes or text, or raises."""

Fields: TypeAlias = dict[str, Any]
"""``data``, and maybe ``event``, ``id`` and ``retry``."""


def expressible(encode: Encode, fields: Fields) -> Fields:
    """Returns the fields that an encoder has parameters for; one that takes an event has all of them."""
    try:
        parameters = inspect.signature(encode).parameters
    except (TypeError, ValueError):
        return fields
    takes_any = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
    if takes_any or "data" not in parameters:
        return fields
    return {name: value for name, value in fields.items() if name in parameters}


def _by_name(encode: Encode) -> bool:
    try:
        parameters = inspect.signature(encode).parameters
    except (TypeError, ValueError):
        return False
    return "data" in parameters


def write(encode: Encode, fields: Fields) -> bytes:
    """Returns what an encoder writes; whatever it raises is its refusal."""
    given: Any = encode(**fields) if _by_name(encode) else encode(ReceivedEvent(**fields))
    return given.encode() if isinstance(given, str) else bytes(given)


def must_write(encode: Encode, fields: Fields) -> bytes:
    """Returns what an encoder writes.

    Raises:
        Broken: It refuses.
    """
    try:
        return write(encode, fields)
    except Exception as error:
        raise Broken(f"the encoder raised {error!r}") from error


def between(frame: bytes) -> ReferenceResult:
    """Reads a frame between two others."""
    return reference_parse(b"id: before\ndata: before\n\n" + frame + b"data: after\n\n")


def only_event(frame: bytes) -> ReferenceEvent:
    """Returns the event of a frame, which must be one.

    Raises:
        Broken: It is none, or several.
    """
    events = between(frame).events
    if len(events) != 3 or events[2].data != "after" or events[2].event != "message":
        told = [(each.event, each.data) for each in events[1:-1]]
        raise Broken(f"one event became {len(events) - 2}", wrote=repr(frame), got=told)
    return events[1]


def as_read(data: str) -> str:
    """Returns what the wire keeps of a text: it knows one kind of line end, and no lone surrogates."""
    return re.sub("[\ud800-\udfff]", "\ufffd", re.sub("\r\n?", "\n", data))
