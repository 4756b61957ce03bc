"""What is seen on a stream: comments in any chunking, header fields, events that know their time."""

from __future__ import annotations

import pytest

from sseware import ServerSentEvent
from sseware.testing._comments import CommentReader
from sseware.testing._seen import ResponseHeaders, SeenEvent, seen_event
from sseware.testing.vectors import feedings


@pytest.mark.parametrize(
    ("wire", "want"),
    [
        pytest.param(b": a\n\n:b\n", ["a", "b"], id="one-space-is-taken-off"),
        pytest.param(b":  a \r\n", [" a "], id="the-others-stay"),
        pytest.param(b"data: x\n: a\rdata: y\r\r:b\r\n", ["a", "b"], id="within-events-and-by-any-line-end"),
        pytest.param(b":\n", [""], id="an-empty-one"),
        pytest.param(b": a", [], id="an-unfinished-one"),
        pytest.param(b"\xef\xbb\xbf: a\n", ["a"], id="behind-a-byte-order-mark"),
        pytest.param(b"\n\xef\xbb\xbf: a\n", [], id="a-late-byte-order-mark-is-a-field-name"),
        pytest.param(b": \xff\n", ["\ufffd"], id="bad-utf-8"),
        pytest.param(": a\u2028b\n".encode(), ["a\u2028b"], id="u2028-is-no-line-end"),
    ],
)
def test_comments_are_found_however_a_stream_is_cut(wire: bytes, want: list[str]) -> None:
    for chunks in feedings(wire):
        reader = CommentReader()
        assert [text for chunk in (*chunks, b"") for text in reader.feed(chunk)] == want


def test_an_event_with_its_time_is_the_event() -> None:
    event = ServerSentEvent("a", "b", "1", 2)
    seen = seen_event(event, 1.5, 3)
    assert isinstance(seen, SeenEvent)
    assert seen == event
    assert event == seen
    assert hash(seen) == hash(event)
    assert repr(seen) == repr(event)
    assert (seen.at, seen.chunk) == (1.5, 3)


def test_header_fields_are_found_by_any_case_and_joined() -> None:
    raw = [(b"Vary", b"Accept"), (b"x", b"\xff"), (b"vary", b"Origin")]
    headers = ResponseHeaders(raw)
    assert headers == {"Vary": "Accept, Origin", "X": "\xff"}
    assert headers != 7
    assert "VARY" in headers
    assert not headers.__contains__(7)
    assert (len(headers), list(headers)) == (2, ["vary", "x"])
    assert headers.get_list("Vary") == ["Accept", "Origin"]
    assert headers.get_list("z") == []
    assert headers.raw == tuple(raw)
    assert repr(headers) == "ResponseHeaders({'vary': 'Accept, Origin', 'x': 'ÿ'})"
    with pytest.raises(KeyError):
        _ = headers["z"]
