"""FastAPI: what Starlette has, and the answers shown in OpenAPI.

`streaming` keeps the signature of a function, so that path, query and body parameters, models and dependencies are
injected, and validation errors are 422 before anything runs. A dependency with ``yield`` is closed after the stream.

FastAPI asks a route, not a function, what its answers are. A router whose routes are `EventStreamRoute` shows the
streams of everything that `streaming` has decorated:

>>> from fastapi import FastAPI
>>> app = FastAPI()
>>> app.router.route_class = EventStreamRoute
>>> @app.get("/words")
... @streaming(dialect="plain")
... async def words(n: int = 3):
...     yield "word " * n
>>> sorted(app.openapi()["paths"]["/words"]["get"]["responses"]["200"]["content"])
['application/json', 'text/event-stream']

For a function that returns an `EventStream` by hand, `responses` says the same:
``@app.get("/words", responses=responses(dialect="plain"))``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Unpack

from ..asgi import Options
from ..asgi._streaming import streamed_of
from ._extras import missing
from ._openapi import contents_of, merged

try:
    from fastapi.routing import APIRoute
except ImportError as exc:
    raise missing("FastAPI", "fastapi") from exc

from .starlette import EventStream, streaming

__all__ = ["EventStream", "EventStreamRoute", "responses", "streaming"]


class EventStreamRoute(APIRoute):
    """A route that shows in OpenAPI what a decorated function answers; any other function's route is as it was."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        streamed = streamed_of(endpoint)
        if streamed is not None:
            options["responses"] = merged(responses(**streamed.options), options.get("responses") or {})
            # There is no response class by which FastAPI would describe, and validate, a JSON body of its own.
            options["response_class"] = _Described
            if options.get("status_code") is None:
                options["status_code"] = streamed.options.get("status_code", 200)
        super().__init__(path, endpoint, **options)


class _Described(EventStream):
    """Stands for a response that is described elsewhere: it has no media type."""


def responses(**options: Unpack[Options]) -> dict[int | str, dict[str, Any]]:
    """Returns what FastAPI's ``responses`` takes, for an `EventStream` with the same options.

    The event stream is described by the dialect's ``itemSchema``, the buffered answer by its ``schema``; a request
    that accepts neither is answered with 406.
    """
    return {
        options.get("status_code", 200): {"content": contents_of(options)},
        406: {
            "description": "Nothing of what can be answered is acceptable; the offers are listed",
            "content": {"application/json": {"schema": {"type": "object"}}},
        },
    }
