"""An application whose streams never end by themselves, for a server of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from typing import Any

import anyio

from sseware import EventStream, SSEMiddleware
from sseware.asgi import Drain

__all__ = ["app", "resourceful", "wrapped"]

GRACE = float(os.environ.get("DRAINED_APP_GRACE", "2"))


async def endless() -> AsyncIterator[str]:
    yield f"process {os.getpid()}"
    await anyio.sleep_forever()


async def firehose() -> AsyncIterator[str]:
    while True:
        yield "x" * 65536


async def stubborn() -> AsyncIterator[str]:
    yield f"process {os.getpid()}"
    while True:
        with anyio.CancelScope(shield=True):
            try:
                await anyio.sleep(0.05)
            except BaseException:  # that is the point
                continue


HANDLERS = {"/": endless, "/firehose": firehose, "/stubborn": stubborn}


async def handler(scope: Any) -> AsyncIterator[str]:
    async for text in HANDLERS[scope["path"]]():
        yield text


async def response(scope: Any, receive: Any, send: Any) -> None:
    """Knows nothing of the lifespan protocol."""
    assert scope["type"] == "http"
    await EventStream(endless())(scope, receive, send)


opened: set[int] = set()


async def with_resources(scope: Any, receive: Any, send: Any) -> None:
    """Has something that must outlive its streams, and tells how many are open when it is closed."""
    if scope["type"] == "http":
        opened.add(id(scope))
        try:
            await EventStream(endless())(scope, receive, send)
        finally:
            opened.discard(id(scope))
        return
    for _ in range(2):
        message = await receive()
        if message["type"] == "lifespan.shutdown":
            print(f"closed while {len(opened)} were open", file=sys.stderr, flush=True)
        await send({"type": f"{message['type']}.complete"})


app = SSEMiddleware(handler, drain=Drain(grace=GRACE))
wrapped = SSEMiddleware(response, drain=GRACE)
resourceful = SSEMiddleware(with_resources, drain=GRACE)
