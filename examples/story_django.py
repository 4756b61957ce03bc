"""A story under Django: settings, a view and its URL in one file.

``uvicorn --app-dir examples story_django:app`` runs it (``pip install 'sseware[django]' uvicorn``), then::

    curl -N localhost:8000/stories/fox -H 'Accept: text/event-stream'
    curl -N localhost:8000/stories/fox -H 'Accept: text/event-stream;dialect=ash'
    curl localhost:8000/stories/fox
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest
from django.urls import path

from sseware import streaming
from sseware.items import Start

PAUSE = 0.2


async def tell(name: str) -> AsyncIterator[object]:
    """The handler. It knows no framework: the other ``story_*.py`` have the same one."""
    yield Start(name=name)
    for word in ("Once ", "upon ", "a ", "time ", "there ", "was ", f"a {name}."):
        yield word
        await anyio.sleep(PAUSE)


@streaming(dialect="husk", dialects=["ash"])
async def story(request: HttpRequest, name: str) -> AsyncIterator[object]:
    """Answers ``/stories/<name>``."""
    async for item in tell(name):
        yield item


urlpatterns = [path("stories/<name>", story)]
if not settings.configured:
    settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["localhost", "127.0.0.1"])
app = get_asgi_application()
