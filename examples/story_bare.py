"""A story under no framework: the handler is the application.

``uvicorn --app-dir examples story_bare:app`` runs it (``pip install 'sseware[demo]' uvicorn``), then::

    curl -N localhost:8000/stories/fox -H 'Accept: text/event-stream'
    curl -N localhost:8000/stories/fox -H 'Accept: text/event-stream;dialect=ash'
    curl localhost:8000/stories/fox
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio

from sseware import SSEMiddleware
from sseware.items import Start

PAUSE = 0.2


async def tell(name: str) -> AsyncIterator[object]:
    """The handler. It knows no framework: the other ``story_*.py`` have the same one."""
    yield Start(name=name)
    for word in ("Once ", "upon ", "a ", "time ", "there ", "was ", f"a {name}."):
        yield word
        await anyio.sleep(PAUSE)


def story(scope: Any) -> AsyncIterator[object]:
    """Answers any path; its last part is the name."""
    return tell(scope["path"].rpartition("/")[2])


app = SSEMiddleware(story, dialect="husk", dialects=["ash"])
