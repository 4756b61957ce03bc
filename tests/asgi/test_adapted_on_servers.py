"""Adapted streams on every kind of server, in process: whole, left at once, and with a request body to read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest
from starlette.requests import Request
from starlette.responses import StreamingResponse

from sseware import SSEMiddleware
from sseware.items import Data
from sseware.testing import PERSONALITIES, connect

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("server", sorted(PERSONALITIES))]


UNFIT = {
    "uvicorn-h2": "its body of nothing never comes, and this application waits for it: with us and without",
    "asgi-2.4": "Starlette leaves its generator to the garbage collector there: with us and without",
}


async def raw(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the lines of the request body as they come, and does not look at its client but for that."""
    head = [(b"content-type", b"application/jsonl")]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    while (message := await receive())["type"] == "http.request":
        more = message.get("more_body", False)
        await send({"type": "http.response.body", "body": message.get("body", b""), "more_body": more})
        if not more:
            return


async def through_starlette(scope: Any, receive: Any, send: Any) -> None:
    """Reads the request body and answers with its lines, one by one."""
    whole = await Request(scope, receive).body()

    async def lines() -> AsyncIterator[bytes]:
        for line in whole.splitlines(keepends=True):
            yield line
            await anyio.sleep(0.01)

    await StreamingResponse(lines(), media_type="application/x-ndjson")(scope, receive, send)


@pytest.mark.parametrize("app", [raw, through_starlette])
async def test_lines_in_many_messages_come_back_as_items(server: str, app: Any) -> None:
    """C8, H16."""
    parts = [b'{"n":%d}\n' % n for n in range(30)]
    async with connect(SSEMiddleware(app, adapt=True), method="POST", content=parts, server=server) as stream:
        items = [item async for item in stream.items()]
    assert items == [Data({"n": n}) for n in range(30)]
    assert stream.violations == []


@pytest.mark.parametrize("pause", [0.0, 1.0], ids=["busy", "idle"])
async def test_an_endless_application_ends_when_its_client_leaves(server: str, pause: float) -> None:
    ended: list[float] = []

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x"
                await anyio.sleep(pause)
        finally:
            ended.append(anyio.current_time())

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await Request(scope, receive).body()
        await StreamingResponse(endless(), media_type="text/plain")(scope, receive, send)

    if server in UNFIT:
        pytest.skip(UNFIT[server])
    async with connect(SSEMiddleware(app, adapt=True), server=server) as stream:
        await stream.take(2)
        left = anyio.current_time()
        await stream.disconnect()
    assert stream.app_finished
    assert ended[0] - left <= 0.01
