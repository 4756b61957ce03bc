"""Values are encoded as the events would be that they stand for."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sseware import ServerSentEvent
from sseware.dialects import COMPACT, json_encoder
from sseware.errors import EventTooLarge, InvalidEvent, InvalidItem
from sseware.wire import MAX_EVENT_SIZE, encode

TEXTS = st.text(st.sampled_from("a.0-e1\n\r\u2028\ud800\x00é🚀"), max_size=8)
ATOMS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS)
VALUES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)


@pytest.mark.parametrize("event", ["message", "progress", "a b: c", "é"])
@given(value=VALUES)
def test_a_value_is_written_as_its_event(event: str, value: Any) -> None:
    assert json_encoder(event)(value) == encode(ServerSentEvent(COMPACT.dumps(value), event=event))


@pytest.mark.parametrize("event", ["", "two\nlines", "cr\r", "\ud800"])
def test_a_type_that_cannot_be_written_is_refused_at_once(event: str) -> None:
    with pytest.raises(InvalidEvent):
        json_encoder(event)


def test_a_value_without_json_is_refused() -> None:
    with pytest.raises(InvalidItem):
        json_encoder()({1: "a"})


@pytest.mark.parametrize(("more", "fits"), [(0, True), (1, False)])
def test_a_value_has_the_limit_of_an_event(more: int, fits: bool) -> None:
    text = "x" * (MAX_EVENT_SIZE - len('data: ""\n\n') + more)
    if fits:
        assert len(json_encoder()(text)) == MAX_EVENT_SIZE
    else:
        with pytest.raises(EventTooLarge):
            json_encoder()(text)
