"""A request, as a server hands it to an application."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping
from typing import Any, Final, TypeAlias
from urllib.parse import quote, unquote_to_bytes, urlencode

import msgspec

from .._types import Message, RawHeaders, Scope
from ..errors import ConfigurationError
from ._personalities import Personality

__all__ = ["AskedHeaders", "Body", "Content", "Params", "RequestBody", "make_body", "make_scope", "raw_scope"]

AskedHeaders: TypeAlias = Mapping[str, str | bytes | None] | Iterable[tuple[str, str | bytes | None]]
"""Header fields; ``None`` leaves out a field that would otherwise be sent."""

Params: TypeAlias = Mapping[str, object] | Iterable[tuple[str, object]]
"""Parameters of the query; a list as a value gives several of one name."""

Body: TypeAlias = bytes | Iterable[bytes] | AsyncIterable[bytes]
"""A request body: whole, or in pieces, each of which is a message of its own."""

Content: TypeAlias = str | Body
"""A request body as a test gives it; text is sent in UTF-8."""

_SERVER: Final = ("testserver", 80)
_CLIENT: Final = ("127.0.0.1", 50000)


class RequestBody:
    """What is still to be received of a request body, message by message.

    Args:
        content: The body, whole or in pieces.
        personality: How the server cuts it into messages.
    """

    def __init__(self, content: Body, personality: Personality) -> None:
        self._source: AsyncIterator[bytes] | None = None
        if isinstance(content, AsyncIterable):
            self._messages: deque[Message] = deque()
            self._source = aiter(content)
        else:
            self._messages = deque(_messages(_pieces(content), personality))

    @property
    def unread(self) -> int:
        """How many messages lie unread, as far as is known."""
        return len(self._messages)

    @property
    def done(self) -> bool:
        """Whether everything was received."""
        return self._source is None and not self._messages

    async def receive(self) -> Message | None:
        """Returns the next message, or ``None`` where there is none left."""
        if self._messages:
            return self._messages.popleft()
        if self._source is None:
            return None
        try:
            piece = await anext(self._source)
        except StopAsyncIteration:
            self._source = None
            return _request(b"", more=False)
        return _request(piece, more=True)


def _pieces(content: bytes | Iterable[bytes]) -> list[bytes]:
    if isinstance(content, bytes | bytearray | memoryview):
        return [bytes(content)] if content else []
    return [bytes(piece) for piece in content]


def _messages(pieces: list[bytes], personality: Personality) -> list[Message]:
    if not pieces:
        return [_request(b"", more=False)] if personality.empty_request else []
    if personality.separate_end:
        return [*(_request(piece, more=True) for piece in pieces), _request(b"", more=False)]
    last = len(pieces) - 1
    return [_request(piece, more=number < last) for number, piece in enumerate(pieces)]


def _request(body: bytes, *, more: bool) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


def make_body(json: object, content: Content | None) -> tuple[Body, dict[str, str]]:
    """Returns a request body, and the header fields that describe it.

    Raises:
        ConfigurationError: Both JSON and content were given.
    """
    if json is not None:
        if content is not None:
            raise ConfigurationError("a request has one body: give json or content, not both")
        content, fields = msgspec.json.encode(json), {"content-type": "application/json"}
    else:
        fields = {}
    if content is None:
        return b"", fields
    if isinstance(content, str | bytes):
        content = content.encode() if isinstance(content, str) else content
        return content, {**fields, "content-length": str(len(content))}
    return content, {**fields, "transfer-encoding": "chunked"}


def make_scope(
    personality: Personality,
    method: str,
    path: str,
    *,
    headers: AskedHeaders | None = None,
    params: Params | None = None,
    described: Mapping[str, str] | None = None,
    last_event_id: str | None = None,
) -> Scope:
    """Makes the scope of a request.

    Args:
        personality: The server.
        method: The request method.
        path: The path, percent-encoded where it has to be, with a query or without.
        headers: Header fields. ``Host`` and ``Accept: text/event-stream`` are added where they are missing.
        params: Added to the query.
        described: Header fields of the body, where they are not among the others.
        last_event_id: The value of ``Last-Event-ID``, sent in UTF-8 (WHATWG HTML, 9.2.4); none where it is empty.

    Raises:
        ConfigurationError: The path does not begin with a slash, or a field cannot be sent.
    """
    if not path.startswith("/"):
        raise ConfigurationError(f"path must begin with a slash, got {path!r}")
    raw_path, _, query = quote(path, safe="%/:?#[]@!$&'()*+,;=-._~").encode().partition(b"?")
    more = urlencode(_pairs(params or ()), doseq=True).encode()
    target = raw_path, b"&".join(filter(None, (query, more)))
    return raw_scope(
        personality, method, target, _raw_headers(headers or (), described or {}, last_event_id), _SERVER
    )


def raw_scope(
    personality: Personality,
    method: str,
    target: tuple[bytes, bytes],
    headers: RawHeaders,
    server: tuple[str, int],
) -> Scope:
    """Makes the scope of a request from the parts that a server reads.

    Args:
        personality: The server.
        method: The request method.
        target: The path, percent-encoded, and the query.
        headers: Header fields, names in lower case.
        server: Host and port.
    """
    raw_path, query = target
    asgi = {"version": "3.0"}
    if personality.spec_version is not None:
        asgi["spec_version"] = personality.spec_version
    return {
        "type": "http",
        "asgi": asgi,
        "http_version": personality.http_version,
        "method": method.upper(),
        "scheme": "http",
        "path": unquote_to_bytes(raw_path).decode(errors="replace"),
        "raw_path": raw_path,
        "query_string": query,
        "root_path": "",
        "headers": headers,
        "server": server,
        "client": _CLIENT,
        "extensions": {},
        "state": {},
    }


def _pairs(given: Any) -> list[tuple[str, Any]]:
    return list(given.items() if isinstance(given, Mapping) else given)


def _raw_headers(given: AskedHeaders, described: Mapping[str, str], last_event_id: str | None) -> RawHeaders:
    asked = [(name.lower(), value) for name, value in _pairs(given)]
    names = {name for name, _ in asked}
    usual: dict[str, str] = {"host": _SERVER[0], "accept": "text/event-stream", **described}
    if last_event_id:
        usual["last-event-id"] = last_event_id
    fields = [(name, value) for name, value in usual.items() if name not in names]
    return [(name.encode(), _value(name, value)) for name, value in (*fields, *asked) if value is not None]


def _value(name: str, value: object) -> bytes:
    if isinstance(value, str):
        value = value.encode()
    if not isinstance(value, bytes) or any(byte in value for byte in b"\0\r\n"):
        raise ConfigurationError(f"header {name!r} must be one line of text without NUL, got {value!r}")
    return value
