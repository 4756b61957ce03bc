"""The clients of a soak: each keeps a history of what it was sent, and says what in it is wrong."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from sseware import EventStreamParser

__all__ = ["Client", "Weather"]

SILENCE = 20.0
"""Seconds after which a client that hears nothing, not even a ping, takes its stream for broken."""

EXCUSED = 6.0
"""Seconds after a fault in which what happens to a client is the fault's doing."""


class Weather:
    """Whether a fault is going on, or has just been."""

    def __init__(self) -> None:
        self._bad_until = 0.0

    def worsen(self, seconds: float) -> None:
        """Says that there is a fault for some seconds."""
        self._bad_until = max(self._bad_until, time.monotonic() + seconds + EXCUSED)

    @property
    def is_bad(self) -> bool:
        return time.monotonic() < self._bad_until


class Left(Exception):
    """The client has had enough."""


class Client:
    """One that comes and goes, and goes on where it left off.

    Attributes:
        problems: What was wrong, in sentences.
        counts: How often it connected, left, was cut off, saw an end; and how many events it has had.
    """

    def __init__(self, number: int, kind: str, address: tuple[str, int], weather: Weather) -> None:
        self.name = f"{kind}-{number}"
        self.problems: list[str] = []
        self.counts: Counter[str] = Counter()
        self._kind = kind
        self._address = address
        self._weather = weather
        self._last = 0
        self._random = random.Random(number)
        self._visit = _VISITS[kind]

    async def run(self) -> None:
        """Comes and goes until it is cancelled."""
        await asyncio.sleep(self._random.random() * 3)
        while True:
            was_bad = self._weather.is_bad
            try:
                await self._visit(self)
            except Left:
                self.counts["left"] += 1
            except (OSError, EOFError, TimeoutError) as exc:
                self.counts["cut off"] += 1
                if not (was_bad or self._weather.is_bad):
                    self.problems.append(f"{self.name} was cut off after event {self._last}: {exc!r}")
            await asyncio.sleep(self._random.random())

    async def _connect(self, path: str, *, small: bool = False) -> tuple[Any, asyncio.StreamWriter]:
        # A small buffer has to be asked for before there is a connection.
        connection = socket.socket()
        connection.setblocking(False)
        if small:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        try:
            async with asyncio.timeout(SILENCE):
                await asyncio.get_running_loop().sock_connect(connection, self._address)
            reader, writer = await asyncio.open_connection(sock=connection, limit=2**12 if small else 2**16)
        except BaseException:
            connection.close()
            raise
        self.counts["connected"] += 1
        request = f"GET {path}?client={self.name} HTTP/1.0\r\naccept: text/event-stream\r\n"
        writer.write(f"{request}last-event-id: {self._last or ''}\r\n\r\n".encode())
        return reader, writer

    def _leave(self, writer: asyncio.StreamWriter) -> None:
        """Leaves: half of the time with RST."""
        if self._random.random() < 0.5:
            with contextlib.suppress(OSError):
                connection = writer.get_extra_info("socket")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        else:
            writer.close()

    async def _read(self, path: str, most: int, *, pause: float = 0.0, size: int = 2**16) -> None:
        """Reads some events, and checks them."""
        reader, writer = await self._connect(path, small=bool(pause))
        try:
            async with asyncio.timeout(SILENCE):
                head = await reader.readuntil(b"\r\n\r\n")
            if b" 200 " not in head.partition(b"\r\n")[0]:
                raise ConnectionError(f"answered {head[:60]!r}")
            parser = EventStreamParser()
            seen = 0
            while chunk := await _within(reader.read(size)):
                for event in parser.feed(chunk):
                    if event.event == "finish":
                        self.counts["finished"] += 1
                        return
                    self._check(event.data)
                    seen += 1
                    if seen >= most:
                        raise Left
                if pause:
                    await asyncio.sleep(pause)
            raise EOFError("it ended without an end")
        except asyncio.IncompleteReadError as exc:
            raise EOFError("it ended in the head") from exc
        finally:
            self._leave(writer)

    def _check(self, data: str) -> None:
        name, number, filling = data.split(" ", 2)
        self.counts["events"] += 1
        if name != self.name:
            self.problems.append(f"{self.name} got an event of {name}")
        if int(number) != self._last + 1:
            self.problems.append(f"{self.name} got event {number} after {self._last}")
        if filling.strip("x"):
            self.problems.append(f"{self.name} got event {number} with a torn payload")
        self._last = int(number)

    async def _reads(self) -> None:
        await self._read("/ticks", self._random.randrange(3, 60))

    async def _reads_from_a_thread(self) -> None:
        await self._read("/sync", self._random.randrange(3, 60))

    async def _reads_slowly(self) -> None:
        # As fast as the server can tell it from one that stalls: room is made a third of a socket's buffer at a time.
        await self._read("/flood", 300, pause=0.2, size=16_384)

    async def _comes_and_goes(self) -> None:
        _, writer = await self._connect("/ticks")
        await asyncio.sleep(self._random.random() * 0.2)
        self._leave(writer)
        raise Left

    async def _stalls(self) -> None:
        _, writer = await self._connect("/flood", small=True)
        # Nothing is read: the server gives it up, and is not asked whether it has.
        writer.transport.pause_reading()  # type: ignore[attr-defined] # asyncio's transports that read have it
        await asyncio.sleep(24)
        self._leave(writer)
        raise Left


async def _within(awaitable: Awaitable[bytes]) -> bytes:
    # asyncio.wait_for loses a cancellation that comes together with the bytes, on Python 3.11.
    async with asyncio.timeout(SILENCE):
        return await awaitable


_VISITS: dict[str, Callable[[Client], Any]] = {
    "reader": Client._reads,
    "thread": Client._reads_from_a_thread,
    "slow": Client._reads_slowly,
    "churn": Client._comes_and_goes,
    "stalled": Client._stalls,
}
