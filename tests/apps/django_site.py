"""A Django site with its usual middleware, a view that streams lines, and django-eventstream; prints what was seen.

A process has one set of Django's settings, so that this is one of its own: ``python -m tests.apps.django_site``.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from importlib import import_module
from typing import Any

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, StreamingHttpResponse
from django.urls import include, path

from sseware import SSEMiddleware
from sseware.testing import connect

__all__ = ["main"]

settings.configure(
    SECRET_KEY="secret",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django_eventstream"],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.gzip.GZipMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
    ],
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
)
django.setup()

left: list[float] = []


async def lines(request: HttpRequest) -> StreamingHttpResponse:
    """Streams one line and rests."""

    async def rests() -> AsyncIterator[bytes]:
        try:
            yield b'{"n":1}\n'
            await asyncio.sleep(3600)
        finally:
            left.append(time.monotonic())

    return StreamingHttpResponse(rests(), content_type="application/x-ndjson")


urlpatterns = [
    path("lines/", lines),
    path("events/", include(("django_eventstream.urls", "django_eventstream")), {"channels": ["news"]}),
]


def lowered(app: Any) -> Any:
    """Writes the names of header fields in lower case, as servers do: Django's are not, and pass as they are."""

    async def wrapped(scope: Any, receive: Any, send: Any) -> None:
        async def lowering(message: Any) -> None:
            if message["type"] == "http.response.start":
                fields = [(name.lower(), value) for name, value in message["headers"]]
                message = {**message, "headers": fields}
            await send(message)

        await app(scope, receive, lowering)

    return wrapped


async def main() -> dict[str, Any]:
    """Asks the site; returns what came of it."""
    site = get_asgi_application()
    seen: dict[str, Any] = {}

    async with connect(SSEMiddleware(site, adapt=True), "/lines/") as stream:
        event = await stream.next()
        seen["line"] = [event.event, event.data, stream.elapsed]
        asked = time.monotonic()
        await stream.disconnect()
    seen["left"] = left[0] - asked

    headers = {"accept": "text/event-stream", "accept-encoding": "gzip"}
    async with connect(lowered(SSEMiddleware(site, adapt=True)), "/lines/", headers=headers) as stream:
        seen["compressed"] = [stream.headers.get("content-encoding"), stream.headers["content-type"]]

    send_event = import_module("django_eventstream").send_event
    wrapped = SSEMiddleware(site, dialect="machpay", adapt={"text/event-stream": "plain"})
    async with connect(wrapped, "/events/") as stream:
        await stream.until("stream-open")
        await asyncio.to_thread(send_event, "news", "message", {"text": "hi"})
        event = (await stream.until("chunk"))[-1]
        seen["event"] = json.loads(event.data)["text"]
        seen["head"] = [stream.status, stream.headers["content-type"]]
    return seen


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main())))
