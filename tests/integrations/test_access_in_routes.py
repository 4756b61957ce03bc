"""Access and observers in the routes of a framework: of the middleware around it, and of a route's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from sseware import SSEMiddleware, streaming
from sseware.asgi import Access, Outcome, StreamCounter

pytest.importorskip("fastapi")

from fastapi import FastAPI

pytestmark = pytest.mark.anyio

APP, EVIL = {"origin": "https://app.example"}, {"origin": "https://evil.example"}


class Site:
    """An application with a route that has options of its own, and one that has not."""

    def __init__(self) -> None:
        self.counter, self.entered = StreamCounter(), 0
        self.access = Access(origins=["https://app.example"], max_streams=1)
        routes = FastAPI()
        access = Access(origins=["*"])

        @routes.get("/own")
        @streaming(dialect="plain", access=access, observers=[self.counter])
        async def own(name: str = "a") -> AsyncIterator[str]:
            self.entered += 1
            yield name

        @routes.get("/common")
        @streaming(dialect="plain")
        async def common() -> AsyncIterator[str]:
            self.entered += 1
            yield "a"
            yield "b"

        self.app = SSEMiddleware(routes, access=self.access, statistics=True)

    async def get(self, path: str, headers: Any = None) -> httpx.Response:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get(path, headers=headers)


async def test_a_route_has_the_access_of_the_middleware_unless_it_has_its_own() -> None:
    site = Site()
    assert (await site.get("/common", EVIL)).status_code == 403
    assert site.entered == 0
    allowed = await site.get("/common", APP)
    assert allowed.headers["access-control-allow-origin"] == APP["origin"]
    assert (await site.get("/own", EVIL)).headers["access-control-allow-origin"] == "*"


async def test_a_route_finds_no_slot_where_the_middleware_has_none() -> None:
    """B14."""
    site = Site()
    slot = site.access.enter({})
    refused = await site.get("/common")
    assert (refused.status_code, refused.headers["retry-after"], site.entered) == (503, "5", 0)
    slot.free()
    assert (await site.get("/common")).text == "data: a\n\ndata: b\n\n"
    assert site.access.statistics().open == 0


async def test_the_middleware_counts_every_route_and_an_observer_its_own() -> None:
    site = Site()
    assert (await site.get("/own?name=x")).text == "data: x\n\n"
    await site.get("/common")
    assert (site.counter.statistics().events, site.app.statistics().events) == (1, 3)
    assert site.app.statistics().outcomes[Outcome.FINISHED] == 2
