"""What an existing application's body holds: text, JSON lines, events; however it is cut."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sseware import ServerSentEvent, encode
from sseware.asgi._adapt_bodies import BodyReader, EventsBody, LinesBody, TextBody, UnreadableBody
from sseware.dialects import get_dialect
from sseware.items import Data, Failure, File, Finish, Start, Step, Text, ToolCall, Usage
from sseware.testing.strategies import chunkings


def read(body: BodyReader, chunks: Iterable[bytes]) -> tuple[list[Any], str]:
    """What could be read, and why no more of it."""
    found: list[Any] = []
    try:
        for chunk in chunks:
            found.extend(body.read(chunk))
        found.extend(body.close())
    except UnreadableBody as exc:
        return found, str(exc)
    return found, ""


class TestText:
    def test_a_chunk_is_a_text(self) -> None:
        assert read(TextBody(), [b"Once ", b"", b"upon\n"]) == (["Once ", "upon\n"], "")

    def test_a_code_point_may_be_cut(self) -> None:
        assert read(TextBody(), [b"\xf0\x9f", b"\x92", b"\xa9!"]) == (["💩!"], "")

    @given(st.text().map(str.encode).flatmap(lambda data: st.tuples(st.just(data), chunkings(data))))
    def test_however_it_is_cut_it_is_the_same_text(self, given: tuple[bytes, list[bytes]]) -> None:
        data, chunks = given
        found, wrong = read(TextBody(), chunks)
        assert ("".join(found), wrong) == (data.decode(), "")
        assert "" not in found

    @pytest.mark.parametrize(
        ("chunks", "before", "why"),
        [
            pytest.param(
                [b"a\nb\xff", b"c"], ["a\nb"], "line 2 is not UTF-8: invalid start byte", id="a-byte"
            ),
            pytest.param([b"a\n", b"b\n\xc3", b"("], ["a\n", "b\n"], "line 3 .* continuation byte", id="cut"),
            pytest.param([b"a\xe2\x82"], ["a"], "line 1 .* unexpected end of data", id="the-end-is-missing"),
            pytest.param([b"\xed\xa0\x80"], [], "line 1", id="a-surrogate"),
        ],
    )
    def test_what_is_no_text_is_told_by_its_line_after_what_was_one(
        self, chunks: list[bytes], before: list[str], why: str
    ) -> None:
        found, wrong = read(TextBody(), chunks)
        assert found == before
        assert re.search(why, wrong)

    def test_a_book_becomes_several_texts(self) -> None:
        found, _ = read(TextBody(), [b"x" * (2**20 + 5)])
        assert [len(text) for text in found] == [2**20, 5]


ITEMS = [
    Start(id="1", name="n", meta={"a": 1}),
    Text("hi"),
    ToolCall("1", "f", {"x": [1]}),
    Step("node_start", "a"),
    Usage(1, 2),
    Data({"a": 1}, name="b"),
    ServerSentEvent("x", event="tick"),
    Failure("no", "x", 400),
    Finish(result={"a": 1}),
]


class TestLines:
    @pytest.mark.parametrize("item", ITEMS, ids=lambda item: type(item).__name__)
    def test_a_line_is_an_item_where_it_is_tagged_as_one(self, item: Any) -> None:
        assert read(LinesBody(), [msgspec.json.encode(item) + b"\n"]) == ([item], "")

    @pytest.mark.parametrize(
        "value",
        [
            pytest.param({"a": 1}, id="an-object"),
            pytest.param({}, id="an-empty-one"),
            pytest.param([1], id="an-array"),
            pytest.param("text", id="a-string"),
            pytest.param(None, id="null"),
            pytest.param(0, id="a-number"),
            pytest.param({"type": "finish", "reason": "length"}, id="a-finish-of-their-own"),
            pytest.param({"type": "text", "text": 5}, id="a-text-that-is-none"),
            pytest.param({"type": "text"}, id="a-text-without-one"),
            pytest.param({"type": ["text"]}, id="a-tag-that-is-none"),
            pytest.param({"type": "of-theirs"}, id="a-tag-of-their-own"),
            pytest.param({"type": "file", "content": ""}, id="a-file"),
            pytest.param({"type": "event", "event": "two\nlines"}, id="an-event-that-cannot-be"),
        ],
    )
    def test_any_other_line_is_data(self, value: Any) -> None:
        assert read(LinesBody(), [msgspec.json.encode(value)]) == ([Data(value)], "")

    def test_lines_end_as_they_like(self) -> None:
        assert read(LinesBody(), [b'\n1\r\n\r\n 2 \n{"a":"\xe2\x80\xa8"}']) == (
            [Data(1), Data(2), Data({"a": "\u2028"})],
            "",
        )

    @given(st.lists(st.sampled_from(ITEMS)).flatmap(lambda items: st.tuples(st.just(items), lines(items))))
    def test_however_they_are_cut_they_are_the_same_items(self, given: tuple[list[Any], list[bytes]]) -> None:
        items, chunks = given
        assert read(LinesBody(), chunks) == (items, "")

    def test_a_lone_surrogate_is_read_as_javascript_wrote_it(self) -> None:
        assert read(LinesBody(), [b'{"a":"\\ud83d"}']) == ([Data({"a": "\ud83d"})], "")

    @pytest.mark.parametrize(
        ("line", "why"),
        [
            pytest.param(b"{bad", "line 2 is not JSON: .*, in b'{bad'", id="no-json"),
            pytest.param(b'{"a":NaN}', "line 2 is not JSON", id="nan"),
            pytest.param(b'"\xff"', "line 2 is not UTF-8: invalid start byte", id="no-utf-8"),
            pytest.param(b"[" * 5000, r"line 2 is not JSON: .*\.\.\. \(5000 bytes\)$", id="too-deep"),
            pytest.param(b"{}{}", "line 2 is not JSON", id="two-in-one"),
        ],
    )
    def test_what_is_none_is_told_by_its_number_after_those_before_it(self, line: bytes, why: str) -> None:
        found, wrong = read(LinesBody(), [b"1\n" + line + b"\n3\n"])
        assert found == [Data(1)]
        assert re.search(why, wrong)

    @pytest.mark.parametrize("end", [b"", b"\n"], ids=["unfinished", "finished"])
    @pytest.mark.parametrize("cut", [1, 7, 100], ids=lambda cut: f"cut-{cut}")
    def test_a_line_has_a_limit(self, end: bytes, cut: int) -> None:
        data = b"1\n" + b"1" * 11 + end
        chunks = [data[i : i + cut] for i in range(0, len(data), cut)]
        found, wrong = read(LinesBody(max_line=10), chunks)
        assert found == [Data(1)]
        assert wrong.startswith("line 2 has 1")
        assert wrong.endswith("the limit is 10")

    def test_a_line_in_small_pieces_costs_no_more_than_its_length(self) -> None:
        body = LinesBody()
        for _ in range(200_000):
            assert not list(body.read(b" "))
        assert list(body.read(b"1\n")) == [Data(1)]


def lines(items: list[Any]) -> st.SearchStrategy[list[bytes]]:
    return chunkings(b"".join(msgspec.json.encode(item) + b"\n" for item in items))


class TestEvents:
    def body(self, name: str = "machpay") -> EventsBody:
        return EventsBody(get_dialect(name))

    def test_another_dialect_is_read(self) -> None:
        stream = b"data: Once \n\n: hm\nid: 7\nretry: 1\nevent: log\ndata: x\n\n"
        items, wrong = read(self.body("plain"), [stream[:9], stream[9:]])
        assert [type(item).__name__ for item in items] == ["Text", "Log"]
        assert not wrong

    @pytest.mark.parametrize(
        ("name", "stream", "why"),
        [
            pytest.param("machpay", b"event: chunk\ndata: {\n\n", "event 1: machpay: ", id="a-broken-event"),
            pytest.param("machpay", b"", "after event 0: the machpay stream ended without", id="cut-off"),
            pytest.param("plain", b"data: " + b"x" * (2**24 + 9), "event 1: a pending event", id="too-large"),
        ],
    )
    def test_what_cannot_be_read_is_told_by_its_number(self, name: str, stream: bytes, why: str) -> None:
        assert read(self.body(name), [stream])[1].startswith(why)

    def test_a_stream_carries_no_file(self) -> None:
        class Files:
            name, default = "files", "stream"

            def decoder(self) -> Any:
                return self

            def decode(self, event: ServerSentEvent) -> list[Any]:
                return [File(b"x")]

        dialect: Any = Files()
        chunk = encode(ServerSentEvent("x"))
        assert read(EventsBody(dialect), [chunk])[1] == "event 1 is a file, which a stream cannot carry"
