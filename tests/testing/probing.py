"""Asks `server_probe` what a server does: a real one over a socket, or a personality in process."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import h11

from sseware.testing import connect
from tests.testing import server_probe

PATIENCE = 60.0


class Asked(NamedTuple):
    """What a client saw: the status (or that none came), when the head and the body came, how it ended."""

    status: int | None
    head_at: float
    body_at: float
    ending: str


class OverHTTP1:
    """One request over a socket, in HTTP/1.1."""

    def __init__(self, port: int, method: str, name: str, pieces: list[bytes]) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._http = h11.Connection(h11.CLIENT)
        headers = [("host", "localhost")]
        if len(pieces) == 1:
            headers.append(("content-length", str(len(pieces[0]))))
        elif pieces:
            headers.append(("transfer-encoding", "chunked"))
        self._send(h11.Request(method=method, target=f"/{name}", headers=headers))
        for piece in pieces:
            self._send(h11.Data(data=piece))
            # Each is to arrive on its own.
            time.sleep(0.03 if len(pieces) > 1 else 0)
        self._send(h11.EndOfMessage())
        self._began = time.monotonic()

    def _send(self, event: Any) -> None:
        self._socket.sendall(self._http.send(event) or b"")

    def read(self) -> Asked:
        status, head_at, body_at, ending = None, 0.0, 0.0, "complete"
        try:
            while not isinstance(event := self._http.next_event(), h11.EndOfMessage):
                now = time.monotonic() - self._began
                if event is h11.NEED_DATA:
                    self._http.receive_data(self._socket.recv(2**16))
                elif isinstance(event, h11.Response):
                    status, head_at = event.status_code, now
                elif isinstance(event, h11.Data):
                    body_at = body_at or now
                else:
                    break
        except (h11.RemoteProtocolError, OSError):
            ending = "cut"
        return Asked(status, head_at, body_at, ending)

    def leave(self) -> None:
        self._socket.close()


class OverHTTP2:
    """One request over a socket, in HTTP/2 without TLS."""

    def __init__(self, port: int, method: str, name: str, pieces: list[bytes]) -> None:
        import h2.config
        import h2.connection

        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._http = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=True, header_encoding="utf-8")
        )
        self._http.initiate_connection()
        headers = [
            (":method", method),
            (":scheme", "http"),
            (":authority", "localhost"),
            (":path", f"/{name}"),
        ]
        self._http.send_headers(1, headers, end_stream=not pieces)
        for number, piece in enumerate(pieces):
            self._http.send_data(1, piece, end_stream=number == len(pieces) - 1)
        self._socket.sendall(self._http.data_to_send())
        self._began = time.monotonic()

    def read(self) -> Asked:
        status, head_at, body_at = None, 0.0, 0.0
        while data := self._socket.recv(2**16):
            for event in self._http.receive_data(data):
                now = time.monotonic() - self._began
                kind = type(event).__name__
                if kind == "ResponseReceived":
                    fields = dict(getattr(event, "headers", ()))
                    status, head_at = int(fields[":status"]), now
                elif kind == "DataReceived":
                    body_at = body_at or now
                elif kind in ("StreamEnded", "StreamReset"):
                    return Asked(status, head_at, body_at, "complete" if kind == "StreamEnded" else "cut")
            self._socket.sendall(self._http.data_to_send())
        return Asked(status, head_at, body_at, "cut")

    def leave(self) -> None:
        self._socket.close()


class RealServer:
    """A server that runs the probe."""

    def __init__(self, port: int, client: type[OverHTTP1 | OverHTTP2]) -> None:
        self._port = port
        self._client = client

    async def ask(
        self, name: str, *, pieces: list[bytes] | None = None, leaves: float | None = None, reads: bool = True
    ) -> tuple[Asked | None, dict[str, Any]]:
        return await anyio.to_thread.run_sync(self._ask, name, pieces or [], leaves, reads)

    def _ask(
        self, name: str, pieces: list[bytes], leaves: float | None, reads: bool
    ) -> tuple[Asked | None, dict[str, Any]]:
        client = self._client(self._port, "POST" if pieces else "GET", name, pieces)
        asked = None
        if leaves is not None:
            # Not a wait for something: the client is there for a while, and then leaves.
            time.sleep(leaves)
        elif reads:
            asked = client.read()
        if leaves is not None or reads:
            client.leave()
        told = self._seen(name)
        client.leave()
        return asked, told

    def _seen(self, name: str) -> dict[str, Any]:
        with socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE) as asking:
            asking.sendall(f"GET /seen?{name} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
            answer = b"".join(iter(lambda: asking.recv(2**16), b""))
        found: dict[str, Any] = json.loads(answer.partition(b"\r\n\r\n")[2])
        return found


class InProcess:
    """A personality that runs the probe."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def ask(
        self, name: str, *, pieces: list[bytes] | None = None, leaves: float | None = None, reads: bool = True
    ) -> tuple[Asked | None, dict[str, Any]]:
        content = pieces[0] if pieces and len(pieces) == 1 else pieces
        method = "POST" if pieces else "GET"
        options: dict[str, Any] = {"method": method, "content": content, "server": self._name, "timeout": 60}
        asked = None
        async with connect(server_probe.app, f"/{name}", **options) as stream:
            head_at = stream.elapsed
            if leaves is not None:
                await anyio.sleep(leaves)
                await stream.disconnect()
            elif reads:
                ending = "complete"
                try:
                    await stream.read()
                except AssertionError:
                    ending = "cut"
                asked = Asked(stream.status, head_at, stream.chunks[0].at if stream.chunks else 0.0, ending)
            else:
                with stream.paused():
                    await anyio.sleep(5)
            await stream.disconnect()
            _ = stream.app_exception, stream.violations
        note = server_probe.seen.pop(name)
        return asked, {key: value for key, value in note.items() if key != "over"}


@contextmanager
def running(command: Callable[[int], list[str]], log: Path) -> Iterator[int]:
    """Runs a server in a process; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", *command(port)],
            cwd=Path(__file__).parent,
            stdout=errors,
            stderr=errors,
        )
    try:
        end = time.monotonic() + PATIENCE
        while True:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


async def observations(server: RealServer | InProcess, *, races: int = 1) -> dict[str, Any]:
    """What a server does, probe by probe.

    Args:
        server: Who is asked.
        races: How often two calls of receive race for one request before it counts that neither was told a
            disconnect.
    """
    found: dict[str, Any] = {}

    async def cancels() -> None:
        _, deaf = await server.ask("deaf", leaves=0.3)
        found["cancels"] = deaf["cancelled"] is not None

    async with anyio.create_task_group() as group:
        # It takes longer than all of the others.
        group.start_soon(cancels)
        _, found["scope"] = await server.ask("scope")
        _, found["a GET"] = await server.ask("request")
        _, found["a POST"] = await server.ask("request", pieces=[b"hello"])
        for _ in range(races):
            _, found["two calls of receive"] = await server.ask("two")
            if "http.disconnect" in found["two calls of receive"]["receives"]:
                break
        held, _ = await server.ask("held")
        found["the head waits for a body"] = held is not None and held.head_at > server_probe.SOON
        _, found["the client leaves"] = await server.ask("leave", leaves=0.3)
        _, found["the client leaves, a body is unread"] = await server.ask(
            "lost", pieces=[b"hello"], leaves=0.3
        )
        _, found["the end"] = await server.ask("end")
        _, stalled = await server.ask("stalled", reads=False)
        found["send blocks where nobody reads"] = stalled["blocks"]
        _, found["send lets the event loop turn"] = await server.ask("turns")
        for count in (8, 9):
            pieces = [b"x" * 10] * count
            _, found[f"{count} pieces of a body are unread"] = await server.ask("unread", pieces=pieces)
        raised, _ = await server.ask("raises")
        found["the application raises"] = raised is not None and raised.status
    return found
