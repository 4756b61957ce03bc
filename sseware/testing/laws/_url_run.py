"""A live endpoint as its laws see it: one request after the other, over a socket, in real time."""

from __future__ import annotations

import http.client
import ssl
import time
import zlib
from collections.abc import Mapping
from functools import cached_property
from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec

from ...errors import ConfigurationError
from ...wire import EventStreamParser, content_type_essence
from .._seen import ResponseHeaders
from ..errors import LawSkipped
from ._law import Broken

__all__ = ["Answer", "UrlTarget", "ask", "connection_to", "stream_of", "target_of"]

_PORTS: Final = {"http": 80, "https": 443}


class Answer(msgspec.Struct):
    """What an endpoint has answered, as far as it was read.

    Attributes:
        status: The status.
        headers: The header fields.
        head_at: When the head came, in seconds since the request.
        chunks: Pieces of the body, each with the time at which it came.
        ending: How the body ended: ``"complete"``, ``"cut"``, or ``None`` where it went on.
        seconds: For how long it was read.
    """

    status: int
    headers: ResponseHeaders
    head_at: float
    chunks: list[tuple[float, bytes]]
    ending: Literal["complete", "cut"] | None
    seconds: float

    @property
    def body(self) -> bytes:
        """The body, as it came."""
        return b"".join(data for _, data in self.chunks)

    @property
    def is_stream(self) -> bool:
        """Whether the head opens an event stream."""
        kind = self.headers.get("content-type")
        return self.status == 200 and content_type_essence(kind) == "text/event-stream"

    def events(self) -> list[tuple[float, str, str, str]]:
        """Returns time, type, data and last event ID of each event, decompressed where the body is compressed.

        Raises:
            LawSkipped: Its content coding cannot be undone here.
            Broken: The body is not what its content coding says.
        """
        coding = self.headers.get("content-encoding", "identity").strip().lower()
        if coding not in ("identity", "gzip", "deflate"):
            raise LawSkipped(f"the answer has the content coding {coding!r}, which cannot be undone here")
        undo = zlib.decompressobj(47) if coding != "identity" else None
        parser, told = EventStreamParser(max_event_size=None), list[tuple[float, str, str, str]]()
        for at, chunk in self.chunks:
            try:
                data = undo.decompress(chunk) if undo is not None else chunk
            except zlib.error as error:
                raise Broken(f"the content coding is {coding}, and the body is not: {error}") from error
            told += [(at, each.event, each.data, each.last_event_id) for each in parser.feed(data)]
        return told


class UrlTarget:
    """An endpoint, and how it is asked.

    Args:
        url: Its URL, with a query or without.
        headers: Header fields beside ``Accept: text/event-stream``.
        seconds: For how long a stream is listened to.
        timeout: How many seconds an answer is waited for.

    Raises:
        ConfigurationError: It is no URL of http or https.
    """

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        seconds: float = 5.0,
        timeout: float = 10.0,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ConfigurationError(f"want a URL such as http://localhost:8000/events, got {url!r}")
        self.url = url
        self.headers = dict(headers or {})
        self.seconds = seconds
        self.timeout = timeout

    def __repr__(self) -> str:
        return f"UrlTarget({self.url!r})"

    @property
    def plain(self) -> Answer:
        """The answer to the usual request, listened to for some time; it is asked for once.

        Raises:
            Broken: There is none.
        """
        if isinstance(self._plain, Broken):
            raise self._plain
        return self._plain

    @cached_property
    def _plain(self) -> Answer | Broken:
        try:
            return ask(self)
        except Broken as broken:
            return broken


def connection_to(target: UrlTarget) -> http.client.HTTPConnection:
    """Returns a connection that is not open yet."""
    parts = urlsplit(target.url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, port, timeout=target.timeout, context=context)
    return http.client.HTTPConnection(host, port, timeout=target.timeout)


def target_of(url: str) -> str:
    """Returns what a request line asks for."""
    parts = urlsplit(url)
    return f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"


def ask(
    target: UrlTarget,
    headers: Mapping[str, str] | None = None,
    *,
    url: str | None = None,
    most: int = 2000,
) -> Answer:
    """Asks an endpoint, and reads for some time.

    Args:
        target: The endpoint.
        headers: More header fields.
        url: Another URL of the same host.
        most: After how many pieces of the body it is left.

    Raises:
        Broken: It does not answer.
    """
    connection = connection_to(target)
    fields = {"Accept": "text/event-stream", "Cache-Control": "no-cache", **target.headers, **(headers or {})}
    began = time.monotonic()
    try:
        connection.request("GET", target_of(url or target.url), headers=fields)
        response = connection.getresponse()
        head_at = time.monotonic() - began
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.getheaders()]
        chunks, ending = _read(connection, response, began, target.seconds, most)
    except (OSError, http.client.HTTPException) as error:
        raise Broken(f"no answer from {target.url}: {error!r}") from error
    finally:
        connection.close()
    seconds = time.monotonic() - began
    return Answer(response.status, ResponseHeaders(raw), head_at, chunks, ending, seconds)


def _read(
    connection: http.client.HTTPConnection,
    response: http.client.HTTPResponse,
    began: float,
    seconds: float,
    most: int,
) -> tuple[list[tuple[float, bytes]], Literal["complete", "cut"] | None]:
    chunks: list[tuple[float, bytes]] = []
    # The answer to a connection that will be closed takes the socket with it.
    stream = connection.sock or getattr(response.fp, "raw", None)
    stream = getattr(stream, "_sock", stream)
    while len(chunks) < most:
        left = began + seconds - time.monotonic()
        if left <= 0:
            return chunks, None
        if stream is not None:
            stream.settimeout(left)
        try:
            data = response.read1(65536)
        except TimeoutError:
            return chunks, None
        except (http.client.HTTPException, ConnectionError):
            return chunks, "cut"
        if not data:
            return chunks, "complete"
        chunks.append((time.monotonic() - began, data))
    return chunks, None


def stream_of(target: UrlTarget) -> Answer:
    """Returns the usual answer, which must be a stream.

    Raises:
        LawSkipped: It is none, or there is no answer at all, which another law tells.
    """
    try:
        answer = target.plain
    except Broken as broken:
        raise LawSkipped(broken.what) from broken
    if not answer.is_stream:
        kind = answer.headers.get("content-type")
        raise LawSkipped(f"the answer is no event stream: status {answer.status}, content type {kind}")
    return answer
