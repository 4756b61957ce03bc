"""sse-starlette, datastar, Prometheus' exporter: existing responses, in a new dialect by one line or unharmed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from sseware import SSEMiddleware
from sseware.items import Finish, Start, Text
from sseware.testing import connect
from tests.apps.recording import Recording, assert_unharmed
from tests.asgi.fakes import answer, request

pytestmark = pytest.mark.anyio

HOW = "pip install --group apps"
ASKED = {"accept": "text/event-stream"}
NOT_ASKED = {"accept": "*/*"}


class TestSSEStarlette:
    """Its `EventSourceResponse`, as its README uses it."""

    def app(self) -> Starlette:
        sse_starlette = pytest.importorskip("sse_starlette", reason=HOW)

        async def numbers() -> AsyncIterator[Any]:
            for number in range(3):
                await asyncio.sleep(0)
                yield {"data": number}

        async def endpoint(request: Request) -> Response:
            response: Response = sse_starlette.EventSourceResponse(numbers())
            return response

        return Starlette(routes=[Route("/", endpoint)])

    async def test_by_one_line_it_speaks_another_dialect(self) -> None:
        wrapped = SSEMiddleware(self.app(), dialect="machpay", adapt={"text/event-stream": "plain"})
        async with connect(wrapped, headers=ASKED, dialect="machpay") as stream:
            items = [item async for item in stream.items()]
        assert isinstance(items[0], Start)
        assert [item.text for item in items if isinstance(item, Text)] == ["0", "1", "2"]
        assert isinstance(items[-1], Finish)

    @pytest.mark.parametrize("adapt", [True, {"text/event-stream": "plain"}], ids=["adapting", "translating"])
    async def test_who_asks_for_nothing_else_gets_what_it_sends(self, adapt: Any) -> None:
        recording = Recording(self.app())
        wrapped = SSEMiddleware(recording, dialect="machpay", adapt=adapt)
        async with connect(wrapped, headers=ASKED if adapt is True else NOT_ASKED) as stream:
            await stream.drain()
        if adapt is True:
            assert_unharmed(recording, stream)
        assert [event.data for event in stream.events] == ["0", "1", "2"]


class TestDatastar:
    """Its `DatastarResponse`, whose events are its own business; a page of it may live beside a stream of ours."""

    def app(self) -> Starlette:
        datastar = pytest.importorskip("datastar_py.starlette", reason=HOW)

        async def updates() -> AsyncIterator[Any]:
            for number in range(2):
                yield datastar.ServerSentEventGenerator.patch_elements(f"<b id='n'>{number}</b>")
                await asyncio.sleep(0)

        async def endpoint(request: Request) -> Response:
            response: Response = datastar.DatastarResponse(updates())
            return response

        return Starlette(routes=[Route("/", endpoint)])

    async def test_it_is_unharmed(self) -> None:
        recording = Recording(self.app())
        async with connect(SSEMiddleware(recording, dialect="ash", adapt=True), headers=ASKED) as stream:
            events = await stream.drain()
        assert_unharmed(recording, stream)
        assert [event.event for event in events] == ["datastar-patch-elements"] * 2

    async def test_a_client_of_another_dialect_reads_its_patches_as_they_are(self) -> None:
        """What a dialect has no place for passes through its translation as the event that it is."""
        wrapped = SSEMiddleware(self.app(), dialect="machpay", adapt={"text/event-stream": "plain"})
        async with connect(wrapped, headers=ASKED) as stream:
            events = await stream.drain()
        patches = [event for event in events if event.event == "datastar-patch-elements"]
        assert [event.data for event in patches] == [
            f"elements <b id='n'>{number}</b>" for number in range(2)
        ]
        assert events[-1].event == "end"


class TestPrometheus:
    """The exporter of prometheus_client is an ASGI application that answers ``text/plain``."""

    def app(self) -> Starlette:
        prometheus_client = pytest.importorskip("prometheus_client", reason=HOW)
        registry = prometheus_client.CollectorRegistry()
        prometheus_client.Counter("streams", "Of ours.", registry=registry).inc(7)
        return Starlette(routes=[Mount("/metrics", prometheus_client.make_asgi_app(registry=registry))])

    async def test_a_scraper_is_unharmed(self) -> None:
        headers = {"accept": "application/openmetrics-text;q=0.9,text/plain;q=0.5,*/*;q=0.1"}
        recording = Recording(self.app())
        # A server that takes what it gets: the names of its header fields are not in lower case, as ASGI wants them.
        server = await answer(
            SSEMiddleware(recording, adapt=True), request(path="/metrics/", headers=headers)
        )
        assert [id(message) for message in server.sent] == [id(message) for message in recording.sent]
        assert b"streams_total 7.0" in server.body

    async def test_who_asks_for_a_stream_gets_its_text_as_one(self) -> None:
        async with connect(SSEMiddleware(self.app(), adapt=True), "/metrics/", headers=ASKED) as stream:
            items = [item async for item in stream.items()]
        assert "streams_total 7.0\n" in "".join(item.text for item in items if isinstance(item, Text))
