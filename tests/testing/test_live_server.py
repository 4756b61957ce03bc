"""A real server for the length of a statement: it starts, ends whatever the application does, and says who leaked."""

from __future__ import annotations

import os
import socket
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from importlib.util import find_spec
from typing import Any

import anyio
import pytest

from sseware import SSEMiddleware
from sseware.testing import LIVE_SERVERS, sse_server
from sseware.testing.errors import AppLeaked, ServerFailed, SSETimeout, UnknownServer

SLOW = ["uvicorn-h2", "daphne"]
FAST = [name for name in LIVE_SERVERS if name not in SLOW]
NEEDS = {
    "uvicorn-httptools": "httptools",
    "uvicorn-uvloop": "uvloop",
    "uvicorn-h2": "zttp",
    "hypercorn-trio": "hypercorn",
}


def servers(*, but: tuple[str, ...] = ()) -> list[Any]:
    """Each server; those that take longer where SSEWARE_SLOW is set."""
    slow = pytest.mark.skipif(not os.environ.get("SSEWARE_SLOW"), reason="set SSEWARE_SLOW=1")
    return [*FAST, *(pytest.param(name, marks=slow) for name in SLOW if name not in but)]


@pytest.fixture
def server(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    needed = NEEDS.get(name, name.partition("-")[0])
    if find_spec(needed) is None:
        pytest.skip(f"{needed} is not installed")
    return name


async def endless() -> AsyncIterator[str]:
    yield "a"
    await anyio.sleep_forever()


async def deaf(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"x", "more_body": True})
    await anyio.sleep(1000)


async def deaf_and_stubborn(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    for _ in range(3):
        try:
            await deaf(scope, receive, send)
        except BaseException:  # that is the point
            continue


async def busy(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    while True:
        pass


async def broken(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no database"})


def ask(address: tuple[str, int]) -> socket.socket:
    connection = socket.create_connection(address, timeout=30)
    connection.sendall(b"GET /news HTTP/1.1\r\nhost: localhost\r\n\r\n")
    return connection


@pytest.mark.parametrize("server", servers(but=("uvicorn-h2",)), indirect=True)
def test_an_application_is_served_and_a_stream_ends_when_the_statement_is_left(server: str) -> None:
    closed: list[str] = []

    async def handler() -> AsyncIterator[str]:
        try:
            yield "a"
            await anyio.sleep_forever()
        finally:
            closed.append("closed")

    with sse_server(SSEMiddleware(handler), server) as running:
        assert running.url == f"http://127.0.0.1:{running.port}"
        with closing(ask(running.address)) as connection:
            while b"data: a" not in connection.recv(4096):
                pass
            assert running.calls == 1
    assert (running.pid == os.getpid()) is (server != "daphne")
    assert closed == (["closed"] if server != "daphne" else [])  # in its own process
    with pytest.raises(OSError):
        ask(running.address)


@pytest.mark.parametrize("server", servers(), indirect=True)
def test_an_application_that_does_not_end_is_named_and_ended(server: str) -> None:
    with (
        pytest.raises(AppLeaked) as caught,
        sse_server(deaf, server, timeout=0.2) as running,
        closing(ask(running.address)),
    ):
        _until_calls(running)
    assert str(caught.value).startswith(
        f"GET /news on {server} was still running 0.2 s after its client had left, in deaf ({__file__}:"
    )


def _until_calls(running: Any) -> None:
    end = time.monotonic() + 60
    while not running.calls:
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("app", [deaf_and_stubborn, busy])
def test_what_swallows_its_cancellation_or_blocks_the_loop_is_ended_too(app: Any) -> None:
    start = time.monotonic()
    with pytest.raises(AppLeaked), sse_server(app, timeout=0.2) as running, closing(ask(running.address)):
        _until_calls(running)
    assert time.monotonic() - start < 30


@pytest.mark.parametrize("server", servers(), indirect=True)
def test_a_startup_that_fails_says_why(server: str) -> None:
    if server == "daphne":
        pytest.skip("daphne has no lifespan")
    with (
        pytest.raises(ServerFailed, match=f"{server} did not start; .*no database"),
        sse_server(broken, server),
    ):
        pass


def test_a_server_that_ends_at_once_says_what_it_raised() -> None:
    with pytest.raises(ServerFailed, match=r"it ended: .*nonsense"), sse_server(deaf, http="nonsense"):
        pass


def test_a_leak_is_a_note_where_the_body_of_the_statement_has_raised() -> None:
    with pytest.raises(ZeroDivisionError) as caught, sse_server(deaf, timeout=0.1) as running:
        with closing(ask(running.address)):
            _until_calls(running)
        raise ZeroDivisionError
    (note,) = caught.value.__notes__
    assert note.startswith("GET /news on uvicorn was still running 0.1 s after its client had left")


def test_one_waits_until_nothing_is_answered() -> None:
    with sse_server(SSEMiddleware(endless)) as running:
        with closing(ask(running.address)) as connection:
            connection.recv(100)
            with pytest.raises(SSETimeout, match=r"uvicorn still answers 1 requests after 0.05 s"):
                running.wait_idle(0.05)
        running.wait_idle()
        assert running.calls == 0


@pytest.mark.anyio
async def test_an_async_test_enters_it_without_blocking_its_loop() -> None:
    async with sse_server(SSEMiddleware(lambda: ["a"])) as running:
        answer = await anyio.to_thread.run_sync(_get, running.url)
    assert answer == b"data: a\n\n"


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as answer:
        body: bytes = answer.read()
    return body


def test_options_are_the_servers_own() -> None:
    with (
        sse_server(SSEMiddleware(lambda: ["a"]), "uvicorn-h11", headers=[("x-ours", "1")]) as running,
        urllib.request.urlopen(running.url, timeout=30) as answer,
    ):
        assert answer.headers["x-ours"] == "1"


def test_an_unknown_server_is_an_error_that_lists_them() -> None:
    with pytest.raises(UnknownServer, match="unknown server 'apache'; there are: uvicorn, uvicorn-h11"):
        sse_server(deaf, "apache")


def test_a_server_that_is_not_installed_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(name: str) -> object:
        return None if name == "granian" else name

    monkeypatch.setattr("sseware.testing._live_server.find_spec", find)
    with pytest.raises(UnknownServer, match=r"hypercorn-trio, daphne \(install granian to have it\)"):
        sse_server(deaf, "granian")


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), "5"])
def test_a_timeout_is_a_positive_number(seconds: Any) -> None:
    with pytest.raises(ValueError, match="timeout must be a positive number of seconds"):
        sse_server(deaf, timeout=seconds)


@pytest.fixture(autouse=True)
def _no_descriptor_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    before = _descriptors()
    yield
    if not {"granian", "uvicorn-uvloop"} & set(request.node.name.strip("]").split("[")):
        # These two keep some for their libraries.
        assert _descriptors() <= before


def _descriptors() -> int:
    return len(os.listdir("/dev/fd"))
