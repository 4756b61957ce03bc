"""`sseware.testing._oracle`: what it compares, and what it says of a difference."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from sseware.testing import PrefixMismatch, PrefixOracle, ReferenceEvent, check_prefixes, reference_parse
from tests.testing.mutants import CrHeldBack, DecodedStrictly, DispatchAtEnd, PlainEvent, PlainParser


def test_the_prefixes_are_the_empty_one_and_one_for_each_chunk() -> None:
    assert check_prefixes(PlainParser, [b"data: a\n", b"", b"\n"]) == 4
    assert check_prefixes(PlainParser, []) == 1


def test_one_oracle_serves_many_chunkings() -> None:
    oracle = PrefixOracle(b"data: a\r\n\r\n")
    for cut in range(11):
        assert oracle.check(PlainParser(), [oracle.data[:cut], oracle.data[cut:]]) == 3


def test_it_tells_what_the_reference_says_of_a_prefix() -> None:
    oracle = PrefixOracle(b"id: 1\n\n", last_event_id="0")
    assert oracle.at(6) == reference_parse(b"id: 1\n", last_event_id="0")
    assert oracle.at(7).last_event_id == "1"


def test_both_begin_with_the_id_of_the_connection_before() -> None:
    assert check_prefixes(PlainParser, [b"data: a\n\n"], last_event_id="7") == 2
    with pytest.raises(PrefixMismatch) as caught:
        PrefixOracle(b"", last_event_id="7").check(PlainParser(), [])
    assert (caught.value.what, caught.value.got, caught.value.want) == ("last_event_id", "", "7")


def test_a_late_event_is_found_at_the_chunk_that_completes_it() -> None:
    with pytest.raises(PrefixMismatch) as caught:
        check_prefixes(CrHeldBack, [b"data: a\r", b"\r", b"\n"])
    mismatch = caught.value
    assert mismatch.what == "events"
    assert mismatch.chunks == (b"data: a\r", b"\r")
    assert (mismatch.got, mismatch.want) == ((), (("message", "a", ""),))


def test_a_mismatch_can_be_read_and_pasted() -> None:
    with pytest.raises(PrefixMismatch) as caught:
        check_prefixes(CrHeldBack, [b"data: a\r", b"\r", b"\n"])
    assert str(caught.value).splitlines() == [
        "after 9 bytes the parser and the standard differ in events",
        "  got    ()",
        "  want   (('message', 'a', ''),)",
        "  chunks [b'data: a\\r', b'\\r']",
    ]
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_an_event_that_the_end_brings_out_is_one_too_many() -> None:
    with pytest.raises(PrefixMismatch) as caught:
        check_prefixes(DispatchAtEnd, [b"data: a"])
    assert caught.value.what == "events after close"


def test_an_error_of_the_parser_is_a_mismatch() -> None:
    with pytest.raises(PrefixMismatch) as caught:
        check_prefixes(DecodedStrictly, [b"data: \xff\n"])
    assert caught.value.what == "an error"
    assert isinstance(caught.value.got, UnicodeDecodeError)
    assert caught.value.__cause__ is caught.value.got


def test_chunks_of_another_stream_are_refused() -> None:
    with pytest.raises(ValueError, match=r"must be b'ab' when they are joined, got \[b'a'\]"):
        PrefixOracle(b"ab").check(PlainParser(), [b"a"])


@dataclass
class Scripted:
    """A parser that says what it was told to say, whatever it is fed."""

    last_event_id: str = ""
    reconnection_time: int | None = None
    events: list[Any] = field(default_factory=list)
    left: object = None

    def feed(self, chunk: bytes) -> list[Any]:
        return self.events

    def close(self) -> object:
        return self.left


@pytest.mark.parametrize(
    ("parser", "what"),
    [
        pytest.param(Scripted(last_event_id="1"), "last_event_id", id="the-last-event-id"),
        pytest.param(Scripted(reconnection_time=0), "reconnection_time", id="the-reconnection-time"),
        pytest.param(Scripted(events=[PlainEvent("message", "a", "")]), "events", id="the-events"),
        pytest.param(Scripted(left=(PlainEvent("message", "a", ""),)), "events after close", id="what-close-returns"),
    ],
)  # fmt: skip
def test_each_part_of_the_state_is_compared(parser: Scripted, what: str) -> None:
    with pytest.raises(PrefixMismatch) as caught:
        PrefixOracle(b"data: b\n").check(parser, [b"data: b\n"])
    assert caught.value.what == what


def test_what_close_returns_is_the_parsers_own_business_where_it_is_no_list() -> None:
    assert PrefixOracle(b"data: b").check(Scripted(left="leftover"), [b"data: b"]) == 2


def test_more_than_the_standards_attributes_can_be_compared() -> None:
    stream = b"id: 1\ndata: a\n\n"
    same = Scripted("1", events=[ReferenceEvent("a", last_event_id="1", id="1")])
    other = Scripted("1", events=[ReferenceEvent("a", last_event_id="1")])
    oracle = PrefixOracle(stream, last_event_id="1", compare=("data", "id"))
    assert oracle.check(same, [stream]) == 2
    with pytest.raises(PrefixMismatch) as caught:
        oracle.check(other, [stream])
    assert (caught.value.got, caught.value.want) == ((("a", None),), (("a", "1"),))


def test_a_parser_that_yields_its_events_may_fail_while_it_does() -> None:
    class Yielding(PlainParser):
        def feed(self, chunk: bytes) -> Iterator[PlainEvent]:  # type: ignore[override]  # an iterable is enough
            yield from super().feed(chunk)
            if b"boom" in chunk:
                raise RuntimeError("boom")

    assert check_prefixes(Yielding, [b"data: a\n\n"]) == 2
    with pytest.raises(PrefixMismatch, match="differ in an error"):
        check_prefixes(Yielding, [b"data: boom\n\n"])


def test_how_large_a_reconnection_time_may_be_is_the_parsers_own_business() -> None:
    class Boundless(PlainParser):
        def feed(self, chunk: bytes) -> list[PlainEvent]:
            self.reconnection_time = int(chunk.removeprefix(b"retry: "))
            return []

    for large in (2**63 - 1, 2**63, 2**99):
        check_prefixes(Boundless, [b"retry: %d\n" % large])
    with pytest.raises(PrefixMismatch, match="reconnection_time"):
        check_prefixes(Boundless, [b"retry: 2_0\n"])
