"""How many streams there are and were, and how they ended, as a snapshot."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from sseware import EventStream, SSEMiddleware, StreamError
from sseware.asgi import Outcome, StreamCounter, StreamStatistics
from sseware.errors import ConfigurationError
from tests.asgi.fakes import answer, request, serving, until

pytestmark = pytest.mark.anyio

NONE = dict.fromkeys(Outcome, 0)


async def two() -> AsyncIterator[str]:
    yield "a"
    yield "b"


async def waits() -> AsyncIterator[str]:
    yield "a"
    await anyio.sleep_forever()


async def fails() -> AsyncIterator[str]:
    yield "a"
    raise StreamError("enough")


async def test_streams_are_counted_by_how_they_ended_and_by_dialect() -> None:
    handlers: dict[str, Any] = {"/two": two, "/fails": fails, "/waits": waits}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        handler = handlers[scope["path"]]
        await EventStream(handler(), dialect=scope["query_string"].decode())(scope, receive, send)

    counted = SSEMiddleware(app, statistics=True)
    assert counted.statistics() == StreamStatistics(outcomes=NONE)
    sent = [await answer(counted, streamed("/two", "plain")) for _ in range(3)]
    sent += [await answer(counted, streamed(path, "machpay")) for path in ("/two", "/fails")]
    statistics = counted.statistics()
    assert (statistics.open, statistics.ended) == (0, 5)
    assert statistics.outcomes == {**NONE, Outcome.FINISHED: 4, Outcome.FAILED: 1}
    assert statistics.bytes == sum(len(server.body) for server in sent)
    plain, machpay = statistics.dialects["plain"], statistics.dialects["machpay"]
    assert (plain.ended, plain.events) == (3, 6)
    assert machpay.outcomes == {**NONE, Outcome.FINISHED: 1, Outcome.FAILED: 1}
    assert statistics.events == plain.events + machpay.events


def streamed(path: str, dialect: str) -> Any:
    return request(path=path, query=dialect, accept="text/event-stream")


async def test_a_stream_that_runs_is_counted_with_what_it_has_sent() -> None:
    counted = SSEMiddleware(waits, statistics=True)
    async with serving(counted) as server:
        await until(lambda: server.body)
        statistics = counted.statistics()
        assert (statistics.open, statistics.ended) == (1, 0)
        assert (statistics.events, statistics.bytes) == (1, len(server.body))
        assert statistics.dialects["plain"].open == 1
    after = counted.statistics()
    assert (after.open, after.events) == (0, 1)
    assert after.outcomes[Outcome.LEFT] == 1
    assert statistics.open == 1, "a snapshot stays what it was"


async def test_what_is_not_counted_cannot_be_asked_for() -> None:
    app = SSEMiddleware(two)
    await answer(app)
    with pytest.raises(ConfigurationError, match="make the middleware with statistics=True"):
        app.statistics()


async def test_a_response_with_observers_of_its_own_is_counted_all_the_same() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await EventStream(two(), observers=())(scope, receive, send)

    counted = SSEMiddleware(app, statistics=True)
    await answer(counted)
    assert counted.statistics().ended == 1


async def test_a_counter_may_count_for_several_applications() -> None:
    counter = StreamCounter()
    for _ in range(2):
        await answer(SSEMiddleware(two, observers=[counter]))
    assert counter.statistics().ended == 2
