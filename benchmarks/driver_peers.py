"""Servers' side of a stream, each as an application made of a handler; what is not installed is left out.

The peers send text that is an event already (sse-starlette makes its own of a text); ours encodes an item, in a
dialect. Each gets a handler of its own for each request, as a framework would give it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from importlib import import_module
from typing import Any, TypeAlias

from sseware import EventStream, SSEMiddleware

from .report import installed

__all__ = ["BARE", "DISTRIBUTIONS", "OURS", "Handler", "applications"]

Handler: TypeAlias = Callable[[str, str], AsyncIterator[str]]
"""Yields texts; what it is called with goes before and after each, so that a peer may get a whole event."""

Application: TypeAlias = Callable[[Any, Any, Any], Any]

OURS = "sseware"
BARE = "bare loop"
DISTRIBUTIONS = ("sse-starlette", "starlette")


_EVENT = ("data: ", "\n\n")
_TEXT = ("", "")


def _sseware(handler: Handler) -> Application:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await EventStream(handler(*_TEXT))(scope, receive, send)

    return app


def _middleware(handler: Handler) -> Application:
    return SSEMiddleware(lambda: handler(*_TEXT))


def _sse_starlette(handler: Handler) -> Application:
    response = import_module("sse_starlette").EventSourceResponse

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await response(handler(*_TEXT))(scope, receive, send)

    return app


def _starlette(spec_version: str) -> Callable[[Handler], Application]:
    def make(handler: Handler) -> Application:
        response = import_module("starlette.responses").StreamingResponse

        async def app(scope: Any, receive: Any, send: Any) -> None:
            scope = {**scope, "asgi": {"version": "3.0", "spec_version": spec_version}}
            await response(handler(*_EVENT), media_type="text/event-stream")(scope, receive, send)

        return app

    return make


def _bare(handler: Handler) -> Application:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        async for event in handler(*_EVENT):
            await send({"type": "http.response.body", "body": event.encode(), "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    return app


def applications() -> dict[str, Callable[[Handler], Application]]:
    """Returns the makers of applications, by name."""
    found: dict[str, Callable[[Handler], Application]] = {OURS: _sseware, "SSEMiddleware": _middleware}
    if installed("sse-starlette"):
        found["sse-starlette"] = _sse_starlette
    if installed("starlette"):
        found |= {"Starlette 2.3": _starlette("2.3"), "Starlette 2.4": _starlette("2.4")}
    return {**found, BARE: _bare}
