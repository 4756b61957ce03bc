"""JSON Schema of the events of a dialect, made from the types that it reads and writes with.

An event is described as it is on the wire: ``data`` is a string, and where that string is JSON, ``contentSchema``
describes what is in it (JSON Schema 2020-12, validation, section 8.5). OpenAPI 3.2 takes the result as the
``itemSchema`` of a ``text/event-stream`` response. Most validators only note ``contentSchema``, as the standard
lets them; whoever wants it checked decodes the string and validates it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

__all__ = ["EventShape", "closed", "events_schema"]

_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"


class EventShape(msgspec.Struct, frozen=True):
    """The shape of one kind of event.

    Attributes:
        event: The event type; ``"message"`` is an unnamed event, and ``None`` stands for any type.
        json: What its payload is: any type that msgspec can describe. ``None``: the payload is text, not JSON.
        text: The only text that the payload may be, such as ``"[DONE]"``; ``None`` for any.
        description: One sentence on what it means.
    """

    event: str | None = "message"
    json: Any = None
    text: str | None = None
    description: str = ""


def events_schema(dialect: str, shapes: Sequence[EventShape]) -> dict[str, Any]:
    """Returns the JSON Schema of the events of a dialect.

    >>> schema = events_schema("clock", [EventShape("tick", json=int), EventShape(text="[DONE]")])
    >>> schema["anyOf"][0]["properties"]["data"]
    {'type': 'string', 'contentMediaType': 'application/json', 'contentSchema': {'type': 'integer'}}
    >>> schema["anyOf"][1]["properties"]["data"]
    {'type': 'string', 'const': '[DONE]'}

    Args:
        dialect: The name of the dialect; it becomes the title.
        shapes: The kinds of events. Several may bear one event type.

    Raises:
        TypeError: msgspec cannot describe a type.
    """
    described = [shape.json for shape in shapes if shape.json is not None]
    payloads, components = msgspec.json.schema_components(described, ref_template="#/$defs/{name}")
    rest = iter(payloads)
    schema: dict[str, Any] = {
        "$schema": _DRAFT,
        "title": f"events of the {dialect} dialect",
        "anyOf": [_event(shape, None if shape.json is None else next(rest)) for shape in shapes],
    }
    if components:
        schema["$defs"] = components
    return schema


def _event(shape: EventShape, payload: dict[str, Any] | None) -> dict[str, Any]:
    data: dict[str, Any] = {"type": "string"}
    if payload is not None:
        data |= {"contentMediaType": "application/json", "contentSchema": payload}
    if shape.text is not None:
        data["const"] = shape.text
    described = {"description": shape.description} if shape.description else {}
    return {
        **described,
        "type": "object",
        "properties": {
            "event": {"type": "string"} if shape.event is None else {"const": shape.event},
            "data": data,
        },
        # An unnamed event has no event field, and is a "message" all the same.
        "required": ["data"] if shape.event in ("message", None) else ["event", "data"],
    }


def closed(properties: dict[str, Any]) -> dict[str, Any]:
    """Returns the JSON Schema of an object that has these properties, and no others.

    >>> closed({"response": {"type": "string"}})["required"]
    ['response']

    Args:
        properties: The schema of each.
    """
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
