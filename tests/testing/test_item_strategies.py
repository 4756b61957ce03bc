"""`items`, `dialect_streams`: what they promise, and that they reach what they aim at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from sseware import ServerSentEvent, get_dialect
from sseware.errors import TruncatedStream
from sseware.items import AnyItem, Data, Failure, File, Finish, Item, Step, Text, ToolCall
from sseware.testing import assert_lifecycle
from sseware.testing.strategies import dialect_streams, events, items
from sseware.testing.strategies._items import kinds
from sseware.wire import EventStreamParser

FEW = settings(max_examples=25)
GENERATE_ONLY = settings(derandomize=True, database=None, phases=[Phase.generate], max_examples=2000)
DIALECTS = pytest.mark.parametrize("dialect", ["ash", "chronos", "hector", "husk", "machpay", "plain"])


@FEW
@given(items())
def test_the_repr_of_an_item_can_be_pasted(item: Any) -> None:
    names: dict[str, Any] = {kind.__name__: kind for kind in kinds()}
    assert eval(repr(item), {**names, "ServerSentEvent": ServerSentEvent}) == item


@FEW
@given(items(raw_events=False))
def test_an_item_travels_as_json(item: Item) -> None:
    assert msgspec.json.decode(msgspec.json.encode(item), type=AnyItem) == item


@FEW
@given(items(ends=False, files=False, raw_events=False, texts=st.just("x")))
def test_what_was_not_asked_for_does_not_come(item: Any) -> None:
    assert not isinstance(item, Finish | Failure | File | ServerSentEvent)
    if isinstance(item, Text):
        assert item.text == "x"


def test_there_is_a_strategy_for_each_kind() -> None:
    built_in = {kind for kind in Item.__subclasses__() if kind.__module__ == "sseware.items"}
    assert set(kinds()) == built_in


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param(lambda item: "\\ndata:" in repr(item), id="a-forged-field"),
        pytest.param(lambda item: isinstance(item, Data) and type(item.value) is dict, id="a-json-object"),
        pytest.param(lambda item: isinstance(item, Step) and item.error, id="a-step-that-failed"),
        pytest.param(lambda item: isinstance(item, ToolCall) and item.arguments, id="a-call-with-arguments"),
        pytest.param(lambda item: isinstance(item, Finish) and not item.ok, id="a-bad-end"),
        pytest.param(lambda item: isinstance(item, Failure) and item.retry_after == 0, id="an-instant-retry"),
        pytest.param(lambda item: isinstance(item, File) and not item.content, id="an-empty-file"),
        pytest.param(lambda item: isinstance(item, ServerSentEvent), id="an-event"),
    ],
)
def test_reaches(wanted: Callable[[Any], bool]) -> None:
    find(items(), wanted, settings=GENERATE_ONLY)


@DIALECTS
def test_a_stream_of_a_dialect_ends_as_the_dialect_has_it(dialect: str) -> None:
    @settings(FEW, max_examples=12)
    @given(dialect_streams(dialect))
    def check(wire: bytes) -> None:
        assert_lifecycle(wire, dialect)

    check()


@DIALECTS
def test_a_stream_that_is_cut_has_no_end(dialect: str) -> None:
    try:
        get_dialect(dialect).decoder().close()
    except TruncatedStream:
        pass
    else:
        pytest.skip("this dialect has no terminator")

    @settings(FEW, max_examples=12)
    # A step may end a graph's run by itself.
    @given(dialect_streams(dialect, ended=False, max_size=1))
    def check(wire: bytes) -> None:
        decoder = get_dialect(dialect).decoder()
        for event in EventStreamParser().feed(wire):
            list(decoder.decode(event))
        with pytest.raises(TruncatedStream):
            decoder.close()

    check()


@FEW
@given(st.from_type(ServerSentEvent), st.from_type(Step), st.builds(Failure, code=st.just("x")))
def test_hypothesis_makes_our_values_by_type(event: ServerSentEvent, step: Step, failure: Failure) -> None:
    assert ServerSentEvent(event.data, event.event, event.id, event.retry) == event
    assert isinstance(step, Step)
    assert failure.code == "x"


@pytest.mark.parametrize(
    ("strategy", "written"),
    [
        (items(), "items()"),
        (items(files=False, ends=False), "items(ends=False, files=False)"),
        (dialect_streams("husk", max_size=2), "dialect_streams('husk', max_size=2)"),
        (items(raw_events=False), "items(raw_events=False)"),
        (events(), "events()"),
    ],
)
def test_the_repr_of_a_strategy_can_be_pasted(strategy: object, written: str) -> None:
    assert eval(repr(strategy)) is not strategy
    assert sorted(repr(strategy)) == sorted(written)
