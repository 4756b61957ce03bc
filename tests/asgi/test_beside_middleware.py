"""Under and over other people's middleware: nothing is held back, who leaves is noticed, errors stay bare."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import anyio
import pytest

from sseware.testing import connect
from tests.asgi.fakes import FakeServer, answer, request
from tests.asgi.stacks import MIDDLEWARES, PLACES, Catcher, Seen, app_of

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("place", list(PLACES)),
    pytest.mark.parametrize("middleware", list(MIDDLEWARES)),
    pytest.mark.parametrize("door", ["lines", "ours"]),
]

PROMPT = 0.1
HEADERS = {"host": "localhost", "accept": "text/event-stream", "origin": "https://a.example"}


def stacked(middleware: str, place: str, seen: Seen) -> Any:
    return PLACES[place](MIDDLEWARES[middleware], app_of(seen))


async def test_the_first_event_is_not_held_back(door: str, middleware: str, place: str) -> None:
    """H8."""
    app = stacked(middleware, place, Seen())
    async with connect(app, f"/{door}/rests", headers=HEADERS) as stream:
        await stream.next()
        assert stream.elapsed < PROMPT
        assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert "Accept" in stream.headers["vary"]
        assert "content-length" not in stream.headers


async def test_a_client_that_leaves_is_noticed(door: str, middleware: str, place: str) -> None:
    """H8."""
    seen = Seen()
    app = stacked(middleware, place, seen)
    async with connect(app, f"/{door}/rests", headers=HEADERS) as stream:
        await stream.next()
        await anyio.sleep(3)
        left = anyio.current_time()
        await stream.disconnect()
    assert [at - left < PROMPT for at in seen.left] == [True]


async def test_a_stream_is_whole(door: str, middleware: str, place: str) -> None:
    async with connect(stacked(middleware, place, Seen()), f"/{door}/ends", headers=HEADERS) as stream:
        events = await stream.drain()
    assert [event.data.strip() for event in events] == ['{"n":0}', '{"n":1}', '{"n":2}']
    assert stream.ending == "complete"


async def test_context_variables_are_where_they_belong(door: str, middleware: str, place: str) -> None:
    seen = Seen()
    app = Catcher(stacked(middleware, place, seen))
    async with connect(app, f"/{door}/rests", headers=HEADERS) as stream:
        await stream.next()
    assert seen.user == ["somebody"]


async def test_an_exception_at_once_is_the_frameworks_to_answer(
    door: str, middleware: str, place: str
) -> None:
    """X1, X9."""
    outside = Catcher(stacked(middleware, place, Seen()))
    server = FakeServer()
    with pytest.raises(ValueError, match="at once"):
        await answer(outside, request(path="/raises", headers=HEADERS), server=server)
    assert [type(exc) for exc in outside.caught] == [ValueError]
    assert server.status == 500


async def test_an_exception_half_way_is_told_in_the_stream(door: str, middleware: str, place: str) -> None:
    """X3, X9: those of an application that is adapted go on to whoever catches them; ours logs its handlers' own."""
    outside = Catcher(stacked(middleware, place, Seen()))
    server = FakeServer()
    with suppress(ValueError):
        await answer(outside, request(path=f"/{door}/breaks", headers=HEADERS), server=server)
    assert list(map(str, outside.caught)) == (["half-way"] if door == "lines" else [])
    assert b"n" in server.body
    assert server.is_complete
    # BaseHTTPMiddleware ends a broken body as if it were whole, and raises only then: below us it hides the failure.
    hidden = door == "lines" and "Base" in middleware and "under" in place
    assert (b"event: error" in server.body) is not hidden
