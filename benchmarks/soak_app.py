"""What the soak runs on: numbered streams that go on where the client left off, on a server in a process of its own.

``python -m benchmarks.soak_app uvicorn`` prints its port, and ends with its input.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import parse_qs

import anyio

from sseware import ServerSentEvent, SSEMiddleware
from sseware.items import Finish
from sseware.testing import sse_server

__all__ = ["APP", "FINISHES_AFTER"]

FINISHES_AFTER = 40
"""How many events a stream has, before it ends by itself."""

_FILLING = "x" * 2_000


def _asked(scope: Any) -> tuple[str, int]:
    """Who asks, and the number of the first event that it has not seen."""
    headers = dict(scope["headers"])
    last = headers.get(b"last-event-id", b"0").decode()
    client = parse_qs(scope["query_string"].decode()).get("client", ["-"])[0]
    return client, int(last or 0) + 1


def _event(client: str, number: int, filling: str = "") -> ServerSentEvent:
    return ServerSentEvent(f"{client} {number} {filling}", id=str(number))


async def ticks(scope: Any, receive: Any) -> AsyncIterator[Any]:
    client, first = _asked(scope)
    for number in range(first, first + FINISHES_AFTER):
        yield _event(client, number)
        await anyio.sleep(1.0)
    # So that an end is told from a connection that was cut.
    yield Finish()


async def flood(scope: Any, receive: Any) -> AsyncIterator[Any]:
    client, number = _asked(scope)
    while True:
        yield _event(client, number, _FILLING)
        number += 1


def sync_ticks(scope: Any, receive: Any) -> Iterator[Any]:
    client, first = _asked(scope)
    for number in range(first, first + FINISHES_AFTER):
        yield _event(client, number)
        time.sleep(0.5)
    yield Finish()


async def _census(scope: Any, receive: Any, send: Any) -> None:
    body = json.dumps({"tasks": len(asyncio.all_tasks())}).encode()
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


_ROUTES: dict[str, Any] = {
    "/ticks": SSEMiddleware(ticks, keepalive=3.0),
    # A reader that is merely slow takes some seconds to make room: buffers hold more than 64 KiB.
    "/flood": SSEMiddleware(flood, send_timeout=20.0),
    "/sync": SSEMiddleware(sync_ticks),
    "/census": _census,
}


async def APP(scope: Any, receive: Any, send: Any) -> None:  # noqa: N802 - a constant, as far as others see
    """Routes."""
    if scope["type"] == "http":
        await _ROUTES[scope["path"]](scope, receive, send)


def main() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    with sse_server(APP, sys.argv[1], timeout=20.0, lifespan="off") as server:
        print(server.port, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
