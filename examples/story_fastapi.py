"""A story under FastAPI: injected, validated, shown at /docs, and cleaned up after.

``uvicorn --app-dir examples story_fastapi:app`` runs it (``pip install 'sseware[fastapi]' uvicorn``), then::

    curl -N localhost:8000/stories/fox -H 'Accept: text/event-stream'
    curl -N localhost:8000/stories/fox -H 'Accept: text/event-stream;dialect=ash'
    curl localhost:8000/stories/fox
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

import anyio
from fastapi import Depends, FastAPI, HTTPException

from sseware import streaming
from sseware.integrations.fastapi import EventStreamRoute
from sseware.items import Start

PAUSE = 0.2
ANIMALS = {"fox", "hare"}


async def tell(name: str) -> AsyncIterator[object]:
    """The handler. It knows no framework: the other ``story_*.py`` have the same one."""
    yield Start(name=name)
    for word in ("Once ", "upon ", "a ", "time ", "there ", "was ", f"a {name}."):
        yield word
        await anyio.sleep(PAUSE)


async def animal(name: str) -> AsyncIterator[str]:
    """A dependency: what is after its ``yield`` runs when the story has been told."""
    if name not in ANIMALS:
        raise HTTPException(404, f"nobody knows a story of a {name}")
    yield name


app = FastAPI()
app.router.route_class = EventStreamRoute  # what OpenAPI shows of a stream: its events, and its buffered body


@app.get("/stories/{name}")
@streaming(dialect="husk", dialects=["ash"])
async def story(name: Annotated[str, Depends(animal)], loud: bool = False) -> AsyncIterator[object]:
    """Tells a story."""
    async for item in tell(name):
        yield item.upper() if loud and isinstance(item, str) else item
