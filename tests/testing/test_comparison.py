"""What is said of an ``assert`` that compares events: the first lines say what differs first."""

from __future__ import annotations

import pytest

from sseware import ServerSentEvent
from sseware.testing import IsEvent
from sseware.testing._comparison import comparison_lines

A, B, X = (ServerSentEvent(data) for data in "abx")


def test_an_inserted_event_is_in_the_first_three_lines() -> None:
    assert (comparison_lines([A, X, B], [A, B]) or [])[:3] == [
        "3 events == 2 events",
        "event 1 was inserted: ServerSentEvent(data='x')",
        "3 events came, 2 are wanted (+ came in addition, - is missing, ~ is another one):",
    ]


def test_a_missing_event_is_in_the_second_line() -> None:
    lines = comparison_lines([A], [A, B]) or []
    assert lines[:2] == ["1 event == 2 events", "event 1 is missing: ServerSentEvent(data='b')"]


def test_a_matcher_is_what_is_wanted_on_either_side() -> None:
    want = IsEvent("message", data="x")
    for lines in comparison_lines([want], [A]), comparison_lines([A], [want]):
        assert (lines or [])[:2] == ["1 event == 1 event", "event 0 differs in data: 'a' came, 'x' is wanted"]


def test_of_two_events_the_first_difference_is_told() -> None:
    lines = comparison_lines(ServerSentEvent('{"n": 1}'), ServerSentEvent('{"n": 2}'))
    assert lines == [
        "ServerSentEvent(data='{\"n\": 1}') == ServerSentEvent(data='{\"n\": 2}')",
        "event 0 differs in data.n: 1 came, 2 is wanted",
    ]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        pytest.param([A], (A,), id="a-list-and-a-tuple-of-the-same"),
        pytest.param([A], ["a"], id="events-and-texts"),
        pytest.param([], [], id="nothing"),
        pytest.param(A, 1, id="an-event-and-a-number"),
        pytest.param({"a": A}, {"a": B}, id="dicts"),
    ],
)
def test_everything_else_is_left_to_pytest(left: object, right: object) -> None:
    assert comparison_lines(left, right) is None
