"""The linter: every deviation, with the byte where it begins and the section that it deviates from."""

from __future__ import annotations

import pytest

from sseware.errors import ParserLimitExceeded, StrictViolation
from sseware.wire import EventStreamParser, lint
from sseware.wire._strict import Linter

BOM = b"\xef\xbb\xbf"


def found(violations: list[StrictViolation]) -> list[tuple[str, int]]:
    return [(violation.rule, violation.offset) for violation in violations]


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        pytest.param(b"data: a\n\nfoo: b\n\n", [("unknown-field", 9)], id="an-unknown-field"),
        pytest.param(b"Data: a\r\n\r\n", [("unknown-field", 0)], id="another-case"),
        pytest.param(b" data: a\n\n", [("unknown-field", 0)], id="a-space-before-the-name"),
        pytest.param(b"retry: 5s\n\n", [("bad-retry", 0)], id="a-retry-with-a-unit"),
        pytest.param(b"retry\n\n", [("bad-retry", 0)], id="a-retry-without-a-value"),
        pytest.param("retry: ٣\n\n".encode(), [("bad-retry", 0)], id="a-retry-in-other-digits"),
        pytest.param(b"id: a\0b\n\n", [("nul-id", 0)], id="a-nul-in-an-id"),
        pytest.param(b"id: a\tb\n\n", [("unsendable-id", 0)], id="a-control-character-in-an-id"),
        pytest.param("id: a\x85b\n\n".encode(), [("unsendable-id", 0)], id="a-c1-control-character-in-an-id"),
        pytest.param(b"id:  7\n\n", [("unsendable-id", 0)], id="a-space-before-an-id"),
        pytest.param(b"id: 7 \n\n", [("unsendable-id", 0)], id="a-space-after-an-id"),
        pytest.param(b"data: a\xffb\n\n", [("invalid-utf-8", 7)], id="invalid-utf-8-in-data"),
        pytest.param(b": \xe2\x82\n\n", [("invalid-utf-8", 2)], id="invalid-utf-8-in-a-comment"),
        pytest.param(b"data: a\n\n" + BOM + b"data: b\n\n", [("late-bom", 9)], id="a-late-byte-order-mark"),
        pytest.param(BOM + BOM + b"data: b\n\n", [("unknown-field", 0)], id="two-byte-order-marks"),
        pytest.param(b"data: a\n\nevent: b\n\n", [("named-block-without-data", 9)], id="a-type-without-data"),
        pytest.param(b"data: a\n\n: c\nid: 7\ndata: a", [("unfinished-tail", 13)], id="an-unfinished-event"),
        pytest.param(b"data: a\n\n: pi", [("unfinished-tail", 9)], id="an-unfinished-comment"),
        pytest.param(
            BOM + b"foo\r\nid: \0\r\nretry: x\r\revent: y\n\ndata: \xff",
            [
                ("unknown-field", 0),
                ("nul-id", 8),
                ("bad-retry", 15),
                ("named-block-without-data", 25),
                ("unfinished-tail", 35),
            ],
            id="all-at-once",
        ),
    ],
)
def test_reports(stream: bytes, expected: list[tuple[str, int]]) -> None:
    assert found(lint(stream)) == expected
    assert found(lint(stream[i : i + 1] for i in range(len(stream)))) == expected
    for i in range(len(stream)):
        assert found(lint([stream[:i], b"", stream[i:]])) == expected


@pytest.mark.parametrize(
    "stream",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(BOM + b"data: a\n\n", id="a-byte-order-mark-at-the-start"),
        pytest.param(BOM + b": hi\n\n", id="a-byte-order-mark-before-a-comment"),
        pytest.param(b": ping\n\n:\r\r", id="comments"),
        pytest.param(b"id: 7\n\n", id="an-id-alone"),
        pytest.param(b"id\ndata\n\n", id="fields-without-a-colon"),
        pytest.param(b"event: x\nevent\n\n", id="a-type-that-is-reset"),
        pytest.param(b"retry: 10\nid: 7\nevent: x\ndata: a\ndata:b\n\n", id="each-field"),
        pytest.param(
            "id: é€\nevent: \u2028\ndata: \x00\ufeff\u2029\n\n".encode(), id="what-looks-odd-and-is-not"
        ),
        pytest.param(b"data: a\r\n\r\ndata: b\r\rdata: c\n\n", id="each-line-end"),
    ],
)
def test_has_nothing_to_say_about(stream: bytes) -> None:
    assert lint(stream) == []
    parser = EventStreamParser(strict=True)
    for i in range(len(stream)):
        parser.feed(stream[i : i + 1])
    assert parser.close() is None


def test_a_violation_tells_rule_byte_section_and_what_was_there() -> None:
    (violation,) = lint(b"data: a\n\nretry: soon\n\n")
    assert str(violation) == (
        "bad-retry at byte 9: b'soon' is not a number in ASCII digits, the line is dropped (WHATWG HTML 9.2.6)"
    )


def test_a_strict_parser_parses_as_any_other() -> None:
    parser = EventStreamParser(strict=True, last_event_id="6")
    events = parser.feed(b"data: a\n\nid: 7\nevent: x\ndata: b\n\n" + b"data: c\n\n")
    assert [(e.data, e.event, e.last_event_id) for e in events] == [
        ("a", "message", "6"),
        ("b", "x", "7"),
        ("c", "message", "7"),
    ]


def test_a_strict_parser_takes_any_buffer() -> None:
    parser = EventStreamParser(strict=True)
    with pytest.raises(StrictViolation, match="unknown-field"):
        parser.feed(memoryview(b"foo: bar\n"))


def test_a_strict_parser_reports_the_unfinished_end_until_it_is_reset() -> None:
    parser = EventStreamParser(strict=True)
    parser.feed(b"data: a\n\ndata: b")
    for _ in range(2):
        with pytest.raises(StrictViolation, match="unfinished-tail at byte 9"):
            parser.close()
    parser.reset()
    assert parser.close() is None


def test_a_reset_begins_to_count_bytes_anew() -> None:
    parser = EventStreamParser(strict=True)
    parser.feed(b"data: a\n\n")
    parser.reset()
    with pytest.raises(StrictViolation) as caught:
        parser.feed(BOM + b"foo\n")
    assert caught.value.offset == 0


def test_a_line_may_not_be_longer_than_an_event() -> None:
    linter = Linter(max_event_size=10)
    assert linter.feed(b"event: 0123456789\n") == []
    with pytest.raises(ParserLimitExceeded):
        linter.feed(b":" * 18)
