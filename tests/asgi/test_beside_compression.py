"""Beside middleware that compresses: what is compressed passes, what would be held back is not compressed."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.middleware.gzip import GZipMiddleware

from sseware import SSEMiddleware
from sseware.testing import connect
from tests.asgi.fakes import answer, request
from tests.asgi.stacks import NaiveGZip, Seen, app_of, inflated

pytestmark = pytest.mark.anyio

PACKED = {"accept": "text/event-stream", "accept-encoding": "gzip"}
LINES = b'{"n":0}\n{"n":1}\n{"n":2}\n'
EVENTS = b'event: data\ndata: {"n":0}\n\nevent: data\ndata: {"n":1}\n\nevent: data\ndata: {"n":2}\n\n'


@pytest.mark.parametrize("gzip", [GZipMiddleware, NaiveGZip])
async def test_what_an_inner_middleware_compressed_passes_as_it_is(gzip: Any) -> None:
    """H6, H7."""
    inner = gzip(app_of(Seen()))
    scope = request(path="/lines/ends", headers=PACKED)
    through = await answer(SSEMiddleware(inner, adapt=True), scope)
    assert through.headers["content-encoding"] == "gzip"
    assert inflated(through.body) == LINES


async def test_starlettes_lets_an_event_stream_be() -> None:
    """H7."""
    app = GZipMiddleware(SSEMiddleware(app_of(Seen()), adapt=True), minimum_size=1)
    async with connect(app, "/lines/rests", headers=PACKED) as stream:
        await stream.next()
        assert stream.elapsed < 0.05
        assert "content-encoding" not in stream.headers


async def test_a_naive_one_over_it_holds_events_back_but_breaks_none() -> None:
    """H7: it ignores no-transform; ``python -m sseware check`` says so."""
    app = NaiveGZip(SSEMiddleware(app_of(Seen()), adapt=True))
    server = await answer(app, request(path="/lines/ends", headers=PACKED))
    assert "no-transform" in server.headers["cache-control"]
    assert inflated(server.body) == EVENTS
