"""Who leaves when: in turns, late ones at once, and what will not go at the end."""

from __future__ import annotations

import anyio
import pytest

from sseware.asgi._departures import Departures, Place
from sseware.asgi._runtime import current_runtime

pytestmark = pytest.mark.anyio


class Answer:
    """What is done to one answer, and when."""

    def __init__(self, departures: Departures, *, has_turn: bool = True) -> None:
        self.turns: list[float] = []
        self.broken_off: list[float] = []
        self.place: Place = departures.join(
            current_runtime(),
            (lambda: self.turns.append(anyio.current_time())) if has_turn else None,
            lambda: self.broken_off.append(anyio.current_time()),
        )


async def test_who_has_left_has_no_turn_any_more() -> None:
    departures = Departures()
    answers = [Answer(departures) for _ in range(20)]
    departures.begin(current_runtime(), 10)
    for answer in answers:
        answer.place.leave()
    await anyio.sleep(100)
    assert [answer.turns + answer.broken_off for answer in answers] == [[]] * 20


async def test_who_stays_is_broken_off_at_the_end(caplog: pytest.LogCaptureFixture) -> None:
    """S4."""
    departures = Departures()
    answers = [Answer(departures) for _ in range(3)]
    start = anyio.current_time()
    departures.begin(current_runtime(), 10)
    answers[0].place.leave()
    await anyio.sleep(100)
    assert [answer.broken_off for answer in answers] == [[], [start + 10], [start + 10]]
    assert "2 of the answers" in caplog.text


@pytest.mark.parametrize("others", [0, 1])
async def test_who_comes_late_has_its_turn_at_once_and_the_same_end(others: int) -> None:
    """S3: as one whose request was read before the signal came."""
    departures, start = Departures(), anyio.current_time()
    first = [Answer(departures) for _ in range(others)]
    departures.begin(current_runtime(), 10)
    await anyio.sleep(4)
    stream, buffered = Answer(departures), Answer(departures, has_turn=False)
    assert (stream.turns, buffered.turns) == ([start + 4], [])
    await anyio.sleep(100)
    assert [each.broken_off for each in (*first, stream, buffered)] == [[start + 10]] * (others + 2)


async def test_who_comes_after_the_end_is_broken_off() -> None:
    departures, start = Departures(), anyio.current_time()
    departures.begin(current_runtime(), 10)
    await anyio.sleep(20)
    late = Answer(departures)
    await anyio.sleep(1)
    assert (late.turns, late.broken_off) == ([start + 20], [start + 20])


async def test_a_buffered_answer_has_no_turn_and_does_not_count_among_a_crowd() -> None:
    """S2."""
    departures, start = Departures(), anyio.current_time()
    buffered = [Answer(departures, has_turn=False) for _ in range(20)]
    streams = [Answer(departures) for _ in range(10)]
    departures.begin(current_runtime(), 10)
    assert [answer.turns for answer in streams] == [[start]] * 10
    await anyio.sleep(5)
    assert [answer.turns + answer.broken_off for answer in buffered] == [[]] * 20
    for answer in (*buffered, *streams):
        answer.place.leave()


async def test_one_waits_until_all_have_left_and_anew_for_those_that_come_after() -> None:
    """S7."""
    departures = Departures()
    await departures.wait_empty()
    for _ in range(2):
        answers, start = [Answer(departures) for _ in range(2)], anyio.current_time()
        async with anyio.create_task_group() as group:
            group.start_soon(departures.wait_empty)
            group.start_soon(departures.wait_empty)
            await anyio.sleep(1)
            answers[0].place.leave()
            answers[0].place.leave()
            await anyio.sleep(1)
            answers[1].place.leave()
        assert anyio.current_time() == start + 2


async def test_a_handler_has_what_is_left_of_the_time_to_clean_up_in() -> None:
    """S4."""
    departures, runtime = Departures(), current_runtime()
    assert departures.left(runtime, 5) == 5
    departures.begin(runtime, 10)
    assert departures.left(runtime, 5) == 5
    assert departures.left(runtime, 60) == 10
    await anyio.sleep(9)
    assert departures.left(runtime, 60) == 1
    await anyio.sleep(9)
    assert departures.left(runtime, 60) == 0.5
    assert departures.left(runtime, 0.1) == 0.1
