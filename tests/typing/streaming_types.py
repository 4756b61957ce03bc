"""What a type checker says of `streaming`; mypy and pyright read this, and nothing runs it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, assert_type

import quart
from falcon.asgi import Request, Response

import sseware
from sseware import SSEMiddleware
from sseware.integrations import asgi, falcon, litestar, starlette
from sseware.integrations import quart as quart_shell


async def story(name: str, *, n: int = 1) -> AsyncIterator[str]:
    """A handler."""
    yield name * n


async def told() -> None:
    """What a decorated function returns, and that its parameters are checked."""
    assert_type(await starlette.streaming(story)("fox"), starlette.EventStream)
    assert_type(await starlette.streaming(dialect="plain")(story)("fox", n=2), starlette.EventStream)
    assert_type(await litestar.streaming(story)("fox"), litestar.EventStream)
    assert_type(await quart_shell.streaming(keepalive=None)(story)("fox"), quart.Response)
    assert_type(asgi.streaming(story), SSEMiddleware)
    assert_type(asgi.streaming(dialect="plain")(story), SSEMiddleware)
    assert_type(await sseware.streaming(story)("fox"), Any)
    await starlette.streaming(story)(3)  # type: ignore[arg-type]  # a name is a text
    await sseware.streaming(story)()  # type: ignore[call-arg]  # a name is wanted
    starlette.streaming(ping=15)  # type: ignore[call-overload]  # there is no such option


class Story:
    """A responder is decorated within its class."""

    @falcon.streaming(dialect="plain")
    async def on_get(self, req: Request, resp: Response, name: str) -> AsyncIterator[str]:
        """Tells a story."""
        yield name


responder: Callable[[Request, Response, str], Coroutine[Any, Any, None]] = Story().on_get
