"""One handler in the responses of others: four events and silence, a flood, and two ways to fail."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from importlib import import_module
from typing import Any, TypeAlias

import anyio

from sseware import EventStream
from sseware.testing.laws import AppTarget

__all__ = ["APPS", "FLOOD", "STORY", "target"]

Handler: TypeAlias = Callable[[str], AsyncIterator[str]]

STORY: tuple[str, ...] = (
    "/",
    "app/messages",
    "app/head-of-stream",
    "app/caching",
    "app/proxies",
    "app/first-byte",
    "app/head",
)
STORY += (
    "app/cleanup-idle",
    "app/keepalive",
    "app/two-loops",
    "app/error-before-start",
    "app/error-after-start",
)
FLOOD = ("/flood", "app/cleanup-busy", "app/backpressure", "app/stalled-reader")


async def handler(path: str) -> AsyncIterator[str]:
    """Yields texts, as somebody would write it who has a framework to care for the rest."""
    if path == "/early":
        raise RuntimeError("before the first event")
    while path == "/flood":
        yield "x" * 8000
    for number in range(4):
        if number == 2 and path == "/late":
            raise RuntimeError("in the middle")
        yield str(number)
        await anyio.sleep(0.1)
    await anyio.sleep_forever()


async def as_events(path: str) -> AsyncIterator[str]:
    """Yields what stands on the wire, for a response that knows nothing of events."""
    async for text in handler(path):
        yield f"data: {text}\n\n"


PATHS = ("/", "/flood", "/early", "/late")


def _in_starlette(respond: Callable[[str], Any]) -> Any:
    starlette, routing = import_module("starlette.applications"), import_module("starlette.routing")

    async def endpoint(request: Any) -> Any:
        return respond(request.url.path)

    return starlette.Starlette(routes=[routing.Route(path, endpoint) for path in PATHS])


def _sseware() -> Any:
    return _in_starlette(lambda path: EventStream(handler(path), dialect="hector"))


def _starlette() -> Any:
    response = import_module("starlette.responses").StreamingResponse
    return _in_starlette(lambda path: response(as_events(path), media_type="text/event-stream"))


def _sse_starlette() -> Any:
    response = import_module("sse_starlette").EventSourceResponse
    return _in_starlette(lambda path: response(handler(path)))


def _fastapi() -> Any:
    fastapi, sse = import_module("fastapi"), import_module("fastapi.sse")
    app = fastapi.FastAPI()

    def add(path: str) -> None:
        @app.get(path, response_class=sse.EventSourceResponse)  # type: ignore[untyped-decorator]
        async def endpoint() -> AsyncIterator[Any]:
            async for text in handler(path):
                yield sse.ServerSentEvent(raw_data=text)

    for path in PATHS:
        add(path)
    return app


APPS: dict[str, Callable[[], Any]] = {
    "sseware": _sseware,
    "sse-starlette": _sse_starlette,
    "fastapi": _fastapi,
    "starlette": _starlette,
}
"""What makes an application with each, by distribution; it raises ImportError where that is not installed."""


def target(app: Any, path: str, name: str) -> AppTarget:
    """Returns how an application is asked."""
    dialect = "hector" if name == "sseware" else None
    return AppTarget(app=app, path=path, dialect=dialect, failing_before="/early", failing_after="/late")
