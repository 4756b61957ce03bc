"""A story under Quart.

``uvicorn --app-dir examples story_quart:app`` runs it (``pip install 'sseware[quart]' uvicorn``), then::

    curl -N localhost:8000/stories/fox -H 'Accept: text/event-stream'
    curl -N localhost:8000/stories/fox -H 'Accept: text/event-stream;dialect=ash'
    curl localhost:8000/stories/fox
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
from quart import Quart

from sseware import streaming
from sseware.items import Start

PAUSE = 0.2


async def tell(name: str) -> AsyncIterator[object]:
    """The handler. It knows no framework: the other ``story_*.py`` have the same one."""
    yield Start(name=name)
    for word in ("Once ", "upon ", "a ", "time ", "there ", "was ", f"a {name}."):
        yield word
        await anyio.sleep(PAUSE)


app = Quart("stories")
app.get("/stories/<name>")(streaming(dialect="husk", dialects=["ash"])(tell))
