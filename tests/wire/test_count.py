"""Counting what we have written ourselves agrees with reading it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sseware.events import ServerSentEvent
from sseware.wire import EventStreamParser, count_events, encode, encode_comment

# Data that look like whatever else there is.
TEXTS = st.lists(st.sampled_from(["\n", "\r", ":", "retry: 5", "data: x", "event", "", "a"])).map("".join)
BLOCKS = st.one_of(
    st.builds(
        lambda data, event, id_, retry: encode(ServerSentEvent(data, event=event, id=id_, retry=retry)),
        TEXTS,
        st.sampled_from(["message", "note", ": no comment", "retry"]),
        st.sampled_from([None, "", "7"]),
        st.sampled_from([None, 5]),
    ),
    TEXTS.map(encode_comment),
    st.just(b"retry: 2000\n\n"),
)


@given(st.lists(BLOCKS))
def test_as_many_are_counted_as_are_read(blocks: list[bytes]) -> None:
    chunk = b"".join(blocks)
    assert count_events(chunk) == len(EventStreamParser().feed(chunk))


@pytest.mark.parametrize(
    ("chunk", "count"),
    [
        pytest.param(b"", 0, id="nothing"),
        pytest.param(b"data: a\n\n", 1, id="one-event"),
        pytest.param(b": a\n\n", 0, id="one-comment"),
        pytest.param(b": a\n\n: b\n\n", 0, id="two-comments"),
        pytest.param(b"retry: 5\n\ndata: a\n\nretry: 7\n\n", 1, id="reconnection-times"),
    ],
)
def test_a_chunk_has_so_many_events(chunk: bytes, count: int) -> None:
    assert count_events(chunk) == count
