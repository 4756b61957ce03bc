"""What a browser has to know before a page of another origin may read an answer (Fetch, section 3.3)."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final

from .._types import Message, RawHeaders, Scope, Send
from ..negotiation import merge_vary

__all__ = ["PREFLIGHT", "is_preflight", "with_cors"]

PREFLIGHT: Final = (
    (b"access-control-allow-methods", b"GET, HEAD, POST"),
    # Those that are sent with a stream, and that no page may send without being told so.
    (b"access-control-allow-headers", b"accept, authorization, cache-control, content-type, last-event-id"),
    (b"access-control-max-age", b"600"),
)
"""What is answered to a browser that asks whether it may ask."""

_OURS: Final = frozenset((b"access-control-allow-origin", b"access-control-allow-credentials"))


def is_preflight(scope: Scope) -> bool:
    """Tells whether a browser asks whether it may ask."""
    names = {name for name, _ in scope["headers"]}
    return scope["method"] == "OPTIONS" and {b"origin", b"access-control-request-method"} <= names


def with_cors(send: Send, origin: str | None, *, credentials: bool) -> Send:
    """Returns what sends an answer that says which origin may read it.

    Args:
        send: The server's.
        origin: The origin, one that was listed; ``""`` where this one may not; ``None`` where any may.
        credentials: Whether it may send cookies; never with any.
    """
    fields: RawHeaders = []
    if origin is None:
        fields = [(b"access-control-allow-origin", b"*")]
    elif origin:
        fields = [(b"access-control-allow-origin", origin.encode("latin-1"))]
        if credentials:
            fields.append((b"access-control-allow-credentials", b"true"))

    def send_with_fields(message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            headers = [field for field in message["headers"] if field[0] not in _OURS]
            if origin is not None:
                headers = _varying(headers)
            message = {**message, "headers": [*headers, *fields]}
        return send(message)

    return send_with_fields


def _varying(headers: RawHeaders) -> RawHeaders:
    """A stored answer to one origin must not be given to another, nor to who has none."""
    existing = b", ".join(value for name, value in headers if name == b"vary").decode("latin-1")
    others = [field for field in headers if field[0] != b"vary"]
    return [*others, (b"vary", merge_vary(existing, "Origin").encode("latin-1"))]
