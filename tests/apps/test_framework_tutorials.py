"""What the tutorials of FastAPI and Litestar stream, with one line around it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import pytest
from starlette.responses import StreamingResponse

from sseware import SSEMiddleware
from sseware.items import Data, Text
from sseware.testing import connect

pytestmark = pytest.mark.anyio

ASKED = {"accept": "text/event-stream"}
HOW = "pip install --group apps"


class TestFastAPI:
    """Text and JSON lines by `StreamingResponse`; a validation error and JSON stay what they are."""

    def app(self) -> Any:
        fastapi = pytest.importorskip("fastapi", reason=HOW)
        app = fastapi.FastAPI()

        async def text() -> StreamingResponse:
            async def story() -> AsyncIterator[str]:
                for word in ("Once ", "upon ", "a time"):
                    yield word
                    await asyncio.sleep(0.001)

            return StreamingResponse(story(), media_type="text/plain")

        def lines(count: int) -> StreamingResponse:
            return StreamingResponse(
                (f'{{"name": "Plumbus", "number": {n}}}\n' for n in range(count)),
                media_type="application/jsonl",
            )

        def json() -> dict[str, int]:
            return {"n": 1}

        for path, endpoint in (("/text", text), ("/lines/{count}", lines), ("/json", json)):
            app.get(path)(endpoint)
        return app

    @pytest.mark.parametrize("dialect", ["machpay", "ash", "husk", "chronos"])
    async def test_text_speaks_any_dialect(self, dialect: str) -> None:
        wrapped = SSEMiddleware(self.app(), dialect=dialect, adapt=True)
        async with connect(wrapped, "/text", headers=ASKED, dialect=dialect) as stream:
            items = [item async for item in stream.items()]
        assert "".join(item.text for item in items if isinstance(item, Text)) == "Once upon a time"

    async def test_lines_are_data(self) -> None:
        async with connect(SSEMiddleware(self.app(), adapt=True), "/lines/2", headers=ASKED) as stream:
            items = [item async for item in stream.items()]
        assert items == [Data({"name": "Plumbus", "number": n}) for n in range(2)]

    @pytest.mark.parametrize(
        ("path", "status"), [("/json", 200), ("/lines/x", 422), ("/nowhere", 404), ("/openapi.json", 200)]
    )
    async def test_json_stays_json(self, path: str, status: int) -> None:
        async with connect(SSEMiddleware(self.app(), adapt=True), path, headers=ASKED) as answer:
            await answer.read()
        assert (answer.status, answer.headers["content-type"]) == (status, "application/json")
        assert "vary" not in answer.headers


class TestLitestar:
    """`Stream` and `ServerSentEvent` of Litestar."""

    def app(self) -> Any:
        litestar = pytest.importorskip("litestar", reason=HOW)
        from litestar.response import ServerSentEvent, Stream

        async def numbers() -> AsyncGenerator[str, None]:
            for number in range(3):
                yield f'{{"n":{number}}}\n'
                await asyncio.sleep(0)

        async def lines() -> Stream:
            return Stream(numbers())

        async def events() -> ServerSentEvent:
            return ServerSentEvent(numbers())

        # Annotations are looked up in the module: they are local here.
        handlers = [
            litestar.get("/lines", media_type="application/x-ndjson")(lines),
            litestar.get("/events")(events),
        ]
        return litestar.Litestar(handlers, signature_types=[Stream, ServerSentEvent], logging_config=None)

    async def test_lines_are_data(self) -> None:
        async with connect(SSEMiddleware(self.app(), adapt=True), "/lines", headers=ASKED) as stream:
            items = [item async for item in stream.items()]
        assert items == [Data({"n": n}) for n in range(3)]

    async def test_its_events_are_translated(self) -> None:
        wrapped = SSEMiddleware(self.app(), dialect="machpay", adapt={"text/event-stream": "plain"})
        async with connect(wrapped, "/events", headers=ASKED, dialect="machpay") as stream:
            items = [item async for item in stream.items()]
        assert [item.text.strip() for item in items if isinstance(item, Text)] == [
            '{"n":0}',
            '{"n":1}',
            '{"n":2}',
        ]
