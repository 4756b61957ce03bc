"""`sseware.testing.strategies`: what they promise, and that they reach what they aim at."""

from __future__ import annotations

import re
from collections.abc import Callable
from statistics import median
from typing import Any

import pytest
from hypothesis import Phase, find, given, seed, settings
from hypothesis import strategies as st

from sseware.events import MAX_RETRY, ServerSentEvent
from sseware.testing import check_prefixes
from sseware.testing.strategies import (
    chunkings,
    event_ids,
    event_lists,
    event_types,
    events,
    hostile_text,
    retry_values,
    wire_streams,
)
from sseware.wire import EventStreamParser, encode
from tests.testing.mutants import PLANTED, LfAfterCrCounts

QUICK = settings(max_examples=40)
GENERATE_ONLY = settings(derandomize=True, database=None, phases=[Phase.generate])


@QUICK
@given(events())
def test_an_event_survives_the_encoder_and_the_parser(event: ServerSentEvent) -> None:
    (parsed,) = EventStreamParser().feed(encode(event))
    written = (event.event, event.id, event.retry)
    assert (parsed.event, parsed.id, parsed.retry) == written


@QUICK
@given(events())
def test_the_repr_of_an_event_can_be_pasted(event: ServerSentEvent) -> None:
    assert eval(repr(event)) == event


@QUICK
@given(events(data=st.just("x"), types=st.just("t"), ids=st.just("1"), retries=st.just(2)))
def test_each_field_can_be_given_a_strategy(event: ServerSentEvent) -> None:
    assert event == ServerSentEvent("x", event="t", id="1", retry=2)


@QUICK
@given(event_lists(min_size=2, max_size=3, elements=events(data=st.just("x"))))
def test_lists_have_the_size_and_the_elements_that_were_asked_for(some: list[ServerSentEvent]) -> None:
    assert 2 <= len(some) <= 3
    assert {event.data for event in some} == {"x"}


@QUICK
@given(event_lists())
def test_lists_are_short_by_default(some: list[ServerSentEvent]) -> None:
    assert len(some) <= 8


@QUICK
@given(event_ids(empty=False), event_types(), retry_values(max_value=10))
def test_the_values_of_fields_can_be_written(id: str, type: str, retry: int) -> None:
    ServerSentEvent(id=id, event=type, retry=retry)
    assert id
    assert retry <= 10


@QUICK
@given(hostile_text(max_tokens=2, surrogates=False))
def test_text_without_surrogates_has_a_utf_8(text: str) -> None:
    assert text.encode().decode() == text


REACHED: dict[str, tuple[st.SearchStrategy[Any], Callable[[Any], bool]]] = {
    "a-forged-field": (hostile_text(), lambda text: "\ndata: x" in text),
    "a-surrogate": (
        hostile_text(),
        lambda text: any("\ud800" <= character <= "\udfff" for character in text),
    ),
    "an-empty-id": (event_ids(), lambda text: text == ""),
    "an-id-with-a-line-separator": (event_ids(), lambda text: "\u2028" in text),
    "the-default-type": (event_types(), lambda text: text == "message"),
    "the-largest-retry": (retry_values(), lambda retry: retry == MAX_RETRY),
    "all-fields": (events(), lambda event: event.id is not None and event.retry is not None),
    "two-marks": (wire_streams(), lambda wire: wire.startswith(b"\xef\xbb\xbf\xef\xbb\xbf")),
    "an-unfinished-line": (wire_streams(), lambda wire: wire[-1:] not in (b"", b"\n", b"\r")),
    "an-end-in-crlf": (wire_streams(), lambda wire: wire.endswith(b"\r\n")),
}


@pytest.mark.parametrize("name", REACHED)
def test_reaches(name: str) -> None:
    strategy, wanted = REACHED[name]
    find(strategy, wanted, settings=settings(GENERATE_ONLY, max_examples=3000))


@pytest.mark.parametrize(
    ("line_ends", "absent"), [("LF", b"\r"), ("CR", b"\n"), ("CRLF", None), ("mixed", None)]
)
def test_a_stream_keeps_to_the_line_ends_that_were_asked_for(line_ends: str, absent: bytes | None) -> None:
    @settings(QUICK, max_examples=20)
    @given(wire_streams(line_ends=line_ends, beginnings=False))
    def check(wire: bytes) -> None:
        assert absent is None or absent not in wire
        if line_ends == "CRLF":
            assert wire.count(b"\r\n") == wire.count(b"\r") == wire.count(b"\n")

    check()


@QUICK
@given(wire_streams(valid_utf_8=True, beginnings=False, max_size=3))
def test_a_stream_can_be_had_in_valid_utf_8(wire: bytes) -> None:
    assert wire.decode().encode() == wire
    assert not wire.startswith(b"\xef\xbb\xbf\xef")


@QUICK
@given(st.data(), wire_streams(max_size=4), st.booleans())
def test_chunks_are_the_stream_and_are_empty_only_where_they_may_be(
    data: st.DataObject, wire: bytes, empty: bool
) -> None:
    chunks = data.draw(chunkings(wire, empty=empty))
    assert b"".join(chunks) == wire
    assert empty or all(chunks) or not wire


@pytest.mark.parametrize(
    ("strategy", "written"),
    [
        (hostile_text(max_tokens=2), "hostile_text(max_tokens=2)"),
        (event_ids(empty=False), "event_ids(empty=False)"),
        (event_types(), "event_types()"),
        (retry_values(max_value=3), "retry_values(max_value=3)"),
        (events(), "events()"),
        (event_lists(min_size=1), "event_lists(min_size=1)"),
        (wire_streams(line_ends="CR"), "wire_streams(line_ends='CR')"),
        (chunkings(b"a", empty=False), "chunkings(b'a', empty=False)"),
    ],
)
def test_the_repr_of_a_strategy_can_be_pasted(strategy: object, written: str) -> None:
    assert repr(strategy) == written


def test_a_split_between_cr_and_lf_is_found_in_ten_examples() -> None:
    wire = b"event: greeting\r\nid: 17\r\ndata: hello, world\r\ndata: and good night\r\n\r\n"

    def examples_needed(number: int) -> int:
        tried = 0

        @seed(number)
        @settings(max_examples=300, database=None, phases=[Phase.generate])
        @given(chunkings(wire))
        def check(chunks: list[bytes]) -> None:
            nonlocal tried
            tried += 1
            check_prefixes(LfAfterCrCounts, chunks)

        with pytest.raises(AssertionError):
            check()
        return tried

    assert median(examples_needed(number) for number in range(7)) <= 10


CHUNKS = wire_streams().flatmap(chunkings)


def fails(name: str, chunks: list[bytes]) -> bool:
    try:
        check_prefixes(PLANTED[name], chunks)
    except AssertionError:
        return True
    return False


@pytest.mark.parametrize("name", ["CR held back", "phantom event", "BOM kept"])
def test_what_is_found_shrinks_to_three_lines(name: str) -> None:
    once = settings(derandomize=True, database=None, max_examples=4_000)
    chunks = find(CHUNKS, lambda chunks: fails(name, chunks), settings=once)
    fields = re.findall(rb"[^\r\n]+", b"".join(chunks))
    assert len(fields) <= 3, chunks


@pytest.mark.parametrize("strategy", [events(), CHUNKS, hostile_text()], ids=["events", "chunks", "text"])
def test_a_seed_makes_the_same_examples_again(strategy: st.SearchStrategy[Any]) -> None:
    def examples() -> list[Any]:
        found: list[Any] = []

        @seed(2026)
        @settings(max_examples=20, database=None, phases=[Phase.generate])
        @given(strategy)
        def check(example: Any) -> None:
            found.append(example)

        check()
        return found

    assert examples() == examples()
