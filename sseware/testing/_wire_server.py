"""A server on a raw socket, which does to a client what a test says: it sends, dribbles, cuts, resets.

It is thread based, and the same for every client and event loop. In a sync test take the connections as they come
(`WireServer.accept`); in an async one give a script, which runs in a thread of its own for each connection, or
``await`` `WireServer.wait_accepted`. A fixture wraps it as it is: ``return sse_wire_server``.
"""

from __future__ import annotations

import queue
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

import anyio.to_thread
import msgspec

from ._either_with import EitherWith
from ._endpoint import Endpoint
from ._exchange import check_seconds
from .errors import SSETimeout

__all__ = ["WireConnection", "WireRequest", "WireServer", "sse_wire_server"]

_LARGEST_REQUEST: Final = 1 << 20
_POLL: Final = 0.05
"""Seconds after which the thread that accepts looks whether it is to end."""


class WireRequest(msgspec.Struct, frozen=True):
    """What a client asked for.

    Attributes:
        method: The method.
        target: The target, as it was sent.
        headers: The fields, names in lower case; of two with one name the last.
        body: The body.
        head: The head, byte for byte.
    """

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    head: bytes


class WireConnection:
    """One connection of a client, whose request has been read.

    Attributes:
        request: The request.
    """

    def __init__(self, connection: socket.socket, timeout: float) -> None:
        self._socket = connection
        self._timeout = timeout
        connection.settimeout(timeout)
        # Each send is a segment of its own, as far as that is ours to say.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.request = self._read_request()

    def _read_request(self) -> WireRequest:
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._receive(data)
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, *_ = [*first.split(" "), "", ""]
        pairs = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        length = headers.get("content-length", "0")
        while len(body) < (int(length) if length.isdecimal() else 0):
            body += self._receive(body)
        return WireRequest(method, target, headers, body, head + b"\r\n\r\n")

    def _receive(self, before: bytes) -> bytes:
        received = self._socket.recv(1 << 16)
        if not received:
            raise ConnectionError(f"the client left before its request was there; it sent {before[:200]!r}")
        if len(before) > _LARGEST_REQUEST:
            raise ConnectionError(f"the request is larger than {_LARGEST_REQUEST} bytes")
        return received

    def start(
        self,
        status: int = 200,
        headers: Iterable[tuple[str, str]] = (("content-type", "text/event-stream"),),
    ) -> None:
        """Sends status and headers; the body ends with the connection.

        Args:
            status: The status.
            headers: The fields; ``connection: close`` is added.
        """
        lines = [
            f"HTTP/1.1 {status} X",
            *(f"{name}: {value}" for name, value in headers),
            "connection: close",
        ]
        self.send("\r\n".join([*lines, "", ""]).encode("latin-1"))

    def send(self, data: bytes) -> None:
        """Sends bytes as they are.

        Raises:
            OSError: The client has left, or does not read.
        """
        self._socket.sendall(data)

    def dribble(self, data: bytes, *, size: int = 1, pause: float = 0.0) -> None:
        """Sends bytes a few at a time.

        Args:
            data: The bytes.
            size: How many at a time.
            pause: Seconds after each.
        """
        for start in range(0, len(data), size):
            self.send(data[start : start + size])
            if pause:
                time.sleep(pause)

    def cut(self) -> None:
        """Closes the connection (FIN), whatever was promised."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def reset(self) -> None:
        """Resets the connection (RST); what has not left yet is dropped."""
        # To linger for no time is to drop what was not sent, and to say so.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def wait_closed(self, seconds: float | None = None) -> bytes:
        """Waits until the client has left; returns what it sent before.

        Args:
            seconds: How long it waits; the server's timeout if not given.

        Raises:
            SSETimeout: It is still there.
        """
        self._socket.settimeout(self._timeout if seconds is None else seconds)
        sent = b""
        try:
            while received := self._socket.recv(1 << 16):
                sent += received
        except TimeoutError:
            raise SSETimeout("the client has not left") from None
        except OSError:
            return sent
        return sent


class WireServer(Endpoint, EitherWith["WireServer"]):
    """A listening socket, and the connections that came; `sse_wire_server` makes it.

    Attributes:
        host: The address that it listens on.
        port: The port.
    """

    def __init__(self, script: Callable[[WireConnection], object] | None, timeout: float) -> None:
        self._script = script
        self._timeout = timeout
        self._accepted: queue.SimpleQueue[WireConnection] = queue.SimpleQueue()
        self._connections: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._errors: list[Exception] = []
        self._ending = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._listener.settimeout(_POLL)
        self.host, self.port = self._listener.getsockname()[:2]

    def accept(self, seconds: float | None = None) -> WireConnection:
        """Waits for the next connection and its request; blocks its thread.

        Args:
            seconds: How long it waits; the server's timeout if not given.

        Raises:
            SSETimeout: None came.
        """
        patience = self._timeout if seconds is None else seconds
        try:
            return self._accepted.get(timeout=patience)
        except queue.Empty:
            raise SSETimeout(f"no client has asked within {patience:g} s") from None

    async def wait_accepted(self, seconds: float | None = None) -> WireConnection:
        """Waits for the next connection and its request, in a worker thread.

        Args:
            seconds: How long it waits; the server's timeout if not given.

        Raises:
            SSETimeout: None came.
        """
        return await anyio.to_thread.run_sync(self.accept, seconds)

    def __enter__(self) -> Self:
        self._start(self._accept_all)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        self._threads[0].join()
        self._listener.close()
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads[1:]:
            thread.join(self._timeout)
        for connection in self._connections:
            connection.close()
        # A client that does not like what it gets may leave: that a script could not go on is then no fault.
        errors = [error for error in self._errors if not isinstance(error, OSError)]
        if errors and exc is None:
            raise errors[0]

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, name="sse_wire_server", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept_all(self) -> None:
        while not self._ending.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            self._connections.append(connection)
            # A client that connects and does not ask holds up nobody.
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        try:
            asked = WireConnection(connection, self._timeout)
            if self._script is None:
                self._accepted.put(asked)
            else:
                self._script(asked)
                asked.cut()
        except Exception as exc:
            self._errors.append(exc)
            connection.close()


def sse_wire_server(
    script: Callable[[WireConnection], object] | None = None, *, timeout: float = 5.0
) -> WireServer:
    r"""Listens on a raw socket, for the length of a ``with`` or ``async with`` statement, to test clients.

    >>> import urllib.request
    >>> def script(connection):
    ...     connection.start()
    ...     connection.dribble(b"data: hello\n\n")
    >>> with sse_wire_server(script) as server, urllib.request.urlopen(server.url) as answer:
    ...     answer.read()
    b'data: hello\n\n'

    Args:
        script: Is called with each connection, in a thread of its own; the connection is closed after it. What it
            raises is raised when the statement is left, but for an ``OSError``: a client may leave. Without a
            script, take the connections from ``accept()``.
        timeout: Seconds that every wait may take.

    Returns:
        The server, as a context manager of itself.
    """
    return WireServer(script, check_seconds("timeout", timeout))
