"""From items to bytes: in the order that an encoder is promised, and to an end whatever a dialect does."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import pytest

from sseware import ServerSentEvent
from sseware.dialects import AnEvent, AnItem, ChunkEncoder, PieceEncoder, Plain, StreamContext
from sseware.errors import InvalidEvent, InvalidItem
from sseware.events import Comment
from sseware.items import Data, Failure, Finish, Text


class Loud:
    """An encoder that tells what it is asked, and in which order."""

    def start(self) -> Iterable[ServerSentEvent]:
        return [ServerSentEvent("start")]

    def encode(self, item: AnItem) -> Iterable[AnEvent]:
        return [ServerSentEvent("one"), ServerSentEvent("two")] if isinstance(item, Text) else []

    def finish(self) -> Iterable[ServerSentEvent]:
        return (ServerSentEvent(text) for text in ("finish",))

    def fail(self, failure: Failure) -> Iterable[ServerSentEvent]:
        yield ServerSentEvent(f"fail {failure.message}")


def test_what_opens_a_stream_comes_once_before_the_first_item() -> None:
    chunks = ChunkEncoder(Loud())
    assert chunks.encode(Text("a")) == b"data: start\n\ndata: one\n\ndata: two\n\n"
    assert chunks.encode(Text("a")) == b"data: one\n\ndata: two\n\n"
    assert chunks.encode(Finish()) == b""
    assert chunks.finish() == b"data: finish\n\n"


def test_what_opens_a_stream_comes_before_an_end_without_items() -> None:
    assert ChunkEncoder(Loud()).finish() == b"data: start\n\ndata: finish\n\n"
    assert ChunkEncoder(Loud()).fail(Failure("no")) == b"data: start\n\ndata: fail no\n\n"


def test_nothing_opens_a_stream_whose_first_item_is_refused() -> None:
    class Refuses(Loud):
        def encode(self, item: AnItem) -> Iterable[ServerSentEvent]:
            raise InvalidItem("no")

    chunks = ChunkEncoder(Refuses())
    with pytest.raises(InvalidItem):
        chunks.encode(Text("a"))
    assert chunks.fail(Failure("no")) == b"data: start\n\ndata: fail no\n\n"


def test_what_plugins_add_goes_through_the_dialect() -> None:
    chunks = ChunkEncoder(Loud(), {complex: lambda number: [Text(str(number)), Finish()]})
    assert chunks.encode_extra(1j) == b"data: start\n\ndata: one\n\ndata: two\n\n"
    assert chunks.encode_extra(1j) == b"data: one\n\ndata: two\n\n"


def test_texts_are_written_without_asking_where_a_dialect_says_what_they_are() -> None:
    class Says(Loud):
        text_event = "token"

        def encode(self, item: AnItem) -> Iterable[AnEvent]:
            return [ServerSentEvent(item.text, event="token")] if isinstance(item, Text) else []

    chunks = ChunkEncoder(Says())
    before = chunks.text_writers
    assert before is None, "what opens the stream has not been written"
    chunks.encode(Text("a"))
    after = chunks.text_writers
    assert after is not None
    want = b"event: token\ndata: b\ndata: c\n\n"
    assert after.any("b\nc") == after.short("b\nc") == chunks.encode(Text("b\nc")) == want
    assert after.several(["b\nc", "d"]) == want + after.any("d")


def test_a_dialect_that_does_not_say_is_asked() -> None:
    chunks = ChunkEncoder(Loud())
    chunks.encode(Text("a"))
    assert chunks.text_writers is None
    assert chunks.data_writer is None


def test_dicts_are_written_without_asking_where_a_dialect_says_what_they_are() -> None:
    chunks = ChunkEncoder(Plain().open(StreamContext()))
    assert chunks.data_writer is None, "what opens the stream has not been written"
    chunks.encode(Text("a"))
    assert chunks.data_writer is not None
    assert (
        chunks.data_writer({"n": 1.0}) == chunks.encode(Data({"n": 1.0})) == b'event: data\ndata: {"n":1}\n\n'
    )


def test_dicts_are_not_written_without_asking_where_a_plugin_has_another_idea_of_them() -> None:
    chunks = ChunkEncoder(Plain().open(StreamContext()), {dict: lambda _: [Text("a dict")]})
    chunks.encode(Text("a"))
    assert chunks.data_writer is None


def test_a_dialect_that_cannot_even_fail_ends_with_a_last_resort(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Loud):
        def fail(self, failure: Failure) -> Iterable[ServerSentEvent]:
            raise LookupError(failure.message)

    with caplog.at_level(logging.ERROR, "sseware"):
        end = ChunkEncoder(Broken()).fail(Failure("no"))
    assert end == b"event: error\ndata: internal error\n\n"
    assert caplog.messages == ["the dialect could not encode its failure"]


def test_what_a_dialect_forges_is_caught_where_bytes_are_made() -> None:
    """T2."""

    class Forger(Loud):
        def encode(self, item: AnItem) -> Iterable[ServerSentEvent]:
            return ["data: forged\n\n"]  # type: ignore[list-item]  # that is the point

    with pytest.raises(InvalidEvent, match="event must be a ServerSentEvent"):
        ChunkEncoder(Forger()).encode(Text("a"))


def test_the_plain_dialect_needs_no_plugin() -> None:
    chunks = ChunkEncoder(Plain().open(StreamContext()))
    assert chunks.extra == {}
    assert chunks.encode(Text("a")) == b"data: a\n\n"


class Chatty(Loud):
    def encode(self, item: AnItem) -> Iterable[AnEvent]:
        if not isinstance(item, Text):
            return [Comment("nothing to say")]
        return [Comment("one"), ServerSentEvent("1"), ServerSentEvent("2"), Comment("end")]


def test_pieces_are_events_with_the_comments_before_them() -> None:
    chunks = PieceEncoder(Chatty())
    assert [chunks.encode(Text("a")), chunks.encode(Finish()), chunks.encode(Text("b"))] == [b""] * 3
    once = [b": one\n\ndata: 1\n\n", b"data: 2\n\n", b": end\n\n"]
    assert list(chunks.pieces) == [b"data: start\n\n" + once[0], *once[1:], b": nothing to say\n\n", *once]
    assert chunks.finish() == b"data: finish\n\n"
    plain = PieceEncoder(Loud())
    plain.encode(Text("a"))
    assert list(plain.pieces) == [b"data: start\n\ndata: one\n\n", b"data: two\n\n"]


def test_an_item_that_is_refused_leaves_no_pieces() -> None:
    class Breaks(Loud):
        def encode(self, item: AnItem) -> Iterable[ServerSentEvent]:
            yield ServerSentEvent("half")
            raise InvalidItem("no")

    chunks = PieceEncoder(Breaks())
    with pytest.raises(InvalidItem):
        chunks.encode(Text("a"))
    assert not chunks.pieces
    assert chunks.fail(Failure("no")) == b"data: start\n\ndata: fail no\n\n"


def test_whether_an_item_has_ended_the_stream_is_the_dialects_to_say() -> None:
    class Ends(Loud):
        ended = False

    encoder = Ends()
    chunks = ChunkEncoder(encoder)
    assert (chunks.may_end, chunks.ended) == (True, False)
    encoder.ended = True
    assert chunks.ended
    assert (ChunkEncoder(Loud()).may_end, ChunkEncoder(Loud()).ended) == (False, False)
