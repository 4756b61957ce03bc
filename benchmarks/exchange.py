"""One request in process: what a server tells an application, and a client that reads everything and stays."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeAlias

__all__ = ["PATH", "SCOPE", "Application", "exchange"]

Application: TypeAlias = Callable[[Any, Any, Any], Any]

PATH = "/events"

SCOPE: dict[str, Any] = {
    "type": "http",
    "asgi": {"version": "3.0", "spec_version": "2.3"},
    "http_version": "1.1",
    "method": "GET",
    "scheme": "http",
    "path": PATH,
    "raw_path": PATH.encode(),
    "query_string": b"",
    "root_path": "",
    "client": ("127.0.0.1", 50000),
    "server": ("127.0.0.1", 8000),
    "headers": [
        (b"host", b"localhost:8000"),
        (b"accept", b"text/event-stream"),
        (b"cache-control", b"no-cache"),
        (b"origin", b"https://a.example"),
        (b"user-agent", b"Mozilla/5.0"),
    ],
}


async def exchange(
    app: Application, tap: Callable[[Any], object] | None = None, gone: asyncio.Event | None = None
) -> int:
    """Serves one request.

    Args:
        app: Who answers it.
        tap: Gets each message that the application sends.
        gone: When the client leaves; it stays to the end by default. It is set at the end, too, for a server tells of
            that alike.

    Returns:
        How many bytes the body had.
    """
    received = 0
    requests = [{"type": "http.request", "body": b"", "more_body": False}]
    leaving = gone or asyncio.Event()

    async def receive() -> Any:
        if requests:
            return requests.pop()
        await leaving.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        nonlocal received
        received += len(message.get("body", b""))
        if tap is not None:
            tap(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            leaving.set()

    # Of its own: frameworks write into it.
    await app({**SCOPE}, receive, send)
    return received
