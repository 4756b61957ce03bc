"""Applications of Starlette that stream, and other people's middleware to put them under and over."""

from __future__ import annotations

import contextvars
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import anyio
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from sseware import EventStream, SSEMiddleware

__all__ = ["MIDDLEWARES", "PLACES", "Catcher", "Seen", "app_of", "inflated"]

App = Callable[[Any, Any, Any], Any]

user: contextvars.ContextVar[str] = contextvars.ContextVar("user", default="nobody")


class Seen:
    """What a handler has seen.

    Attributes:
        left: When it was closed, by the event loop's clock.
        user: Who the middleware around it said was asking.
    """

    def __init__(self) -> None:
        self.left: list[float] = []
        self.user: list[str] = []


def app_of(seen: Seen) -> Starlette:
    """Returns an application that streams JSON lines, and the same by a response of ours."""

    async def rests() -> AsyncIterator[str]:
        try:
            seen.user.append(user.get())
            yield '{"n":1}\n'
            await anyio.sleep_forever()
        finally:
            seen.left.append(anyio.current_time())

    async def ends() -> AsyncIterator[str]:
        for n in range(3):
            yield f'{{"n":{n}}}\n'

    async def breaks() -> AsyncIterator[str]:
        yield '{"n":1}\n'
        await anyio.sleep(0.001)
        raise ValueError("half-way")

    def lines(handler: Callable[[], AsyncIterator[str]]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> StreamingResponse:
            return StreamingResponse(handler(), media_type="application/x-ndjson")

        return endpoint

    def ours(handler: Callable[[], AsyncIterator[str]]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Any:
            return EventStream(handler())

        return endpoint

    async def raises(request: Request) -> Any:
        raise ValueError("at once")

    handlers = (("rests", rests), ("ends", ends), ("breaks", breaks))
    return Starlette(
        routes=[
            *(Route(f"/lines/{name}", lines(handler)) for name, handler in handlers),
            *(Route(f"/ours/{name}", ours(handler)) for name, handler in handlers),
            Route("/raises", raises),
        ]
    )


class Catcher:
    """Sees exceptions and raises them on, as Sentry's and other people's do; says who asks."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.caught: list[BaseException] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        token = user.set("somebody")
        try:
            await self.app(scope, receive, send)
        except Exception as exc:
            self.caught.append(exc)
            raise
        finally:
            user.reset(token)


class Adding(BaseHTTPMiddleware):
    """One of the usual kind: it awaits the response and adds a header."""

    async def dispatch(self, request: Request, call_next: Any) -> Any:
        response = await call_next(request)
        response.headers["x-added"] = "1"
        return response


class NaiveGZip:
    """A middleware that compresses whatever comes, and flushes at the end only, as some in the wild do."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        packer = zlib.compressobj(wbits=31)

        async def packed(message: Any) -> None:
            if message["type"] == "http.response.start":
                fields = [each for each in message["headers"] if each[0] != b"content-length"]
                message = {**message, "headers": [*fields, (b"content-encoding", b"gzip")]}
            elif message["type"] == "http.response.body":
                body = packer.compress(message.get("body", b""))
                if not message.get("more_body", False):
                    body += packer.flush()
                message = {**message, "body": body}
            await send(message)

        await self.app(scope, receive, packed)


MIDDLEWARES: Mapping[str, Callable[[App], App]] = {
    "nothing": lambda app: app,
    "two BaseHTTPMiddlewares": lambda app: Adding(Adding(app)),
    "CORS": lambda app: CORSMiddleware(app, allow_origins=["https://a.example"], allow_credentials=True),
    "GZip": lambda app: GZipMiddleware(app, minimum_size=1),
    "sessions": lambda app: SessionMiddleware(app, secret_key="secret"),
    "trusted hosts": lambda app: TrustedHostMiddleware(app, allowed_hosts=["testserver", "localhost"]),
    "server errors": ServerErrorMiddleware,
    "a catcher": Catcher,
}

PLACES: Mapping[str, Callable[[Callable[[App], App], App], App]] = {
    "over": lambda middleware, app: middleware(SSEMiddleware(app, adapt=True)),
    "under": lambda middleware, app: SSEMiddleware(middleware(app), adapt=True),
    "over and under": lambda middleware, app: middleware(SSEMiddleware(middleware(app), adapt=True)),
}


def inflated(body: bytes) -> bytes:
    """Undoes gzip."""
    return zlib.decompress(body, wbits=31)
