"""The parser under load and attack: limits, memory, linear time."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sseware.errors import ParserLimitExceeded, StrictViolation
from sseware.wire import MAX_DATA_LINES, EventStreamParser

KIB = 1024


def parse(chunks: list[bytes], limit: int | None) -> tuple[list[str], str | None]:
    """Returns the data of the events, and what limit was exceeded."""
    parser = EventStreamParser(max_event_size=limit)
    data: list[str] = []
    try:
        for chunk in chunks:
            data += [event.data for event in parser.feed(chunk)]
        parser.close()
    except ParserLimitExceeded as exc:
        return data, exc.what
    return data, None


def feedings(stream: bytes) -> list[list[bytes]]:
    cuts = [[0, len(stream)], range(len(stream) + 1), [0, 9, len(stream)], range(0, len(stream) + 7, 7)]
    return [[stream[i:j] for i, j in pairwise(each)] for each in cuts]


@pytest.mark.parametrize(
    ("fits", "too_large"),
    [
        pytest.param(b"data: 0123456789\n\n", b"data: 01234567890\n\n", id="one-data-line"),
        pytest.param(b"data:0123456789\n\n", b"data:01234567890\n\n", id="without-the-space"),
        pytest.param(
            b"data: 01234\ndata: 6789\n\n", b"data: 01234\ndata: 67890\n\n", id="lines-and-lf-between"
        ),
        pytest.param(b"event: 01234\ndata: 56789\n\n", b"event: 01234\ndata: 567890\n\n", id="data-and-type"),
        pytest.param(b"id: 01234\ndata: 56789\n\n", b"id: 01234\ndata: 567890\n\n", id="data-and-id"),
        pytest.param(b"data\n" * 11 + b"\n", b"data\n" * 12 + b"\n", id="empty-lines"),
        pytest.param(b"data: 0123456789", b"data: 01234567890", id="an-unfinished-line"),
        pytest.param(b"retry: 0000000001\n\n", b"retry: 00000000001\n\n", id="a-retry"),
    ],
)
def test_an_event_may_have_as_many_bytes_as_the_limit_and_no_more(fits: bytes, too_large: bytes) -> None:
    """P10."""
    for chunks in feedings(b"data: -\n\n" + fits):
        assert parse(chunks, 10)[1] is None, chunks
    for chunks in feedings(b"data: -\n\n" + too_large + b"data: never\n\n"):
        assert parse(chunks, 10) == (["-"], "bytes"), chunks


@pytest.mark.parametrize("line", [b": comment", b":", b"unknown: field", b"datax: y", b"dat", b"", b"ID: 0"])
def test_what_is_dropped_has_no_size(line: bytes) -> None:
    stream = b"data: 01234\n" + line + b"x" * 50 + b"\ndata: 6789\n\n"
    for chunks in feedings(stream):
        assert parse(chunks, 10) == (["01234\n6789"], None), chunks


def test_the_limit_is_of_an_event_not_of_a_chunk() -> None:
    chunk = b"data: 0123456789\n\n" * 1000
    assert parse([chunk], 10) == (["0123456789"] * 1000, None)
    assert parse([chunk], 9) == ([], "bytes")


@given(
    st.lists(
        st.sampled_from([b"data: ", b"id: ", b"\n", b"\r", b"\xff", b"x" * 9, b"retry: 1"])
        | st.binary(max_size=9)
    ),
    st.integers(1, 30),
    st.booleans(),
)
def test_nothing_but_the_documented_errors_comes_out(chunks: list[bytes], limit: int, strict: bool) -> None:
    parser = EventStreamParser(max_event_size=limit, strict=strict)
    documented = (ParserLimitExceeded, StrictViolation)[: 1 + strict]
    for chunk in chunks:
        with suppress(*documented):
            parser.feed(bytearray(chunk))
    with suppress(*documented):
        parser.close()
    parser.reset()
    assert len(parser.feed(b"data\n\n")) == 1


def test_the_error_tells_what_was_exceeded_and_what_to_do() -> None:
    with pytest.raises(ParserLimitExceeded) as caught:
        EventStreamParser(max_event_size=10).feed(b"data: " + b"x" * 20)
    assert (caught.value.what, caught.value.limit, caught.value.size) == ("bytes", 10, 20)
    assert str(caught.value) == (
        "a pending event reached 20 bytes, the limit is 10: raise max_event_size if the peer is trusted, "
        "then reset() the parser"
    )


def test_too_many_data_lines_are_not_blamed_on_the_bytes() -> None:
    """P11: the option that there is would not help."""
    with pytest.raises(ParserLimitExceeded) as caught:
        EventStreamParser(max_event_size=None).feed(b"data\n" * (MAX_DATA_LINES + 1))
    assert (caught.value.what, caught.value.limit) == ("data lines", MAX_DATA_LINES)
    assert str(caught.value) == (
        "a pending event reached 65537 data lines, the limit is 65536, whatever max_event_size is: "
        "let the peer send fewer lines an event; reset() the parser to read on"
    )


def test_there_may_be_no_limit_of_bytes() -> None:
    parser = EventStreamParser(max_event_size=None)
    assert parser.feed(b"data: " + b"x" * 17 * KIB * KIB) == []
    assert len(parser.feed(b"\n\n")[0].data) == 17 * KIB * KIB


def test_the_default_limit_is_sixteen_mebibytes() -> None:
    parser = EventStreamParser()
    assert parser.feed(b"data: " + b"x" * 16 * KIB * KIB) == []
    with pytest.raises(ParserLimitExceeded):
        parser.feed(b"x")


@pytest.mark.parametrize("size", [61, KIB, 10**9], ids=["small-chunks", "chunks", "one-chunk"])
@pytest.mark.parametrize("line", [b"data\n", b"data: \n"])
def test_an_event_may_have_65536_data_lines_and_no_more(line: bytes, size: int) -> None:
    """P11."""
    fits = line * MAX_DATA_LINES + b"\n"
    chunks = [fits[i : i + size] for i in range(0, len(fits), size)]
    assert parse(chunks, None) == (["\n" * (MAX_DATA_LINES - 1)], None)
    too_many = b"data: first\n\n" + line * (MAX_DATA_LINES + 1) + b"\n"
    chunks = [too_many[i : i + size] for i in range(0, len(too_many), size)]
    assert parse(chunks, None) == (["first"], "data lines")


def test_many_events_are_not_many_data_lines() -> None:
    assert len(parse([b"data: 0123456789\n\n" * 70_000], None)[0]) == 70_000


def test_the_error_is_sticky_until_a_reset() -> None:
    """P13."""
    parser = EventStreamParser(max_event_size=10)
    parser.feed(b"id: 7\nretry: 5\n\n")
    for use in (
        lambda: parser.feed(b"data: " + b"x" * 20),
        lambda: parser.feed(b""),
        parser.close,
        parser.close,
    ):
        with pytest.raises(ParserLimitExceeded):
            use()
    parser.reset()
    assert (parser.last_event_id, parser.reconnection_time) == ("7", 5)
    assert [event.data for event in parser.feed(b"data: a\n\n")] == ["a"]


def test_the_events_before_it_come_first_and_the_next_call_raises() -> None:
    for use in (lambda parser: parser.feed(b"\n\ndata: b\n\n"), EventStreamParser.close):
        parser = EventStreamParser(max_event_size=10)
        assert [event.data for event in parser.feed(b"data: a\n\ndata: " + b"x" * 20)] == ["a"]
        with pytest.raises(ParserLimitExceeded):
            use(parser)


def test_a_strict_parser_limits_comments_too() -> None:
    parser = EventStreamParser(max_event_size=100, strict=True)
    with pytest.raises(ParserLimitExceeded):
        for _ in range(100):
            parser.feed(b":" * 10)


def test_a_strict_parser_raises_at_once_and_is_sticky() -> None:
    parser = EventStreamParser(strict=True)
    for use in (lambda: parser.feed(b"data: a\n\nfoo: b\n\n"), lambda: parser.feed(b""), parser.close):
        with pytest.raises(StrictViolation, match="unknown-field at byte 9"):
            use()
    parser.reset()
    assert [event.data for event in parser.feed(b"data: a\n\n")] == ["a"]


@pytest.fixture(scope="class")
def traced() -> Iterator[None]:
    """Traces memory, once for all tests that ask: stopping it may crash an interpreter that has other threads.

    Before 3.12.9 and 3.13.2 one that allocates meanwhile may write into tables that are gone (python/cpython#128679).
    """
    tracemalloc.start()
    yield
    tracemalloc.stop()


def peak_of(parser: EventStreamParser, first: bytes, chunk: bytes, times: int) -> int:
    """Returns how much memory the parser takes at most, in bytes, for one chunk again and again."""
    parser.feed(b"data: warm\n\n")
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    parser.feed(first)
    for _ in range(times):
        try:
            # The chunk is made anew each time, as it is by a socket: one copy of it belongs to the caller.
            parser.feed(chunk[:1] + chunk[1:])
        except ParserLimitExceeded:
            break
    return tracemalloc.get_traced_memory()[1] - before


# What a chunk costs by itself: the caller's copy, and the objects of a parser.
OVERHEAD = 8 * KIB


@pytest.mark.usefixtures("traced")
class TestMemory:
    """What a parser holds, and what passes through it."""

    @pytest.mark.parametrize("size", [100, 1460, 64 * KIB])
    @pytest.mark.parametrize(
        "first", [b"data: ", b"event: ", b"id: ", b"retry: 1"], ids=["data", "event", "id", "retry"]
    )
    def test_an_endless_line_takes_no_more_memory_than_the_limit_and_a_chunk(
        self, first: bytes, size: int
    ) -> None:
        """P10."""
        limit = 512 * KIB
        parser = EventStreamParser(max_event_size=limit)
        peak = peak_of(parser, first, b"1" * size, 2 * limit // size)
        assert peak < limit + limit // 64 + 2 * size + OVERHEAD
        with pytest.raises(ParserLimitExceeded):
            parser.feed(b"")

    @pytest.mark.parametrize(
        ("first", "unit"),
        [
            pytest.param(b":", b"x", id="a-comment"),
            pytest.param(b"foo: ", b"x", id="an-unknown-field"),
            pytest.param(b"", b"x", id="a-line-without-a-colon"),
            pytest.param(b"", b": comment\n", id="comments"),
            pytest.param(b"data: a\n", b": comment\n", id="comments-in-an-event"),
            pytest.param(b"", b"foo: bar\n", id="unknown-fields"),
            pytest.param(b"", b"\n", id="blank-lines"),
            pytest.param(b"", b"\r", id="blank-lines-of-cr"),
        ],
    )
    def test_what_is_dropped_takes_no_memory(self, first: bytes, unit: bytes) -> None:
        """P10."""
        parser = EventStreamParser(max_event_size=None)
        size = 16 * KIB
        peak = peak_of(parser, first, unit * (size // len(unit)), 24)
        assert peak < 5 * size + OVERHEAD
        assert parser.close() is None or first == b"data: a\n"

    def test_a_failed_parser_holds_nothing(self) -> None:
        """P13."""
        parser = EventStreamParser(max_event_size=KIB * KIB)
        before, _ = tracemalloc.get_traced_memory()
        with pytest.raises(ParserLimitExceeded):
            for _ in range(100):
                parser.feed(b"data: " + b"x" * 64 * KIB)
        assert tracemalloc.get_traced_memory()[0] - before < 64 * KIB


def thread_seconds(work: Callable[[], None]) -> float:
    """Processor time of this thread: what other processes do does not count, but for the caches."""
    started = time.thread_time()
    work()
    return time.thread_time() - started


def feed_all(stream: bytes, size: int) -> None:
    parser = EventStreamParser(max_event_size=None)
    for i in range(0, len(stream), size):
        parser.feed(stream[i : i + size])


@pytest.mark.parametrize(
    ("head", "unit", "size", "total"),
    [
        pytest.param(b"data: ", b"x", 1, 24 * KIB, id="a-line-byte-by-byte"),
        pytest.param(b"data: ", b"x", 1460, 8 * KIB * KIB, id="a-line-in-packets"),
        pytest.param(b"", b"data: x\n", KIB, 250 * KIB, id="short-lines"),
        pytest.param(b"", b"data\n", 64 * KIB, 150 * KIB, id="empty-data-lines"),
        pytest.param(b"", b": ping\n", KIB, KIB * KIB, id="comments"),
        pytest.param(b"", b"data: x\n\n", KIB, KIB * KIB, id="events"),
        pytest.param(b"", b"id\n\n", 16 * KIB, 96 * KIB, id="unusual-blocks"),
        pytest.param(b"", b"\r", 64 * KIB, 4 * KIB * KIB, id="carriage-returns"),
        pytest.param(b"retry: ", b"9", 64 * KIB, 8 * KIB * KIB, id="digits"),
    ],
)
def test_time_is_linear(head: bytes, unit: bytes, size: int, total: int) -> None:
    """P12."""
    once, eight_times = (head + unit * (n * total // len(unit) // 8) + b"\n\n" for n in (1, 8))
    rounds = [
        [thread_seconds(partial(feed_all, stream, size)) for stream in (once, eight_times)] for _ in range(4)
    ]
    one, eight = (min(seconds) for seconds in zip(*rounds, strict=True))
    # Linear work takes eight times as long (more where it leaves the caches), quadratic work sixty-four times.
    assert eight / one < 24


def test_eight_mebibytes_in_packets_take_less_than_a_second() -> None:
    """P12."""
    assert thread_seconds(partial(feed_all, b"data: " + b"x" * 8 * KIB * KIB, 1460)) < 1
