"""Frameworks' own event streams, each behind a route, as the users of each write it.

The annotations are evaluated where they stand, because the frameworks read them: hence no ``annotations`` of the future.
"""

from collections.abc import AsyncIterator
from typing import Any

from .exchange import PATH, Application
from .handlers import A_TEXT, AN_EVENT, Handler

__all__ = ["fastapi", "litestar", "quart"]


def fastapi(handler: Handler) -> Application:
    """A generator as a path operation; its router encodes what is yielded."""
    from fastapi import FastAPI
    from fastapi.sse import EventSourceResponse, ServerSentEvent

    app = FastAPI()

    @app.get(PATH, response_class=EventSourceResponse)
    async def stream() -> AsyncIterator[ServerSentEvent]:
        async for text in handler(*A_TEXT):
            # The raw one: its `data` would be JSON, and no text.
            yield ServerSentEvent(raw_data=text)

    return app


def litestar(handler: Handler) -> Application:
    """A handler that returns its response for event streams, which encodes."""
    from litestar import Litestar, get
    from litestar.response import ServerSentEvent

    @get(PATH)
    async def stream() -> ServerSentEvent:
        return ServerSentEvent(handler(*A_TEXT))

    # Its logging would be that of the whole process.
    return Litestar([stream], logging_config=None)


def quart(handler: Handler) -> Application:
    """A generator of bytes as a response without a deadline; it has no encoder, so that these are events."""
    from quart import Quart, make_response

    app = Quart(__name__)

    @app.get(PATH)
    async def stream() -> Any:
        async def events() -> AsyncIterator[bytes]:
            async for event in handler(*AN_EVENT):
                yield event.encode()

        response: Any = await make_response(events(), {"content-type": "text/event-stream"})
        response.timeout = None
        return response

    return app
