"""Cadence and resumption: what holds passes, what does not is told with its place."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from sseware import SSEMiddleware
from sseware.testing import assert_cadence, assert_resumes, connect
from tests.testing.apps import START, body, says, until_disconnect

pytestmark = pytest.mark.anyio

Pause = float


def at_times(*times: tuple[float, bytes]) -> Any:
    """Makes an application that sends chunks at certain times, and then waits for its client to leave."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        start = anyio.current_time()
        for at, chunk in times:
            await anyio.sleep(start + at - anyio.current_time())
            await send(body(chunk))
        await until_disconnect(receive)

    return app


PING, EVENT = b": ping\n\n", b"data: x\n\n"


async def test_fifty_seconds_of_keepalives() -> None:
    async def silent() -> AsyncIterator[str]:
        yield "x"
        await anyio.sleep(7)
        yield "y"
        await anyio.sleep_forever()

    async with connect(SSEMiddleware(silent, dialect="plain", keepalive=15.0)) as stream:
        await anyio.sleep(57)
        assert_cadence(stream, every=15)
    assert [chunk.at for chunk in stream.chunks] == [0, 7, 22, 37, 52]


@pytest.mark.parametrize(
    ("times", "why"),
    [
        pytest.param([(0, EVENT)], "no keepalive came in 50 s; chunks came at 0 s", id="none"),
        pytest.param([(0, PING)], "no keepalive came in 50 s", id="only-the-opening"),
        pytest.param(
            [(0, PING), (15, PING), (31, PING), (46, PING)],
            "the keepalive at 31 s came after 16 s",
            id="late",
        ),
        pytest.param(
            [(0, PING), (10, PING), (20, PING)], "the keepalive at 10 s came after 10 s", id="early"
        ),
        pytest.param(
            [(0, EVENT), (10, EVENT), (15, PING), (30, PING)],
            "the keepalive at 15 s came after 5 s",
            id="drift",
        ),
        pytest.param(
            [(0, PING), (15, PING), (40, EVENT)], "the chunk at 40 s came after 25 s", id="late-event"
        ),
        pytest.param(
            [(0, PING), (15, PING), (30, PING)], "nothing came in the last 20 s, longer than 15", id="stopped"
        ),
    ],
)
async def test_a_wrong_cadence_is_told(times: list[tuple[float, bytes]], why: str) -> None:
    async with connect(at_times(*times)) as stream:
        await anyio.sleep(50)
        with pytest.raises(AssertionError, match=why):
            assert_cadence(stream, every=15)


async def test_a_tolerance_is_for_real_time() -> None:
    async with connect(at_times((0, PING), (14, PING), (30, PING), (45, PING))) as stream:
        await anyio.sleep(50)
        assert_cadence(stream, every=15, tolerance=1)
        with pytest.raises(AssertionError):
            assert_cadence(stream, every=15)


def numbered(count: int, *, off_by: int = 0) -> Any:
    """Makes an application that resumes, or does so wrongly."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        last = dict(scope["headers"]).get(b"last-event-id")
        begin = 0 if last is None else int(last) + 1 + off_by
        await says(*[b"id: %d\ndata: %d\n\n" % (n, n) for n in range(begin, count)])(scope, receive, send)

    return app


async def test_a_cut_at_any_byte_loses_nothing() -> None:
    assert await assert_resumes(numbered(12), "/x") == 13
    assert await assert_resumes(numbered(12), cuts=[0, 1, 20], server="lockstep") == 2


@pytest.mark.parametrize(("off_by", "why"), [(1, "is missing"), (-1, "was inserted")])
async def test_a_gap_and_a_duplicate_are_found(off_by: int, why: str) -> None:
    with pytest.raises(AssertionError, match=rf"after a cut at byte 15, with 1 events .* '0': event 1 {why}"):
        await assert_resumes(numbered(5, off_by=off_by))
