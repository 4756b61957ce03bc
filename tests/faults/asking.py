"""A client on a raw socket, for what no HTTP library would do, and what a test waits for."""

from __future__ import annotations

import gc
import itertools
import json
import math
import socket
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from sseware.testing import LiveServer
from tests.e2e.servers import PATIENCE, Answer, Client, HowToLeave, seconds_until

__all__ = ["Answer", "Client", "HowToLeave", "Note", "Site", "p99", "p99_of", "seconds_until", "within"]


class Note(NamedTuple):
    """What a handler noted, and where."""

    what: str
    time: float
    task: int
    thread: str
    context: str


class Site:
    """The application on a server.

    Attributes:
        server: The server.
        app: The application, where it is in this process.
        complaints: What libraries have logged of things that were left behind.
    """

    _keys = itertools.count()

    def __init__(self, server: LiveServer, app: Any, complaints: list[str]) -> None:
        self.server = server
        self.app = app
        self.complaints = complaints
        self.name = server.name

    def key(self) -> str:
        """Makes a key under which nothing was noted."""
        return f"k{next(self._keys)}"

    def ask(
        self, path: str, *, key: str = "", accept: str | None = "text/event-stream", **more: Any
    ) -> Answer:
        """Asks, and reads the whole answer."""
        with Client(self.server.address) as client:
            client.ask(with_key(path, key), accept=accept, **{"method": "GET", **more})
            return client.answer()

    def open(
        self, path: str, *, key: str = "", accept: str | None = "text/event-stream", small: bool = False
    ) -> Client:
        """Asks, and reads nothing."""
        client = Client(self.server.address)
        if small:
            client._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.ask(with_key(path, key), method="GET", accept=accept)
        return client

    def raw(self) -> socket.socket:
        """Connects, and asks nothing."""
        return socket.create_connection(self.server.address, timeout=PATIENCE)

    def notes(self, key: str) -> list[Note]:
        """What was noted under a key."""
        return [Note(*each) for each in json.loads(self.ask(f"/log?key={key}").body)]

    def wait_note(self, key: str, what: str, count: int = 1) -> list[Note]:
        """Waits until something was noted."""
        found: list[Note] = []

        def there() -> bool:
            found[:] = self.notes(key)
            return [note.what for note in found].count(what) >= count

        seconds_until(there)
        return found


def p99_of(site: Site, path: str, count: int = 50) -> float:
    """How long a request takes."""
    seconds = []
    for _ in range(count):
        start = time.monotonic()
        assert site.ask(path).status == 200
        seconds.append(time.monotonic() - start)
    return p99(seconds)


def with_key(path: str, key: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}key={key}" if key else path


def p99(seconds: list[float]) -> float:
    """The 99th percentile: of a hundred the largest but one."""
    ordered = sorted(seconds)
    return ordered[max(0, math.ceil(len(ordered) * 0.99) - 1)]


def within(
    limit: float, measure: Callable[[], float], *, idle: Callable[[], float] | None = None, attempts: int = 10
) -> None:
    """Fails where seconds are too many each time; whatever else the machine does only ever adds to them."""
    # The server shares this process with what the tests before have left; its collections are not to look at that.
    gc.collect()
    gc.freeze()
    try:
        _try_within(limit, measure, idle, attempts)
    finally:
        gc.unfreeze()


def _try_within(
    limit: float, measure: Callable[[], float], idle: Callable[[], float] | None, attempts: int
) -> None:
    seen: list[float] = []
    for _ in range(attempts):
        # What the machine does to a request that nothing is beside is not the server's doing.
        rest = idle() if idle is not None else 0.0
        seen.append(measure())
        if seen[-1] < max(limit, 3 * rest):
            return
        # Others have the machine.
        time.sleep(0.2)
    raise AssertionError(f"{min(seen):.3f} s, and should be < {limit} s; tried {attempts} times")
