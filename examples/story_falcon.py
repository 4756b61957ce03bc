"""A story under Falcon.

``uvicorn --app-dir examples story_falcon:app`` runs it (``pip install 'sseware[falcon]' uvicorn``), then::

    curl -N localhost:8000/stories/fox -H 'Accept: text/event-stream'
    curl -N localhost:8000/stories/fox -H 'Accept: text/event-stream;dialect=ash'
    curl localhost:8000/stories/fox
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
from falcon.asgi import App, Request, Response

from sseware import streaming
from sseware.items import Start

PAUSE = 0.2


async def tell(name: str) -> AsyncIterator[object]:
    """The handler. It knows no framework: the other ``story_*.py`` have the same one."""
    yield Start(name=name)
    for word in ("Once ", "upon ", "a ", "time ", "there ", "was ", f"a {name}."):
        yield word
        await anyio.sleep(PAUSE)


class Story:
    """Answers ``/stories/{name}``."""

    @streaming(dialect="husk", dialects=["ash"])
    async def on_get(self, req: Request, resp: Response, name: str) -> AsyncIterator[object]:
        """Tells a story."""
        async for item in tell(name):
            yield item


app: App[Request, Response] = App()
app.add_route("/stories/{name}", Story())
