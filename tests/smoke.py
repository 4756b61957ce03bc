"""Shows that an installed sseware works, with nothing beside it: ``python -I smoke.py [demo]``, from anywhere.

.ci/run calls it in an environment that has the wheel and what the wheel depends on, and nothing else; then with
``demo``, where that extra is installed, too.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import sysconfig
from collections.abc import AsyncIterator
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import sseware
from sseware import EventStreamParser, SSEMiddleware

Message = dict[str, Any]

COMMAND = [sys.executable, "-I", "-m", "sseware"]
HELLO = b'event: stdout\ndata: HELLO\n\nevent: done\ndata: {"ok":true,"exitCode":0}\n\n'


async def shout(scope: Message, receive: Any) -> AsyncIterator[str]:
    message = await receive()
    for word in message["body"].decode().split():
        yield word.upper()


async def ask(app: Any, query: str, body: bytes) -> list[Message]:
    """Posts to an application as a server does; returns what it sent."""
    sent: list[Message] = []
    asked = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if not asked:
            await asyncio.Event().wait()  # the client stays
        return asked.pop()

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/",
        "raw_path": b"/",
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
        "state": {},
    }
    await asyncio.wait_for(app(scope, receive, send), timeout=10)
    return sent


def body(sent: list[Message]) -> bytes:
    return b"".join(message.get("body", b"") for message in sent)


def check_the_package() -> None:
    home = Path(sseware.__file__).resolve()
    installed = Path(sysconfig.get_path("purelib")).resolve()
    assert home.is_relative_to(installed), f"{home} is not in {installed}"
    assert home.with_name("py.typed").exists()


def check_a_stream() -> None:
    app = SSEMiddleware(shout, dialect="husk")
    streamed = asyncio.run(ask(app, "stream=1", b"hello"))
    assert streamed[0]["status"] == 200
    assert body(streamed) == HELLO
    assert body(asyncio.run(ask(app, "", b"hello"))) == b"HELLO"
    assert [event.event for event in EventStreamParser().feed(HELLO)] == ["stdout", "done"]


def check_the_command_line() -> None:
    listed = subprocess.run(
        [*COMMAND, "dialects"], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    assert "plain" in listed
    assert "husk" in listed


def check_the_demo() -> None:
    with subprocess.Popen([*COMMAND, "demo", "--port", "0"], stdout=subprocess.PIPE, text=True) as demo:
        try:
            assert demo.stdout is not None
            url = demo.stdout.readline().split()[-1]
            with urlopen(f"{url}/skills/uppercase?stream=1", data=b"hello", timeout=30) as answer:
                assert answer.read() == HELLO
            demo.send_signal(signal.SIGINT)
            demo.communicate(timeout=30)
            assert demo.returncode == 0, demo.returncode
        finally:
            demo.kill()


def main() -> None:
    checks = [check_the_package, check_a_stream, check_the_command_line]
    if sys.argv[1:] == ["demo"]:
        checks.append(check_the_demo)
    for check in checks:
        check()
        print(f"sseware {version('sseware')}, installed: {check.__name__}")


if __name__ == "__main__":
    main()
