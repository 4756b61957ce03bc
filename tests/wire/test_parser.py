"""The parser: each rule of the standard in every feeding, promptness, the end of a stream."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import pytest

from sseware.errors import ConfigurationError
from sseware.events import MAX_RETRY, ReceivedEvent, ServerSentEvent
from sseware.wire import EventStreamParser, Leftover

BOM = b"\xef\xbb\xbf"
FFFD = "\ufffd"


def event(
    data: str,
    type_: str = "message",
    *,
    own: str | None = None,
    retry: int | None = None,
    last: str | None = None,
) -> tuple[object, ...]:
    """What an event should be; its own id is the last event ID, unless something else is said."""
    return data, type_, own, retry, own or "" if last is None else last


def seen(events: Iterable[ServerSentEvent]) -> list[tuple[object, ...]]:
    return [(e.data, e.event, e.id, e.retry, e.last_event_id) for e in events]


def feedings(stream: bytes) -> Iterable[list[bytes]]:
    """The stream whole, byte by byte, cut in two everywhere, and after an event that warms the fast path up."""
    yield [stream]
    yield [stream[i : i + 1] for i in range(len(stream))]
    yield from ([stream[:i], b"", stream[i:]] for i in range(len(stream) + 1))
    yield from (
        [stream[i:j] for i, j in pairwise([0, *range(3, len(stream), size), len(stream)])] for size in (2, 7)
    )


def assert_parses(stream: bytes, expected: list[tuple[object, ...]], retry: int | None = None) -> None:
    last = ""
    for chunks in feedings(stream):
        parser = EventStreamParser()
        got = seen(e for chunk in chunks for e in parser.feed(chunk))
        assert got == expected, chunks
        assert parser.reconnection_time == retry, chunks
        last = parser.last_event_id
    if not stream.startswith(BOM[:1]):
        assert_parses_on_the_fast_path(stream, expected, last)


def assert_parses_on_the_fast_path(stream: bytes, expected: list[tuple[object, ...]], last: str) -> None:
    for warm in (b"data: -\n\n", b"event: delta\ndata: -\n\n"):
        parser = EventStreamParser()
        assert len(parser.feed(warm)) == 1
        assert seen(parser.feed(stream)) == expected
        assert parser.last_event_id == last


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        pytest.param(b"data: a\n\n", [event("a")], id="one-line"),
        pytest.param(b"data: a\ndata: b\n\n", [event("a\nb")], id="data-lines-are-joined-with-lf"),
        pytest.param(b"data: a\n\ndata: b\n\n", [event("a"), event("b")], id="a-run-of-one-shape"),
        pytest.param(
            b"event: x\ndata: a\n\nevent: x\ndata: b\n\nevent: y\ndata: c\n\ndata: d\n\n",
            [event("a", "x"), event("b", "x"), event("c", "y"), event("d")],
            id="a-run-that-is-interrupted",
        ),
        pytest.param(
            b"data: a\n\ndata: b\ndata: c\n\ndata: d\n\n",
            [event("a"), event("b\nc"), event("d")],
            id="a-run-with-a-longer-event-in-it",
        ),
        pytest.param(
            b"event: data: x\ndata: a\n\n", [event("a", "data: x")], id="a-type-that-looks-like-data"
        ),
        pytest.param(b"data: a\ndata: data: b\n\n", [event("a\ndata: b")], id="data-that-look-like-data"),
        pytest.param(b"data: a\n\n\n\ndata: b\n\n\n", [event("a"), event("b")], id="blank-lines-in-a-row"),
        pytest.param(b"\n\n\ndata: a\n\n", [event("a")], id="blank-lines-first"),
        pytest.param(b"data:a\n\n", [event("a")], id="no-space-after-the-colon"),
        pytest.param(b"data:  a\n\n", [event(" a")], id="one-space-is-removed-not-two"),
        pytest.param(b"data:\ta \t\n\n", [event("\ta \t")], id="other-whitespace-stays"),
        pytest.param(b"data: a:b: c\n\n", [event("a:b: c")], id="the-first-colon-divides"),
        pytest.param(b"data : a\n Data: b\ndatax: c\nDATA: d\n\n", [], id="names-are-compared-literally"),
        pytest.param(b"foo: a\ndata: b\nbar\n\n", [event("b")], id="unknown-fields-are-dropped"),
        pytest.param(b": a\ndata: b\n:\n:data: c\n\n", [event("b")], id="comments-are-dropped"),
        pytest.param(b": ping\n\n: ping\n\ndata: a\n\n", [event("a")], id="comments-between-events"),
        pytest.param(b"event: a\nevent: b\ndata: c\n\n", [event("c", "b")], id="the-last-type-counts"),
        pytest.param(b"event: a\nevent:\ndata: c\n\n", [event("c")], id="an-empty-type-is-message"),
        pytest.param(b"data: a\nevent: b\n\n", [event("a", "b")], id="the-type-may-follow-the-data"),
        pytest.param(b"event: a\n\ndata: b\n\n", [event("b")], id="a-type-does-not-outlive-its-block"),
        pytest.param(
            b"data: a\n\nid: 7\n\ndata: b\n\n", [event("a"), event("b", last="7")], id="an-id-sticks"
        ),
    ],
)
def test_parses(stream: bytes, expected: list[tuple[object, ...]]) -> None:
    assert_parses(stream, expected)


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        pytest.param(b"data\n\n", [event("")], id="no-colon"),
        pytest.param(b"data:\n\n", [event("")], id="no-value"),
        pytest.param(b"data: \n\n", [event("")], id="a-space"),
        pytest.param(b"data\ndata\n\n", [event("\n")], id="twice"),
        pytest.param(b"data: \ndata: \ndata: \n\n", [event("\n\n")], id="three-times"),
    ],
)
def test_an_empty_data_line_is_an_event_with_empty_data(
    stream: bytes, expected: list[tuple[object, ...]]
) -> None:
    """P4."""
    assert_parses(stream, expected)


@pytest.mark.parametrize(
    ("stream", "last", "retry"),
    [
        pytest.param(b"id: 7\n\n", "7", None, id="id-alone"),
        pytest.param(b"event: x\n\n", "", None, id="type-alone"),
        pytest.param(b"retry: 5\n\n", "", 5, id="retry-alone"),
        pytest.param(b"id: 7\nevent: x\nretry: 5\n\n", "7", 5, id="all-but-data"),
        pytest.param(b": c\n\nid: 7\nfoo\n\n", "7", None, id="with-what-is-dropped"),
    ],
)
def test_a_block_without_data_is_no_event_but_its_id_and_retry_count(
    stream: bytes, last: str, retry: int | None
) -> None:
    """P3."""
    for chunks in feedings(stream):
        parser = EventStreamParser()
        assert [parser.feed(chunk) for chunk in chunks] == [[]] * len(chunks)
        assert (parser.last_event_id, parser.reconnection_time) == (last, retry)


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        pytest.param(
            b"id: 1\ndata: a\n\ndata: b\n\n", [event("a", own="1"), event("b", last="1")], id="sticks"
        ),
        pytest.param(b"id: 1\n\nid\ndata: b\n\n", [event("b", own="")], id="an-id-without-colon-resets"),
        pytest.param(b"id: 1\n\nid:\ndata: b\n\n", [event("b", own="")], id="an-empty-id-resets"),
        pytest.param(b"id: 1\nid: 2\ndata: b\n\n", [event("b", own="2")], id="the-last-one-counts"),
        pytest.param(
            b"id: 1\nevent: x\ndata: b\n\n", [event("b", "x", own="1")], id="in-the-order-that-we-write"
        ),
        pytest.param(
            b"event: x\ndata: b\nid: 1\n\n", [event("b", "x", own="1")], id="in-the-order-of-others"
        ),
        pytest.param(b"id: \t7 \ndata: a\n\n", [event("a", own="\t7 ")], id="whitespace-belongs-to-it"),
    ],
)
def test_an_id_counts_from_its_block_on(stream: bytes, expected: list[tuple[object, ...]]) -> None:
    assert_parses(stream, expected)


@pytest.mark.parametrize("value", [b"\0", b"a\0", b"\0a", b" \0", b"a\0b"])
def test_an_id_with_a_nul_is_ignored_and_the_old_one_is_kept(value: bytes) -> None:
    """P5."""
    stream = b"id: 7\ndata: a\n\nid: " + value + b"\ndata: b\n\n"
    assert_parses(stream, [event("a", own="7"), event("b", last="7")])


def test_an_id_is_not_shown_before_its_block_ends() -> None:
    parser = EventStreamParser(last_event_id="1")
    parser.feed(b"id: 2\ndata: a\n")
    assert parser.last_event_id == "1"
    parser.feed(b"\n")
    assert parser.last_event_id == "2"


def test_an_uncommitted_id_is_lost_with_the_stream() -> None:
    """P9."""
    parser = EventStreamParser(last_event_id="1")
    parser.feed(b"id: 2\n")
    parser.close()
    assert parser.last_event_id == "1"


def test_an_id_that_could_not_be_written_is_told_as_it_is() -> None:
    (got,) = EventStreamParser().feed(b"id: a\x01\x7fb\ndata: x\n\n")
    assert (got.id, got.last_event_id) == ("a\x01\x7fb", "a\x01\x7fb")


@pytest.mark.parametrize(
    ("value", "milliseconds"),
    [
        pytest.param(b"0", 0, id="zero"),
        pytest.param(b"0010", 10, id="leading-zeros"),
        pytest.param(str(MAX_RETRY).encode(), MAX_RETRY, id="the-largest"),
        pytest.param(str(MAX_RETRY + 1).encode(), MAX_RETRY, id="one-more-saturates"),
        pytest.param(b"1" + b"0" * 400, MAX_RETRY, id="four-hundred-digits-saturate"),
        pytest.param(b"0" * 5000 + b"7", 7, id="more-digits-than-int-reads"),
    ],
)
def test_a_retry_of_ascii_digits_counts(value: bytes, milliseconds: int) -> None:
    """P6."""
    parser = EventStreamParser()
    (got,) = parser.feed(b"retry: " + value + b"\ndata: a\n\n")
    assert got.retry == parser.reconnection_time == milliseconds
    assert seen(parser.feed(b"data: b\n\n")) == [event("b")]


@pytest.mark.parametrize(
    "value",
    ["-5", "+5", "1_0", " 5", "5 ", "\u0663", "\uff15", "\u00b2", "", "1e3", "0x10", "5.0", "5\t", "\u00a05"],
)
def test_a_retry_of_anything_else_is_ignored(value: str) -> None:
    """P6."""
    stream = b"retry: 3\nretry: " + value.encode() + b"\ndata: a\n\n"
    assert_parses(stream, [event("a", retry=3)], retry=3)


def test_a_retry_takes_effect_with_its_line() -> None:
    for tail in (b"", b"data: " + b"x" * 5000 + b"\n"):
        parser = EventStreamParser()
        parser.feed(tail + b"retry: 5")
        assert parser.reconnection_time is None
        parser.feed(b"\n")
        assert parser.reconnection_time == 5


@pytest.mark.parametrize(
    "end",
    [b"\n", b"\r", b"\r\n"],
    ids=["lf", "cr", "crlf"],
)
def test_lines_end_at_each_of_three_line_ends(end: bytes) -> None:
    stream = b"event: x\ndata: a\ndata: b\n\n: c\n\nid: 1\ndata: c\n\n".replace(b"\n", end)
    assert_parses(stream, [event("a\nb", "x"), event("c", own="1")])


def test_line_ends_may_be_mixed() -> None:
    assert_parses(b"data: a\r\n\rdata: b\n\r\ndata: c\r\rdata: d\n\n", [event(c) for c in "abcd"])


@pytest.mark.parametrize("character", "\x0b\x0c\x1c\x1d\x1e\x1f\x85\u2028\u2029")
def test_lines_end_at_nothing_else(character: str) -> None:
    text = f"{character}a{character}b{character}"
    stream = f"id: {text}\nevent: {text}\ndata: {text}\ndata: {text}\n\n".encode()
    assert_parses(stream, [event(f"{text}\n{text}", text, own=text)])


@pytest.mark.parametrize("end", [b"\r\r", b"\r\n\r", b"\n\r", b"\n\n"])
def test_an_event_comes_with_the_byte_that_ends_it(end: bytes) -> None:
    """P2."""
    parser = EventStreamParser()
    stream = b"data: a" + end
    for _ in range(3):
        assert [len(parser.feed(stream[i : i + 1])) for i in range(len(stream))] == [0] * (
            len(stream) - 1
        ) + [1]
        assert parser.feed(b"\n") == []  # the rest of a CRLF, or one more blank line
    for _ in range(3):
        assert len(parser.feed(stream)) == 1
        assert parser.feed(b"\n") == []


def test_a_line_feed_after_a_carriage_return_is_swallowed_once() -> None:
    """P2."""
    parser = EventStreamParser()
    assert parser.feed(b"data: a\r") == []
    assert parser.feed(b"\n") == []
    assert seen(parser.feed(b"\n")) == [event("a")]


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        pytest.param(BOM + b"data: a\n\n", [event("a")], id="at-the-start-it-is-dropped"),
        pytest.param(BOM + BOM + b"data: a\n\ndata: b\n\n", [event("b")], id="a-second-one-is-not"),
        pytest.param(b"data: a\n\n" + BOM + b"data: b\n\n", [event("a")], id="in-mid-stream-it-is-not"),
        pytest.param(b"\n" + BOM + b"data: b\n\n", [], id="after-a-blank-line-it-is-not"),
        pytest.param(b"data: " + BOM + b"b\n\n", [event("\ufeffb")], id="in-a-value-it-stays"),
        pytest.param(BOM[:2] + b"data: a\n\ndata: b\n\n", [event("b")], id="two-thirds-of-one-are-none"),
        pytest.param(BOM, [], id="nothing-else"),
    ],
)
def test_a_byte_order_mark(stream: bytes, expected: list[tuple[object, ...]]) -> None:
    """P7."""
    assert_parses(stream, expected)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"\xff", id="no-such-byte"),
        pytest.param(b"\xe2\x82", id="cut-short"),
        pytest.param(b"\xe2\x82a", id="cut-short-before-a-letter"),
        pytest.param(b"\xf0\x9f\x98a", id="maximal-subpart-of-four"),
        pytest.param(b"\xed\xa0\x80", id="a-surrogate"),
        pytest.param(b"\xc0\x80", id="overlong"),
        pytest.param(b"\xf5\x80\x80\x80", id="above-the-last"),
        pytest.param("é€\U0001f600".encode(), id="two-three-and-four-bytes"),
    ],
)
def test_invalid_utf_8_is_replaced_as_the_standard_has_it(value: bytes) -> None:
    """P8."""
    text = value.decode("utf-8", "replace")
    stream = b"id: " + value + b"\nevent: " + value + b"\ndata: " + value + b"\ndata: " + value + b"\n\n"
    assert_parses(stream, [event(f"{text}\n{text}", text, own=text)])
    assert_parses(b"data: " + value + b"\n\ndata: " + value + b"\n\n", [event(text), event(text)])


def test_broken_utf_8_does_not_reach_over_a_line_end() -> None:
    """P8."""
    assert_parses(b"data: \xe2\x82\n\x82\ndata: \xac\n\n", [event(f"{FFFD}\n{FFFD}")])


@pytest.mark.parametrize(
    ("stream", "lost"),
    [
        pytest.param(b"", None, id="nothing"),
        pytest.param(b"data: a\n\n", None, id="nothing-after-an-event"),
        pytest.param(b"data: a\n\n: ping\n", None, id="a-comment"),
        pytest.param(b"data: a\n\n: pi", None, id="half-a-comment"),
        pytest.param(b"foo: bar\n", None, id="an-unknown-field"),
        pytest.param(b"retry: 5\n", None, id="a-retry-that-took-effect"),
        pytest.param(b"\n\r", None, id="blank-lines"),
        pytest.param(BOM, None, id="a-byte-order-mark"),
        pytest.param(BOM[:2], None, id="two-thirds-of-a-byte-order-mark"),
        pytest.param(b"data: a\n", Leftover("a"), id="data"),
        pytest.param(b"data: a\ndata: b\n", Leftover("a\nb"), id="data-lines"),
        pytest.param(b"data: a", Leftover(line="data: a"), id="half-a-line"),
        pytest.param(b"event: x\n", Leftover(event="x"), id="a-type"),
        pytest.param(b"id: 7\n", Leftover(id="7"), id="an-id"),
        pytest.param(b"id\n", Leftover(id=""), id="an-empty-id"),
        pytest.param(
            b"data: z\n\nid: 7\nevent: x\ndata: a\ndata: \xff\nda",
            Leftover(f"a\n{FFFD}", "x", "7", "da"),
            id="all-of-it",
        ),
    ],
)
def test_the_end_of_a_stream_discards_what_is_pending_and_tells_it(
    stream: bytes, lost: Leftover | None
) -> None:
    """P9."""
    for chunks in feedings(stream):
        parser = EventStreamParser()
        for chunk in chunks:
            parser.feed(chunk)
        assert parser.close() == lost, chunks
        assert parser.close() is None
        assert parser.feed(b"\n\n\n") == []


def test_after_the_end_another_stream_may_follow() -> None:
    parser = EventStreamParser()
    parser.feed(b"retry: 5\nid: 7\n\nevent: x\ndata: lost\r")
    parser.close()
    assert seen(parser.feed(BOM + b"\n\ndata: a\n\n")) == [event("a", last="7")]
    assert parser.reconnection_time == 5


@pytest.mark.parametrize("cut", [b"event: x\ndata: lost\r", b"data: " + b"x" * 5000, b"\xef"])
def test_a_reset_forgets_the_stream_and_keeps_what_the_next_one_needs(cut: bytes) -> None:
    parser = EventStreamParser()
    parser.feed(b"retry: 5\nid: 7\n\n")
    parser.feed(cut)
    parser.reset()
    assert (parser.last_event_id, parser.reconnection_time) == ("7", 5)
    assert seen(parser.feed(BOM + b"data: a\n\n")) == [event("a", last="7")]


def test_a_reset_for_another_stream_keeps_nothing() -> None:
    parser = EventStreamParser(last_event_id="1")
    parser.feed(b"retry: 5\nid: 7\n\nid: 8")
    parser.reset(keep_last_event_id=False)
    assert (parser.last_event_id, parser.reconnection_time) == ("", None)
    assert seen(parser.feed(b"data: a\n\n")) == [event("a")]


def test_the_last_event_id_may_come_from_an_earlier_stream() -> None:
    parser = EventStreamParser(last_event_id="seed")
    assert parser.last_event_id == "seed"
    assert seen(parser.feed(b"data: a\n\nid\n\ndata: b\n\n")) == [event("a", last="seed"), event("b")]


@pytest.mark.parametrize("wrap", [bytearray, lambda chunk: memoryview(bytearray(chunk))])
def test_a_buffer_may_be_reused_by_the_caller(wrap: type[bytearray]) -> None:
    parser = EventStreamParser()
    got: list[ServerSentEvent] = []
    for chunk in (b"data: a\n\nda", b"ta: b", b"\n\n", b"data: c\n\n"):
        buffer = wrap(chunk)
        got += parser.feed(buffer)
        buffer[:] = b"\n" * len(buffer)
    assert seen(got) == [event("a"), event("b"), event("c")]


def test_a_memoryview_may_have_gaps() -> None:
    assert seen(EventStreamParser().feed(memoryview(b"d.a.t.a.:.x.\n.\n.")[::2])) == [event("x")]


def test_text_is_refused_because_decoding_belongs_inside() -> None:
    parser = EventStreamParser()
    parser.feed(b"data: a")
    with pytest.raises(TypeError, match="got str: the decoding belongs inside of the parser"):
        parser.feed("\n\n")  # type: ignore[arg-type]  # that is the test
    assert seen(parser.feed(b"\n\n")) == [event("a")]


@pytest.mark.parametrize("chunk", [None, 5, [1, 2], object()])
def test_anything_else_is_refused(chunk: object) -> None:
    with pytest.raises(TypeError, match=type(chunk).__name__):
        EventStreamParser().feed(chunk)  # type: ignore[arg-type]  # that is the test


@pytest.mark.parametrize("limit", [0, -1, True, 1.5, "1"])
def test_a_limit_that_is_none_is_refused(limit: int) -> None:
    with pytest.raises(ConfigurationError, match="max_event_size must be a positive number"):
        EventStreamParser(max_event_size=limit)


def test_a_last_event_id_that_is_no_str_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="last_event_id must be a str, got b'7'"):
        EventStreamParser(last_event_id=b"7")  # type: ignore[arg-type]  # that is the test


def test_events_are_server_sent_events_and_compare_as_such() -> None:
    (got,) = EventStreamParser(last_event_id="1").feed(b"event: x\ndata: a\n\n")
    assert isinstance(got, ServerSentEvent)
    assert type(got) is ReceivedEvent
    assert got == ServerSentEvent("a", event="x")


def test_a_type_that_is_too_long_to_be_remembered_is_parsed_all_the_same() -> None:
    long = "x" * 1000
    block = f"event: {long}\ndata: a\n\n".encode()
    parser = EventStreamParser()
    for _ in range(3):
        assert seen(parser.feed(block * 2)) == [event("a", long)] * 2
