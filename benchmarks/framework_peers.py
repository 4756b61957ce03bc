"""Frameworks' own event streams, each behind a route, as the users of each write it.

The annotations are evaluated where they stand, because the frameworks read them: hence no ``annotations`` of the future.
"""

from collections.abc import AsyncIterator, Callable
from typing import Any

from sseware import EventStream

from .exchange import PATH, Application
from .handlers import A_TEXT, AN_EVENT, Handler

__all__ = ["fastapi", "litestar", "quart", "sse_starlette", "sseware", "starlette"]


def _routed(respond: Callable[[Handler], Any]) -> Callable[[Handler], Application]:
    """Returns what puts a response behind a route of a Starlette application."""

    def make(handler: Handler) -> Application:
        from starlette.applications import Starlette
        from starlette.routing import Route

        async def stream(request: object) -> Any:
            return respond(handler)

        return Starlette(routes=[Route(PATH, stream)])

    return make


def _streaming_response(handler: Handler) -> Any:
    from starlette.responses import StreamingResponse

    return StreamingResponse(handler(*AN_EVENT), media_type="text/event-stream")


def _event_source_response(handler: Handler) -> Any:
    from sse_starlette import EventSourceResponse

    return EventSourceResponse(handler(*A_TEXT))


starlette = _routed(_streaming_response)
"""Its response for streams; it has no encoder, so that these are events."""

sse_starlette = _routed(_event_source_response)
"""Its response, which encodes."""

sseware = _routed(lambda handler: EventStream(handler(*A_TEXT)))
"""Ours, for those who have such an application."""


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
