"""From items to bytes: in the order that an encoder is promised, and to an end whatever a dialect does."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import pytest

from sseware import ServerSentEvent
from sseware.dialects import AnItem, ChunkEncoder, Plain, StreamContext
from sseware.errors import InvalidEvent, InvalidItem
from sseware.items import Failure, Finish, Text


class Loud:
    """An encoder that tells what it is asked, and in which order."""

    def start(self) -> Iterable[ServerSentEvent]:
        return [ServerSentEvent("start")]

    def encode(self, item: AnItem) -> Iterable[ServerSentEvent]:
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


def test_a_dialect_that_cannot_even_fail_ends_with_a_last_resort(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Loud):
        def fail(self, failure: Failure) -> Iterable[ServerSentEvent]:
            raise LookupError(failure.message)

    with caplog.at_level(logging.ERROR, "sseware"):
        end = ChunkEncoder(Broken()).fail(Failure("no"))
    assert end == b"event: error\ndata: internal error\n\n"
    assert caplog.messages == ["the dialect could not encode its failure"]


def test_what_a_dialect_forges_is_caught_where_bytes_are_made() -> None:
    class Forger(Loud):
        def encode(self, item: AnItem) -> Iterable[ServerSentEvent]:
            return ["data: forged\n\n"]  # type: ignore[list-item]  # that is the point

    with pytest.raises(InvalidEvent, match="event must be a ServerSentEvent"):
        ChunkEncoder(Forger()).encode(Text("a"))


def test_the_plain_dialect_needs_no_plugin() -> None:
    chunks = ChunkEncoder(Plain().open(StreamContext()))
    assert chunks.extra == {}
    assert chunks.encode(Text("a")) == b"data: a\n\n"
