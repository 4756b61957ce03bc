"""Servers' side of a stream, each as an application made of a handler.

The bare responses send text that is an event already; sse-starlette, FastAPI and Litestar make one of a text, and so do
we, in a dialect. A response is an application by itself; *in Starlette* it is what a route returns. Each gets a handler
of its own for each request, as a framework would give it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import cache
from importlib import import_module
from typing import Any, TypeAlias

from sseware import EventStream, SSEMiddleware

from . import framework_peers
from .exchange import Application, exchange
from .handlers import A_TEXT, AN_EVENT, Handler
from .peers import Peers, tried

__all__ = [
    "BARE",
    "DISTRIBUTIONS",
    "IN_STARLETTE",
    "MAKERS",
    "OURS",
    "OURS_IN_STARLETTE",
    "Make",
    "measurable",
]

Make: TypeAlias = Callable[[Handler], Application]

OURS = "sseware"
OURS_IN_STARLETTE = "sseware in Starlette"
IN_STARLETTE = (OURS_IN_STARLETTE, "sse-starlette in Starlette", "Starlette")
"""Those that are there as a response alone, too."""
BARE = "bare loop"
DISTRIBUTIONS = ("sse-starlette", "starlette", "fastapi", "litestar", "quart")


def _sseware(handler: Handler) -> Application:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await EventStream(handler(*A_TEXT))(scope, receive, send)

    return app


def _middleware(handler: Handler) -> Application:
    return SSEMiddleware(lambda: handler(*A_TEXT))


def _sse_starlette(handler: Handler) -> Application:
    response = import_module("sse_starlette").EventSourceResponse

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await response(handler(*A_TEXT))(scope, receive, send)

    return app


def _starlette(spec_version: str) -> Callable[[Handler], Application]:
    def make(handler: Handler) -> Application:
        response = import_module("starlette.responses").StreamingResponse

        async def app(scope: Any, receive: Any, send: Any) -> None:
            scope = {**scope, "asgi": {"version": "3.0", "spec_version": spec_version}}
            await response(handler(*AN_EVENT), media_type="text/event-stream")(scope, receive, send)

        return app

    return make


def _bare(handler: Handler) -> Application:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        async for event in handler(*AN_EVENT):
            await send({"type": "http.response.body", "body": event.encode(), "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    return app


MAKERS: dict[str, Make] = {
    OURS: _sseware,
    "SSEMiddleware": _middleware,
    "sse-starlette": _sse_starlette,
    "Starlette 2.3": _starlette("2.3"),
    "Starlette 2.4": _starlette("2.4"),
    OURS_IN_STARLETTE: framework_peers.sseware,
    "sse-starlette in Starlette": framework_peers.sse_starlette,
    "Starlette": framework_peers.starlette,
    "FastAPI": framework_peers.fastapi,
    "Litestar": framework_peers.litestar,
    "Quart": framework_peers.quart,
    BARE: _bare,
}
"""What makes an application of a handler, by name; it imports what it needs."""


@cache
def measurable() -> Peers[Make]:
    """Returns those that stream an event here, and why the others do not."""
    return tried({name: lambda make=make: make for name, make in MAKERS.items()}, _try)  # type: ignore[misc]  # bound at once


def _try(make: Make) -> None:
    bodies: list[bytes] = []
    asyncio.run(exchange(make(_one), lambda message: bodies.append(message.get("body", b""))))
    if b"data: one" not in b"".join(bodies):
        raise ValueError("it sends no event")


async def _one(before: str, after: str) -> AsyncIterator[str]:
    yield f"{before}one{after}"
