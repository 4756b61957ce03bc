"""What OpenAPI says of an answer that negotiates: its events, and its buffered body."""

from __future__ import annotations

from typing import Any, Final

from ..asgi import Options, Settings
from ..dialects import Dialect, EventShape, events_schema, offer_of

__all__ = ["contents_of", "inlined", "merged"]

_EVENT_STREAM: Final = "text/event-stream"
_REFERENCE: Final = "#/$defs/"


def contents_of(options: Options) -> dict[str, dict[str, Any]]:
    """Returns the media type objects of an answer, by media type (OpenAPI 3.2, section 4.14).

    The event stream has an ``itemSchema``: that of the dialect, or of any of them where a client may choose. Where
    the dialect is not known before a request comes (it is a function, or is left to the middleware) an event may be
    any event, and a body any JSON.
    """
    dialects = _dialects_of(options)
    items = [schema for each in dialects if (schema := _events_of(each)) is not None]
    contents: dict[str, dict[str, Any]] = {_EVENT_STREAM: {"itemSchema": _any_of(items or [_any_event()])}}
    bodies: dict[str, list[dict[str, Any]]] = {}
    for each in dialects:
        for media_type, schema in _bodies_of(each).items():
            bodies.setdefault(media_type, []).append(schema)
    for media_type, schemas in (bodies or {"application/json": [{}]}).items():
        contents[media_type] = {"schema": _any_of(schemas)}
    return contents


def _dialects_of(options: Options) -> list[Dialect]:
    own = options.get("dialect")
    if own is None or callable(own):
        return []
    return list(Settings().replace(options).dialects_for({}).values())


def _events_of(dialect: Dialect) -> dict[str, Any] | None:
    schema = getattr(dialect, "schema", None)
    return None if schema is None else inlined(schema())


def _any_event() -> dict[str, Any]:
    return inlined(events_schema("any", [EventShape(None)]))


def _bodies_of(dialect: Dialect) -> dict[str, dict[str, Any]]:
    """Returns the schemas of the buffered bodies; of a media type that the dialect does not describe, any."""
    described: dict[str, dict[str, Any]] = getattr(dialect, "buffered_schemas", dict)()
    found = {media_type: inlined(schema) for media_type, schema in described.items()}
    for media_type in offer_of(dialect).media_types:
        found.setdefault(media_type, {} if media_type.endswith("json") else {"type": "string"})
    return found


def _any_of(schemas: list[dict[str, Any]]) -> dict[str, Any]:
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """Returns a schema without ``$defs``: within an OpenAPI document they could not be referred to.

    A type that contains itself is described once, and as anything within itself.
    """
    definitions = schema.get("$defs", {})

    def resolve(node: Any, within: frozenset[str]) -> Any:
        if isinstance(node, list):
            return [resolve(each, within) for each in node]
        if not isinstance(node, dict):
            return node
        reference = node.get("$ref")
        if isinstance(reference, str) and reference.startswith(_REFERENCE):
            name = reference.removeprefix(_REFERENCE)
            return {} if name in within else resolve(definitions[name], within | {name})
        return {key: resolve(value, within) for key, value in node.items() if key not in _ELSEWHERE}

    resolved: dict[str, Any] = resolve(schema, frozenset())
    return resolved


# A discriminator's mapping refers by name to what is no longer there; it says nothing that anyOf does not.
_ELSEWHERE: Final = frozenset(("$schema", "$defs", "discriminator"))


def merged(ours: dict[Any, Any], theirs: dict[Any, Any]) -> dict[Any, Any]:
    """Returns two nested mappings as one; where both say something, the second is heard."""
    result = dict(ours)
    for key, value in theirs.items():
        before = result.get(key)
        both = isinstance(before, dict) and isinstance(value, dict)
        result[key] = merged(before, value) if both and before is not None else value
    return result
