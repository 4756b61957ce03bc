"""The socket of the demo, and the servers that run it."""

from __future__ import annotations

import importlib.util
import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from sseware.cli._servers import CannotServe, address_of, find_server, listen


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        raise NotImplementedError
    if scope["path"] == "/raise":
        raise OSError("no disk")
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"hi"})


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """Takes back what uvicorn changes in the loggers of this process."""
    loggers = [logging.getLogger(name) for name in ("uvicorn", "uvicorn.error", "uvicorn.access")]
    before = [(log.handlers[:], log.level, log.propagate) for log in loggers]
    yield
    for log, (handlers, level, propagate) in zip(loggers, before, strict=True):
        log.handlers, log.level, log.propagate = handlers, level, propagate


@contextmanager
def asked_and_interrupted(listener: socket.socket, path: str) -> Iterator[list[str]]:
    """Asks the server from another thread, and then does what Ctrl+C does."""
    answers = list[str]()

    def ask() -> None:
        try:
            answers.append(httpx.get(address_of(listener) + path, timeout=10).text)
        finally:
            os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield answers
    finally:
        thread.join()


@pytest.mark.parametrize(
    ("name", "path", "want"),
    [
        pytest.param("uvicorn", "/", "hi", id="uvicorn"),
        pytest.param("hypercorn", "/", "hi", id="hypercorn"),
        pytest.param("uvicorn", "/raise", "Internal Server Error", id="uvicorn-tells-what-goes-wrong"),
    ],
)
def test_a_server_serves_until_it_is_interrupted(
    name: str, path: str, want: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip(name)
    serve = find_server(name)
    with listen("127.0.0.1", 0) as listener, asked_and_interrupted(listener, path) as answers:
        try:
            serve(app, listener)
        except KeyboardInterrupt:
            pass  # uvicorn passes the signal on when it has ended
    assert answers == [want]
    assert ("OSError: no disk" in capsys.readouterr().err) == (path == "/raise")


def test_a_server_that_is_not_installed_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(CannotServe, match=r"^uvicorn is not installed; .* -m pip install 'sseware\[demo\]'$"):
        find_server("uvicorn")


def test_a_port_that_is_taken_is_named_with_what_to_do() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(CannotServe, match=rf"127\.0\.0\.1, port {port}: .*; name another --port \(0"):
            listen("127.0.0.1", port)


@pytest.mark.parametrize("host", ["", "a" * 70, "no host"])
def test_what_is_no_host_is_named_with_what_to_do(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*_: object, **__: object) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    if host == "no host":
        # Nobody is asked over a network.
        monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(CannotServe, match=r"^cannot listen on '.*; name another --host$"):
        listen(host, 0)


class Listener:
    """A socket that says where it listens."""

    def __init__(self, *name: Any) -> None:
        self._name = name

    def getsockname(self) -> tuple[Any, ...]:
        return self._name


@pytest.mark.parametrize(
    ("name", "want"),
    [
        pytest.param(("127.0.0.1", 80), "http://localhost:80", id="loopback"),
        pytest.param(("0.0.0.0", 80), "http://localhost:80", id="every-address"),
        pytest.param(("::1", 80, 0, 0), "http://localhost:80", id="loopback-of-ipv6"),
        pytest.param(("192.0.2.1", 80), "http://192.0.2.1:80", id="another-address"),
        pytest.param(("2001:db8::1", 80, 0, 0), "http://[2001:db8::1]:80", id="brackets-around-ipv6"),
    ],
)
def test_the_address_is_one_that_a_browser_takes(name: tuple[Any, ...], want: str) -> None:
    assert address_of(Listener(*name)) == want  # type: ignore[arg-type]  # all that is asked of a socket
