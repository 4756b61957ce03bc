"""A story under Starlette that is streamed, in the dialect that its reader asks for, or answered as a whole.

``uvicorn --app-dir examples story_starlette:app`` runs it (``pip install 'sseware[starlette]' uvicorn``), then::

    curl -N localhost:8000/stories/fox -H 'Accept: text/event-stream'
    curl -N localhost:8000/stories/fox -H 'Accept: text/event-stream;dialect=ash'
    curl localhost:8000/stories/fox
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from sseware import EventStream
from sseware.items import Start

PAUSE = 0.2


async def tell(name: str) -> AsyncIterator[object]:
    """The handler. It knows no framework: the other ``story_*.py`` have the same one."""
    yield Start(name=name)
    for word in ("Once ", "upon ", "a ", "time ", "there ", "was ", f"a {name}."):
        yield word
        await anyio.sleep(PAUSE)


async def story(request: Request) -> EventStream:
    """Answers ``/stories/{name}``."""
    return EventStream(tell(request.path_params["name"]), dialect="husk", dialects=["ash"])


app = Starlette(routes=[Route("/stories/{name}", story)])
