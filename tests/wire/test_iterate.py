"""Event streams as iterators."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import aclosing, closing

import pytest

from sseware.errors import ParserLimitExceeded, StrictViolation
from sseware.wire import Chunk, EventStreamParser, aiter_events, iter_events

CHUNKS: list[Chunk] = [b"data: a", b"\n\ndata: b\n\nid: 7\n\n", bytearray(b"data: c\n\n"), b"data: lost"]


class Body:
    """Chunks, and whether they were closed."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks = chunks
        self.closed: int = 0

    def generate(self) -> Generator[bytes, None, None]:
        try:
            yield from self.chunks
        finally:
            self.closed += 1

    async def agenerate(self) -> AsyncGenerator[bytes, None]:
        try:
            for chunk in self.chunks:
                yield chunk
        finally:
            self.closed += 1


class Iterable:
    """Makes its iterators from a body, as responses do."""

    def __init__(self, body: Body) -> None:
        self.body = body

    def __iter__(self) -> Iterator[bytes]:
        return self.body.generate()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.body.agenerate()


def test_yields_each_event_and_discards_the_unfinished_one() -> None:
    assert [event.data for event in iter_events(CHUNKS)] == ["a", "b", "c"]


def test_a_given_parser_keeps_what_the_next_stream_needs() -> None:
    parser = EventStreamParser(last_event_id="1")
    assert [event.last_event_id for event in iter_events(CHUNKS, parser=parser)] == ["1", "1", "7"]
    assert parser.last_event_id == "7"
    assert [event.data for event in iter_events([b"\xef\xbb\xbfdata: next\n\n"], parser=parser)] == ["next"]


def test_closes_what_it_iterates_over_at_the_end() -> None:
    body = Body(b"data: a\n\n")
    chunks = body.generate()
    assert len(list(iter_events(chunks))) == 1
    assert body.closed == 1


@pytest.mark.parametrize("wrap", [Body.generate, Iterable], ids=["an-iterator", "an-iterable"])
def test_closes_what_it_iterates_over_where_it_is_left_early(wrap: type[Iterable]) -> None:
    body = Body(b"data: a\n\n", b"data: b\n\n")
    with closing(iter_events(wrap(body))) as events:
        assert next(events).data == "a"
        assert body.closed == 0
    assert body.closed == 1


def test_closes_what_it_iterates_over_where_an_event_is_too_large() -> None:
    body = Body(b"data: a\n\n", b"data: " + b"b" * 100)
    events = iter_events(body.generate(), parser=EventStreamParser(max_event_size=10))
    assert next(events).data == "a"
    with pytest.raises(ParserLimitExceeded):
        next(events)
    assert body.closed == 1


def test_the_events_before_one_that_is_too_large_come_first() -> None:
    chunks = [b"data: a\n\ndata: " + b"b" * 100]
    events = iter_events(chunks, parser=EventStreamParser(max_event_size=10))
    assert next(events).data == "a"
    with pytest.raises(ParserLimitExceeded):
        next(events)


def test_a_strict_parser_reports_the_unfinished_end() -> None:
    with pytest.raises(StrictViolation, match="unfinished-tail"):
        list(iter_events(CHUNKS, parser=EventStreamParser(strict=True)))


@pytest.mark.anyio
async def test_awaits_its_chunks() -> None:
    body = Body(b"data: a", b"\n\ndata: b\n\n", b"data: lost")
    assert [event.data async for event in aiter_events(body.agenerate())] == ["a", "b"]
    assert body.closed == 1


@pytest.mark.anyio
@pytest.mark.parametrize("wrap", [Body.agenerate, Iterable], ids=["an-iterator", "an-iterable"])
async def test_closes_what_it_awaits_where_it_is_left_early(wrap: type[Iterable]) -> None:
    body = Body(b"data: a\n\n", b"data: b\n\n")
    async with aclosing(aiter_events(wrap(body))) as events:
        assert (await anext(events)).data == "a"
        assert body.closed == 0
    assert body.closed == 1


@pytest.mark.anyio
async def test_a_given_parser_is_used_where_chunks_are_awaited() -> None:
    parser = EventStreamParser(max_event_size=10)
    body = Body(b"retry: 5\n\ndata: " + b"b" * 100)
    with pytest.raises(ParserLimitExceeded):
        [event async for event in aiter_events(body.agenerate(), parser=parser)]
    assert body.closed == 1
    assert parser.reconnection_time == 5


@pytest.mark.anyio
async def test_chunks_that_cannot_be_closed_are_left_alone() -> None:
    class Plain:
        def __init__(self) -> None:
            self.left = [b"data: a\n\n"]

        def __aiter__(self) -> Plain:
            return self

        async def __anext__(self) -> bytes:
            if not self.left:
                raise StopAsyncIteration
            return self.left.pop()

    assert [event.data async for event in aiter_events(Plain())] == ["a"]
