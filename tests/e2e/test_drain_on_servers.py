"""SIGTERM while streams are open, on real servers: everybody gets a goodbye and a clean end."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import h11
import pytest

from sseware import SSEMiddleware
from sseware.asgi import Drain
from tests.e2e.servers import Client, fastest, seconds_until

uvicorn = pytest.importorskip("uvicorn")
pytest.importorskip("hypercorn")

import hypercorn.asyncio  # noqa: E402
import hypercorn.config  # noqa: E402
import hypercorn.trio  # noqa: E402

from sseware.integrations.hypercorn import draining  # noqa: E402
from sseware.integrations.uvicorn import DrainingServer  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
GRACE = 1.0
PATIENCE = 60.0
FAREWELL = re.compile(rb": the server is stopping; reconnect\n\nretry: ([1-4]\d{3}|5000)\n\n\Z")

Command = Callable[[str, int], list[str]]
UVICORN = ("uvicorn", "--log-level", "warning", "--lifespan")
SERVERS: dict[str, Command] = {
    "uvicorn-h11": lambda app, port: [*UVICORN, "on", app, "--port", f"{port}", "--http=h11", "--loop=asyncio"],
    "uvicorn-httptools-uvloop": lambda app, port: [
        *UVICORN, "on", app, "--port", f"{port}", "--http=httptools", "--loop=uvloop"
    ],
    "uvicorn-workers": lambda app, port: [*UVICORN, "on", app, "--port", f"{port}", "--workers=2"],
    "uvicorn-auto": lambda app, port: [*UVICORN, "auto", app, "--port", f"{port}"],
    "hypercorn-asyncio": lambda app, port: [
        "hypercorn", app, "--bind", f"127.0.0.1:{port}", "-w0", "--log-level=warning"
    ],
    "hypercorn-trio": lambda app, port: [
        "hypercorn", app, "--bind", f"127.0.0.1:{port}", "-w0", "-ktrio", "--log-level=warning"
    ],
    "granian": lambda app, port: [
        "granian", app, "--interface=asgi", "--port", f"{port}", "--log-level=warning"
    ],
}  # fmt: skip


class Told(NamedTuple):
    """What a client was told, and when its answer ended.

    Attributes:
        seconds: After the signal.
        clean: Whether it ended as HTTP wants it.
        body: The whole body.
    """

    seconds: float
    clean: bool
    body: bytes


class Process:
    """A server, and what it has written where errors go."""

    def __init__(self, words: list[str], port: int, errors: Path) -> None:
        environment = {**os.environ, "DRAINED_APP_GRACE": str(GRACE)}
        with errors.open("wb") as file:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", *words], cwd=ROOT, stdout=file, stderr=file, env=environment
            )
        self.port = port
        self._errors = errors

    @property
    def errors(self) -> str:
        return self._errors.read_text(encoding="utf-8", errors="replace")

    def wait_ready(self) -> None:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                assert self.popen.poll() is None, self.errors
                assert time.monotonic() < end, self.errors
                time.sleep(0.02)  # a real process is on its way
            else:
                return

    def wait_workers(self, count: int) -> None:
        """Asks until so many processes have answered: the socket listens before any of them is up."""
        seen = set[bytes]()
        end = time.monotonic() + PATIENCE
        while len(seen) < count:
            assert time.monotonic() < end, f"only {seen} answered: {self.errors}"
            with ExitStack() as stack:
                # Together, so that one alone is too slow for all of them.
                asking = [
                    stack.enter_context(socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE))
                    for _ in range(10)
                ]
                for each in asking:
                    each.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
                seen.update(map(_process_that_answers, asking))

    async def stop(self) -> float:
        """Sends SIGTERM, and returns the seconds until the process has ended."""
        start = time.monotonic()
        self.popen.send_signal(signal.SIGTERM)
        while self.popen.poll() is None:
            assert time.monotonic() - start < PATIENCE, self.errors
            await asyncio.sleep(0.01)
        return time.monotonic() - start


def _process_that_answers(connection: socket.socket) -> bytes:
    answer = b""
    while not (found := re.search(rb"process (\d+)\n", answer)):
        more = connection.recv(2**16)
        assert more, answer
        answer += more
    return found[1]


@contextmanager
def running(name: str, app: str, errors: Path, *more: str) -> Iterator[Process]:
    pytest.importorskip(name.partition("-")[0])
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = Process([*SERVERS[name](f"tests.e2e.drained_app:{app}", port), *more], port, errors)
    with process.popen:
        try:
            process.wait_ready()
            yield process
        finally:
            process.popen.kill()


async def client(port: int, path: str, opened: asyncio.Semaphore, signalled: list[float]) -> Told:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    http, body, clean = h11.Connection(h11.CLIENT), b"", False
    writer.write(http.send(h11.Request(method="GET", target=path, headers=[("host", "localhost")])) or b"")
    http.send(h11.EndOfMessage())
    try:
        while not clean:
            event = http.next_event()
            if event is h11.NEED_DATA:
                http.receive_data(await reader.read(2**16))
            elif isinstance(event, h11.Data):
                if not body:
                    opened.release()
                body += bytes(event.data)
            else:
                clean = isinstance(event, h11.EndOfMessage)
                assert clean or isinstance(event, h11.Response), event
    except (h11.RemoteProtocolError, OSError):
        pass
    writer.close()
    return Told(time.monotonic() - signalled[0], clean, body)


async def open_and_stop(process: Process, count: int, path: str = "/") -> tuple[list[Told], float]:
    """Opens streams, sends SIGTERM; returns what the clients were told, and when the server had ended."""
    opened, signalled = asyncio.Semaphore(0), list[float]()
    async with asyncio.timeout(PATIENCE):
        tasks = [asyncio.create_task(client(process.port, path, opened, signalled)) for _ in range(count)]
        for _ in tasks:
            await opened.acquire()
        signalled.append(time.monotonic())
        seconds = await process.stop()
        return [await task for task in tasks], seconds


def assert_said_goodbye(told: list[Told]) -> None:
    assert [each for each in told if not (each.clean and FAREWELL.search(each.body))] == []
    retries = {each.body.rpartition(b"retry: ")[2] for each in told}
    assert len(retries) > len(told) / 4, "they are told different times"


def stopped_in_time(
    name: str, app: str, errors: Path, count: int, path: str = "/", attempts: int = 5, workers: int = 0
) -> tuple[list[Told], str]:
    """Opens streams on a server and stops it; returns what the clients were told, and what the server wrote.

    Whatever else the machine does only ever adds to the time that this takes: it has some attempts.
    """
    with running(name, app, errors) as process:
        process.wait_workers(workers)
        told, seconds = asyncio.run(open_and_stop(process, count, path))
        assert_said_goodbye(told)
        last = max(each.seconds for each in told)
        if max(last, seconds) <= GRACE + 1:
            return told, process.errors
        assert attempts > 1, f"the last stream ended after {last:g} s, the server after {seconds:g} s"
    return stopped_in_time(name, app, errors, count, path, attempts - 1, workers)


@pytest.mark.parametrize("name", [name for name in SERVERS if name != "uvicorn-auto"])
def test_fifty_streams_get_a_goodbye_and_the_server_ends_in_time(name: str, tmp_path: Path) -> None:
    """S1, S2: they do not all come back at once."""
    wanted = 2 if name == "uvicorn-workers" else 1
    for _ in range(5):
        told, errors = stopped_in_time(name, "app", tmp_path / "errors", 50, workers=wanted)
        ends = [each.seconds for each in told]
        assert max(ends) - min(ends) >= GRACE / 2
        assert "Traceback" not in errors
        # One of the workers may still take every connection: then it has to be tried again.
        if len({each.body.partition(b"\n")[0] for each in told}) == wanted:
            return
    pytest.fail("one of the workers never had a stream")


def test_a_wrapped_application_without_a_lifespan_says_goodbye_too(tmp_path: Path) -> None:
    """S1."""
    stopped_in_time("uvicorn-auto", "wrapped", tmp_path / "errors", 20)


def test_handlers_that_will_not_end_hold_no_server_up(tmp_path: Path) -> None:
    """S4: their clients get their goodbye, and the process ends."""
    _, errors = stopped_in_time("uvicorn-h11", "app", tmp_path / "errors", 20, "/stubborn")
    assert errors.count("is abandoned") == 20


@pytest.mark.parametrize("name", ["uvicorn-httptools-uvloop", "hypercorn-asyncio", "granian"])
def test_what_streams_use_is_closed_after_the_last_one_and_once(name: str, tmp_path: Path) -> None:
    """S7."""
    _, errors = stopped_in_time(name, "resourceful", tmp_path / "errors", 20)
    assert re.findall(r"closed while \d+ were open", errors) == ["closed while 0 were open"]


@pytest.mark.skipif("not os.environ.get('SSEWARE_SLOW')", reason="slow: set SSEWARE_SLOW=1")
@pytest.mark.parametrize("name", ["uvicorn-h11", "uvicorn-httptools-uvloop", "granian"])
def test_a_thousand_streams_get_a_goodbye(name: str, tmp_path: Path) -> None:
    """S1."""
    stopped_in_time(name, "app", tmp_path / "errors", 1000)


def test_stalled_readers_do_not_keep_a_server_that_has_a_limit_and_the_log_names_it(tmp_path: Path) -> None:
    """S5."""

    def measure() -> float:
        with running("uvicorn-h11", "app", tmp_path / "errors", "--timeout-graceful-shutdown=2") as process:
            clients = [Client(("127.0.0.1", process.port)) for _ in range(5)]
            for each in clients:
                each.ask("/firehose", method="GET")
                each.head()
            time.sleep(0.5)  # their buffers fill
            seconds = asyncio.run(process.stop())
            assert "5 of the answers did not end within the 1 s" in process.errors
            assert "timeout_graceful_shutdown" in process.errors
            for each in clients:
                each.__exit__()
        return seconds

    assert fastest(measure, 2 + 1, attempts=3) <= 2 + 1


async def endless() -> AsyncIterator[str]:
    yield "a"
    await anyio.sleep_forever()


@contextmanager
def in_thread(run: Callable[[], object], stop: Callable[[], object]) -> Iterator[None]:
    """Runs a server in a thread; it should have ended by the end of the statement, and has to soon after."""
    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    except BaseException:
        stop()
        raise
    finally:
        thread.join(PATIENCE)
        assert not thread.is_alive()


@contextmanager
def uvicorn_in_thread(app: SSEMiddleware, **options: Any) -> Iterator[tuple[DrainingServer, tuple[str, int]]]:
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="warning", lifespan="on", **options)
    server = DrainingServer(config, app.drain, None)
    assert config.timeout_graceful_shutdown == 2

    def stop() -> None:
        server.should_exit = server.force_exit = True

    with in_thread(lambda: server.run(sockets=[listener]), stop):
        yield server, listener.getsockname()


@contextmanager
def streaming(address: tuple[str, int]) -> Iterator[Client]:
    """Has a stream open, whose first event has come."""
    with Client(address) as client:
        client.ask("/", method="GET")
        client.head()
        client.until(b"data: a\n\n")
        yield client


def rest(client: Client) -> bytes:
    """Reads to the end, which has to be clean."""
    return b"".join(chunk for _, chunk in client.chunks())


def test_a_server_that_has_served_enough_lets_its_streams_leave() -> None:
    """S1: uvicorn's limit_max_requests; in a thread, where no signal comes."""
    app = SSEMiddleware(endless, drain=Drain(grace=GRACE))
    with uvicorn_in_thread(app, limit_max_requests=1) as (_, address), streaming(address) as client:
        with Client(address) as other:
            other.ask("/", method="HEAD")
            other.head()
        assert FAREWELL.search(rest(client))


def test_the_drain_of_one_server_is_not_that_of_another_in_the_same_process() -> None:
    """S6: the same application on two servers, each in a thread."""
    app = SSEMiddleware(endless, drain=Drain(grace=GRACE))
    with (
        uvicorn_in_thread(app) as (other, second),
        uvicorn_in_thread(app) as (one, first),
        streaming(first) as mine,
        streaming(second) as others,
    ):
        one.should_exit = True
        assert FAREWELL.search(rest(mine))
        with streaming(second) as newcomer:
            other.should_exit = True
            assert FAREWELL.search(rest(newcomer))
        assert FAREWELL.search(rest(others))


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_hypercorn_waits_for_its_streams_and_sends_newcomers_away(backend: str) -> None:
    """S1, S3: its own limit of three seconds does not begin before they have left."""
    app, told = SSEMiddleware(endless, drain=Drain(grace=GRACE)), threading.Event()
    config = hypercorn.config.Config()
    config.loglevel = "WARNING"
    listener = socket.create_server(("127.0.0.1", 0))
    address = listener.getsockname()
    config.bind = [f"fd://{listener.detach()}"]

    async def trigger() -> None:
        while not told.is_set():
            await anyio.sleep(0.01)

    async def main() -> None:
        serve: Any = hypercorn.trio.serve if backend == "trio" else hypercorn.asyncio.serve
        await serve(app, config, shutdown_trigger=draining(app.drain, None, trigger=trigger))

    with in_thread(lambda: anyio.run(main, backend=backend), told.set), ExitStack() as stack:
        # More than a handful, so that some stay for a while.
        clients = [stack.enter_context(streaming(address)) for _ in range(20)]
        told.set()
        seconds_until(lambda: is_sent_away(address))
        assert all(FAREWELL.search(rest(client)) for client in clients)


def is_sent_away(address: tuple[str, int]) -> bool:
    with Client(address) as newcomer:
        newcomer.ask("/", method="GET")
        status, headers = newcomer.head()
        return status == 503 and "retry-after" in headers
