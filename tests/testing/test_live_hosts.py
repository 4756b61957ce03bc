"""A server in a process of its own: it is asked and told over a line, and never left behind."""

from __future__ import annotations

import os
import signal
import socket
import urllib.request
from contextlib import closing, suppress
from typing import Any

import anyio
import pytest

from sseware import SSEMiddleware
from sseware.testing._engine import Engine
from sseware.testing._live_calls import wait_for
from sseware.testing._live_engines import Uvicorn
from sseware.testing._live_hosts import InProcess, InThread
from sseware.testing.errors import ServerFailed

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="it forks")


def uvicorn(app: Any) -> Engine:
    return Uvicorn(app, {}, http="h11")


async def deaf(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"x", "more_body": True})
    await anyio.sleep(1000)


async def broken(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no database"})


def started(app: Any) -> InProcess:
    host = InProcess("uvicorn", uvicorn, app)
    host.start(30)
    return host


def has_ended(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return False
    return True


def ask(host: InProcess) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", host.port), timeout=30)
    connection.sendall(b"GET /news HTTP/1.1\r\nhost: localhost\r\n\r\n")
    connection.recv(100)
    return connection


def test_it_runs_beside_this_process_and_ends_when_it_is_told() -> None:
    host = started(SSEMiddleware(lambda: ["a"]))
    assert host.pid != os.getpid()
    with urllib.request.urlopen(f"http://127.0.0.1:{host.port}", timeout=30) as answer:
        assert answer.read() == b"data: a\n\n"
    assert wait_for(lambda: host.calls() == 0, 30)
    assert host.stop(5) == []
    assert has_ended(host.pid)


def test_what_leaks_there_is_told_here() -> None:
    host = started(deaf)
    with closing(ask(host)):
        assert host.calls() == 1
        ((name, places),) = host.stop(0.2)
    assert name == "GET /news"
    assert places[-1].startswith(f"deaf ({__file__}:")
    assert has_ended(host.pid)


def test_a_startup_that_fails_there_is_told_here() -> None:
    host = InProcess("uvicorn", uvicorn, broken)
    with pytest.raises(
        ServerFailed, match="uvicorn did not start; the application's startup failed: no database"
    ):
        host.start(30)
    assert has_ended(host.pid)


def test_a_process_that_dies_is_no_mystery() -> None:
    host = started(deaf)
    os.kill(host.pid, signal.SIGKILL)
    assert host.calls() == 0
    assert host.stop(0.1) == [("the process of uvicorn", ["it did not answer, and was killed"])]
    assert has_ended(host.pid)


class Never(Engine):
    """A server that is never ready, and does not end when it is asked to."""

    def run(self, ready: Any) -> None:
        while True:
            pass

    def stop(self) -> None:
        return


def test_a_server_that_is_never_ready_is_ended() -> None:
    host = InThread("never", lambda app: Never(app, {}), deaf)
    with pytest.raises(ServerFailed, match=r"never did not start; it was not ready within 0.1 s"):
        host.start(0.1)
