"""A TCP proxy between a client and a server that does to their connections what networks do.

It runs on an event loop in a thread of its own, so that it works for every client, sync or async, on any loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterable
from functools import partial
from types import TracebackType
from typing import Final, Self

from ._either_with import EitherWith
from ._endpoint import Endpoint
from ._faults import Faults

__all__ = ["FaultProxy", "fault_proxy"]

_CHUNK: Final = 1 << 14
_BUFFER: Final = 1 << 14
"""Bytes that a socket of the proxy may hold: a reader that has stalled is to be felt at the other end."""
_TO_END: Final = 5.0


class FaultProxy(Endpoint, EitherWith["FaultProxy"]):
    """A proxy in a thread; `fault_proxy` makes it.

    Attributes:
        host: The address that it listens on.
        port: The port.
        faults: What happens from here on, to connections that there are, too; set it at any time.
    """

    def __init__(self, target: tuple[str, int], faults: Faults) -> None:
        self._target = target
        self._faults = faults
        self._pairs: set[_Pair] = set()
        self._clients: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="fault_proxy", daemon=True)
        self._serving = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
        self.host, self.port = self._listener.getsockname()[:2]

    @property
    def faults(self) -> Faults:
        """What happens to what the server sends."""
        return self._faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._faults = faults
        self._call(self._tell)

    @property
    def connections(self) -> int:
        """How many connections there are."""
        return len(self._pairs)

    def cut(self) -> None:
        """Closes every connection (FIN), at both ends."""
        self._call(partial(_each, self._pairs, _Pair.close))

    def reset(self) -> None:
        """Resets every connection (RST), at both ends."""
        self._call(partial(_each, self._pairs, _Pair.reset))

    def __enter__(self) -> Self:
        self._loop = asyncio.SelectorEventLoop()
        self._thread.start()
        # A loop that is stopped before it serves would break off in the middle of its own start.
        self._serving.wait(_TO_END)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_TO_END)

    def _call(self, function: Callable[[], object]) -> None:
        """Calls a function in the thread of the loop, and waits until it was called."""
        done = threading.Event()

        def call() -> None:
            function()
            done.set()

        if self._loop is not None:
            self._loop.call_soon_threadsafe(call)
            done.wait(_TO_END)

    def _tell(self) -> None:
        # Whoever waits looks again, and waits for the next one.
        self._changed.set()
        self._changed = asyncio.Event()

    def _run(self) -> None:
        loop = self._loop
        if loop is None:
            return
        loop.set_exception_handler(lambda *_: None)
        server = loop.run_until_complete(asyncio.start_server(self._accepted, sock=self._listener))
        loop.call_soon(self._serving.set)
        loop.run_forever()
        loop.run_until_complete(self._end_all(server))
        loop.close()

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A task that is cancelled before its first step never takes one, and closes nothing.
        self._clients.add(writer)
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(partial(self._served, writer))

    def _served(self, writer: asyncio.StreamWriter, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._clients.discard(writer)
        if task.cancelled():
            _reset(writer)

    async def _end_all(self, server: asyncio.Server) -> None:
        # asyncio never closes a connection that it has accepted where its server closes before it is looked at.
        asyncio.get_running_loop().remove_reader(self._listener)
        await asyncio.sleep(0)
        server.close()
        for pair in list(self._pairs):
            pair.reset()
        await _cancel_others()
        for writer in self._clients:
            _reset(writer)
        # Transports that were aborted close their sockets in the next turn.
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._faults.refuse:
            _reset(writer)
            return
        try:
            onward = await asyncio.open_connection(*self._target, limit=_CHUNK)
        except OSError:
            _reset(writer)
            return
        pair = _Pair((reader, writer), onward)
        self._pairs.add(pair)
        try:
            await asyncio.gather(self._hand_up(pair), self._hand_down(pair))
        except OSError:
            # One end was reset: so is the other, for it is to see what happened.
            pair.reset()
        finally:
            pair.close()
            self._pairs.discard(pair)

    async def _hand_up(self, pair: _Pair) -> None:
        while data := await pair.client_reader.read(_CHUNK):
            pair.server_writer.write(data)
            await pair.server_writer.drain()
        # It may read on: only this direction has ended.
        pair.server_writer.write_eof()

    async def _hand_down(self, pair: _Pair) -> None:
        count = 0
        while data := await pair.server_reader.read(_CHUNK):
            await self._unstalled()
            if self._faults.latency:
                await asyncio.sleep(self._faults.latency)
            size = self._faults.dribble or len(data)
            for start in range(0, len(data), size):
                await self._unstalled()
                piece = data[start : start + size]
                ending = self._ending(pair, count, len(piece))
                if ending is not None:
                    most, end = ending
                    pair.client_writer.write(piece[:most])
                    end()
                    return
                pair.client_writer.write(piece)
                await pair.client_writer.drain()
                count += len(piece)
                if self._faults.pause:
                    await asyncio.sleep(self._faults.pause)
        pair.close()

    def _ending(self, pair: _Pair, count: int, more: int) -> tuple[int, Callable[[], None]] | None:
        """Returns how many of the next bytes a connection still gets, and what happens then."""
        for limit, end in (
            (self._faults.reset_after, pair.reset_later),
            (self._faults.cut_after, pair.close),
        ):
            if limit is not None and count + more >= limit:
                return max(0, limit - count), end
        return None

    async def _unstalled(self) -> None:
        while self._faults.stall:
            await self._changed.wait()


async def _cancel_others() -> None:
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        # What was about to be accepted has a task by now.
        await asyncio.sleep(0)


def _each(pairs: Iterable[_Pair], end: Callable[[_Pair], None]) -> None:
    for pair in list(pairs):
        end(pair)


class _Pair:
    """The two ends of a connection through the proxy."""

    def __init__(
        self,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self.client_reader, self.client_writer = client
        self.server_reader, self.server_writer = server
        for writer in (self.client_writer, self.server_writer):
            connection = writer.get_extra_info("socket")
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
            transport: asyncio.WriteTransport = writer.transport
            transport.set_write_buffer_limits(high=_BUFFER)

    def close(self) -> None:
        for writer in (self.client_writer, self.server_writer):
            writer.close()

    def reset(self) -> None:
        for writer in (self.client_writer, self.server_writer):
            _reset(writer)

    def reset_later(self) -> None:
        # What was written first is to arrive: a reset overtakes what is on its way.
        asyncio.get_running_loop().call_later(0.05, self.reset)


def _reset(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        # To linger for no time is to drop what was not sent, and to say so.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def fault_proxy(target: tuple[str, int], faults: Faults | None = None) -> FaultProxy:
    r"""Puts a proxy with faults in front of a server, for the length of a ``with`` or ``async with`` statement.

    >>> import urllib.request
    >>> from sseware.testing import sse_wire_server
    >>> def script(connection):
    ...     connection.start()
    ...     connection.send(b"data: hello\n\n")
    >>> with sse_wire_server(script) as server, fault_proxy(server.address, Faults(dribble=1)) as proxy:
    ...     urllib.request.urlopen(proxy.url).read()
    b'data: hello\n\n'

    Args:
        target: Host and port of the server.
        faults: What happens from the beginning; ``proxy.faults`` changes it.

    Returns:
        The proxy, as a context manager of itself.
    """
    return FaultProxy(target, faults or Faults())
