"""A client on a raw socket that can leave as clients do, and what the tests over real servers wait for."""

from __future__ import annotations

import math
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

import h11
import pytest

from sseware.testing import sse_server

__all__ = [
    "Answer",
    "Client",
    "HowToLeave",
    "children",
    "fastest",
    "is_alive",
    "needs_proc",
    "seconds_until",
    "serving",
]

HowToLeave = Literal["FIN", "RST", "half-close"]
PATIENCE = 30.0
"""Seconds that a client waits for the next bytes, and a test for a condition."""


@contextmanager
def serving(
    app: Any, http: Literal["h11", "httptools"], ws: Literal["none", "websockets-sansio"] = "none"
) -> Iterator[tuple[str, int]]:
    """Runs an application on uvicorn, on a port of its own; gives its address."""
    with sse_server(app, f"uvicorn-{http}", timeout=PATIENCE, ws=ws, lifespan="on") as server:
        yield server.address


class Answer(NamedTuple):
    """A whole response, which has ended as HTTP wants it."""

    status: int
    headers: dict[str, str]
    body: bytes


class Client:
    """A connection that asks once. It reads only when it is told to."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._socket = socket.create_connection(address, timeout=PATIENCE)
        self._http = h11.Connection(h11.CLIENT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection."""
        self._socket.close()

    def ask(
        self,
        target: str,
        *,
        method: str = "POST",
        body: bytes = b"",
        accept: str | None = "*/*",
    ) -> None:
        """Sends a request."""
        headers = [("host", "localhost"), ("content-length", str(len(body)))]
        if accept is not None:
            headers.append(("accept", accept))
        for event in (
            h11.Request(method=method, target=target, headers=headers),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self._socket.sendall(self._http.send(event) or b"")

    def _next(self) -> h11.Event:
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                self._http.receive_data(self._socket.recv(2**16))
            elif isinstance(event, h11.Event):
                return event

    def head(self) -> tuple[int, dict[str, str]]:
        """Reads the status and the header fields, names in lower case."""
        event = self._next()
        assert isinstance(event, h11.Response)
        return event.status_code, {name.decode(): value.decode("latin-1") for name, value in event.headers}

    def chunks(self) -> Iterator[tuple[float, bytes]]:
        """Reads the body, each piece with the time of its arrival, to its end.

        Raises:
            h11.RemoteProtocolError: It was cut off.
        """
        while isinstance(event := self._next(), h11.Data):
            yield time.monotonic(), bytes(event.data)

    def until(self, end: bytes) -> bytes:
        """Reads the body until something has come."""
        body = bytearray()
        for _, chunk in self.chunks():
            searched = max(0, len(body) - len(end))
            body += chunk
            if body.find(end, searched) >= 0:
                return bytes(body)
        raise AssertionError(f"the body has ended without {end!r}: {bytes(body[-1000:])!r}")

    def answer(self) -> Answer:
        """Reads the whole response."""
        status, headers = self.head()
        return Answer(status, headers, b"".join(chunk for _, chunk in self.chunks()))

    def leave(self, how: HowToLeave) -> None:
        """Goes away without having asked for everything.

        One that half-closes reads what is still sent to it: uvicorn flushes before it tells of the disconnect, and a
        client that neither reads nor closes is a stalled reader, for which there is ``send_timeout``.
        """
        if how == "half-close":
            self._socket.shutdown(socket.SHUT_WR)
            while self._socket.recv(2**16):
                continue
            return
        if how == "RST":
            # To linger for no time is to drop what was not sent, and to say so.
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()


def seconds_until(condition: Callable[[], object]) -> float:
    """Waits until something is so; returns how long it took."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < PATIENCE, "it never came to be"
        # Not a guess at how long it takes: it is asked again.
        time.sleep(0.001)
    return time.monotonic() - start


def fastest(measure: Callable[[], float], enough: float, attempts: int = 12) -> float:
    """Measures seconds until they are few enough; whatever else the machine does only ever adds to them."""
    best = math.inf
    for attempt in range(attempts):
        best = min(best, measure())
        if best < enough:
            break
        time.sleep(0.05 * attempt)  # others have the machine
    return best


def is_alive(pid: int) -> bool:
    """Whether a process runs. A dead one that has lost its parent waits for the machine's first process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def children(pid: int | str = "self") -> set[int]:
    """The processes that a process has started; dead ones that nobody waited for included."""
    found = set[int]()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread that has ended
            found.update(map(int, task.read_text(encoding="ascii").split()))
    return found


needs_proc = pytest.mark.skipif(
    not Path("/proc/self/task").exists(), reason="processes and descriptors are counted in /proc"
)
