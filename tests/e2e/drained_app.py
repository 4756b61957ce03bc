"""An application whose streams never end by themselves, for a server of its own."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import Any

import anyio

from sseware import EventStream, SSEMiddleware
from sseware.asgi import Drain

__all__ = ["app", "wrapped"]

GRACE = float(os.environ.get("DRAINED_APP_GRACE", "2"))


async def endless() -> AsyncIterator[str]:
    yield f"process {os.getpid()}"
    await anyio.sleep_forever()


async def firehose() -> AsyncIterator[str]:
    while True:
        yield "x" * 65536


async def handler(scope: Any) -> AsyncIterator[str]:
    async for text in endless() if scope["path"] != "/firehose" else firehose():
        yield text


async def response(scope: Any, receive: Any, send: Any) -> None:
    """Knows nothing of the lifespan protocol."""
    assert scope["type"] == "http"
    await EventStream(endless())(scope, receive, send)


app = SSEMiddleware(handler, drain=Drain(grace=GRACE))
wrapped = SSEMiddleware(response, drain=GRACE)
