"""The prefix oracle over our parser: for every prefix, in every chunking, what the standard says."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from sseware.events import ServerSentEvent
from sseware.testing import check_prefixes
from sseware.testing.strategies import chunkings, event_lists, wire_streams
from sseware.wire import EventStreamParser, encode, encode_comment
from tests.fuzz.hunt import ALL_FIELDS, ReusedBuffer, hunt

CHUNKS = wire_streams().flatmap(chunkings)
BEFORE = st.sampled_from(("", "before"))


@settings(max_examples=150)
@given(CHUNKS, BEFORE)
@example([b"data: a\r", b"\r", b"\n", b"data: b\r\r"], "")
@example([b"\xef", b"\xbb", b"\xbf", b"\xef\xbb\xbfdata: a\ndata:", b" b\n\n"], "")
@example([b"id: 1\nretry: 5\ndata: \xe2", b"\x82", b"\xac\n\n"], "before")
@example([b"event: lost\n", b"", b"\ndata: a\n\nid: 2\ndata"], "")
def test_bytes_mean_what_the_standard_says(chunks: list[bytes], before: str) -> None:
    """P1, P2."""
    check_prefixes(EventStreamParser, chunks, last_event_id=before, compare=ALL_FIELDS)


@settings(max_examples=60)
@given(CHUNKS, BEFORE)
def test_a_buffer_that_is_reused_means_the_same(chunks: list[bytes], before: str) -> None:
    check_prefixes(ReusedBuffer, chunks, last_event_id=before, compare=ALL_FIELDS)


@settings(max_examples=60)
@given(st.lists(st.binary(max_size=12), max_size=6))
def test_random_bytes_mean_what_the_standard_says(chunks: list[bytes]) -> None:
    """P1."""
    check_prefixes(EventStreamParser, chunks, compare=ALL_FIELDS)


@settings(max_examples=40)
@given(st.data(), event_lists(max_size=3))
def test_what_our_encoder_writes_means_what_the_standard_says(
    data: st.DataObject, events: list[ServerSentEvent]
) -> None:
    wire = encode_comment("x") + b"".join(map(encode, events))
    check_prefixes(EventStreamParser, data.draw(chunkings(wire)), compare=ALL_FIELDS)


def test_long_hunts_begin_well() -> None:
    tally = hunt(1, 600)
    assert tally.found == ""
    assert tally.checks == 600
    assert tally.prefixes > tally.checks
    assert tally.events > 50
