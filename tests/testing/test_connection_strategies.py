"""`accept_headers`, `disconnect_points`, `personalities`: what they promise, and what they reach."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from sseware import SSEMiddleware
from sseware.items import Text
from sseware.negotiation import Offer, Request, negotiate
from sseware.testing import PERSONALITIES, Personality, VirtualClock, connect
from sseware.testing.errors import AppLeaked
from sseware.testing.strategies import DisconnectPoint, accept_headers, disconnect_points, personalities
from tests.testing.apps import says, ticks

FEW = settings(max_examples=25)
GENERATE_ONLY = settings(derandomize=True, database=None, phases=[Phase.generate], max_examples=3000)
CLOCK = VirtualClock()


@settings(max_examples=60)
@given(accept_headers())
def test_negotiation_answers_whatever_is_asked(accept: str | None) -> None:
    offers = [Offer(dialect="husk", default="buffered")]
    decision = negotiate(Request(accept=accept), offers)
    assert decision.reason


@FEW
@given(accept_headers(absent=False, malformed=False))
def test_what_is_well_formed_can_be_asked_for_alone(accept: str | None) -> None:
    assert accept is not None
    assert "/" in accept
    assert accept.encode("ascii").decode() == accept


@pytest.mark.parametrize(
    ("strategy", "wanted"),
    [
        pytest.param(accept_headers(), lambda accept: accept is None, id="no-accept"),
        pytest.param(
            accept_headers(malformed=False),
            lambda accept: accept and "event-stream;q=0" in accept.replace(" ", "").replace("\t", ""),
            id="a-stream-that-is-excluded",
        ),
        pytest.param(accept_headers(), lambda accept: accept == "", id="an-empty-accept"),
        pytest.param(disconnect_points(), lambda point: point == DisconnectPoint(), id="leaving-at-once"),
        pytest.param(disconnect_points(), lambda point: point.stalled and point.seconds == 15, id="a-stall"),
        pytest.param(personalities(), lambda each: each.name == "granian", id="a-real-server"),
        pytest.param(
            personalities(named=False),
            lambda each: each.disconnect == "once" and each.after_disconnect == "OSError",
            id="a-server-that-nobody-has-written",
        ),
    ],
)
def test_reaches(strategy: st.SearchStrategy[Any], wanted: Callable[[Any], bool]) -> None:
    find(strategy, wanted, settings=GENERATE_ONLY)


@FEW
@given(personalities(drawn=False), personalities(named=False), disconnect_points(max_events=0, max_seconds=1))
def test_only_what_was_asked_for_comes(
    named: Personality, drawn: Personality, point: DisconnectPoint
) -> None:
    assert named is PERSONALITIES[named.name]
    assert drawn.name == "drawn"
    assert drawn.disconnect != "never" or drawn.cancels_after is not None
    assert (point.events, point.seconds <= 1) == (0, True)


@FEW
@given(personalities(), disconnect_points())
def test_values_can_be_pasted(personality: Personality, point: DisconnectPoint) -> None:
    assert eval(repr(personality)) == personality
    assert eval(repr(point)) == point


@settings(max_examples=20)
# A reader that stalls for longer than `send_timeout` is given up, and its stream has no end.
@given(personalities(), disconnect_points(max_seconds=25))
def test_a_handler_of_the_middleware_ends_wherever_its_client_leaves_and_on_any_server(
    personality: Personality, point: DisconnectPoint
) -> None:
    ended = []

    async def handler(scope: Any, receive: Any) -> Any:
        try:
            for number in range(10**6):
                yield Text(f"{number}\n")
                if number % 3 == 0:
                    await CLOCK.sleep(1)
        finally:
            ended.append(point)

    async def main() -> None:
        app = SSEMiddleware(handler, dialect="plain")
        async with connect(app, server=personality, timeout=120) as stream:
            await point.leave(stream)
        assert stream.app_finished

    CLOCK.run(main)
    assert ended == [point]


def test_leaving_is_in_time_and_at_its_place() -> None:
    async def leave(point: DisconnectPoint) -> tuple[int, float]:
        async with connect(ticks) as stream:
            await point.leave(stream)
            return len(stream.events), stream.elapsed

    assert CLOCK.run(leave, DisconnectPoint(2, 0.5)) == (2, 1.5)
    assert CLOCK.run(leave, DisconnectPoint(2, 3.5, stalled=True)) == (2, 4.5)
    assert CLOCK.run(leave, DisconnectPoint()) == (1, 0)


def test_a_stream_that_ends_before_is_left_at_its_end() -> None:
    async def main() -> int:
        async with connect(says(b"data: x\n\n")) as stream:
            await DisconnectPoint(3).leave(stream)
            return len(stream.events)

    assert CLOCK.run(main) == 1


def test_one_that_leaks_is_reported() -> None:
    async def main() -> None:
        async with connect(says(b"data: x\n\n", then="hang")) as stream:
            await DisconnectPoint(1, 1).leave(stream)

    with pytest.raises(AppLeaked):
        CLOCK.run(main)


@pytest.mark.parametrize(
    ("strategy", "written"),
    [
        (accept_headers(absent=False), "accept_headers(absent=False)"),
        (disconnect_points(max_events=1), "disconnect_points(max_events=1)"),
        (personalities(named=False), "personalities(named=False)"),
    ],
)
def test_the_repr_of_a_strategy_can_be_pasted(strategy: object, written: str) -> None:
    assert repr(strategy) == written
