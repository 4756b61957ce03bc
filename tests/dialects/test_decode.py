"""From bytes back to items: however they are cut, and closed however it ends."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from contextlib import aclosing
from typing import Literal

import pytest

from sseware import Dialect, ServerSentEvent, decode
from sseware.dialects import AnItem, DialectEncoder, DialectFold, Plain, StreamContext
from sseware.errors import InvalidDialectEvent, ParserLimitExceeded, TruncatedStream, UnknownDialect
from sseware.items import Data, Finish, Log, Text

pytestmark = pytest.mark.anyio

STREAM = b'data: Once\n\nevent: log\ndata: ...\n\nevent: point\ndata: {"x":1}\n\n'
ITEMS = [Text("Once"), Log("..."), Data({"x": 1}, name="point")]


class Source:
    """Chunks that are awaited, and know whether they were closed."""

    def __init__(self, *chunks: bytes | Exception) -> None:
        self._chunks = iter(chunks)
        self.closed = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        for chunk in self._chunks:
            if isinstance(chunk, Exception):
                raise chunk
            return chunk
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self.closed = True


class Ends:
    """A dialect whose streams end with an event ``end``."""

    name = "ends"
    default: Literal["stream", "buffered"] = "stream"

    def open(self, context: StreamContext) -> DialectEncoder:
        return Plain().open(context)

    def fold(self, context: StreamContext) -> DialectFold:
        return Plain().fold(context)

    def decoder(self) -> EndsDecoder:
        return EndsDecoder()


class EndsDecoder:
    def __init__(self) -> None:
        self._ended = False

    def decode(self, event: ServerSentEvent) -> Iterable[AnItem]:
        if event.event == "bad":
            raise InvalidDialectEvent("ends", event.event, event.data, "bad")
        self._ended = event.event == "end"
        return [Finish()] if self._ended else [Text(part) for part in event.data.split()]

    def close(self) -> None:
        if not self._ended:
            raise TruncatedStream("ends", "an end event")


async def gathered(
    source: AsyncIterable[bytes] | Iterable[bytes], dialect: str | Dialect = "plain"
) -> list[AnItem]:
    return [item async for item in decode(source, dialect)]


@pytest.mark.parametrize("size", [1, 2, 7, len(STREAM)])
async def test_items_come_however_the_stream_is_cut(size: int) -> None:
    pieces = [STREAM[start : start + size] for start in range(0, len(STREAM), size)]
    assert await gathered(Source(*pieces)) == ITEMS
    assert await gathered(pieces) == ITEMS


async def test_an_event_may_be_several_items() -> None:
    assert await gathered([b"data: a b\n\nevent: end\ndata\n\n"], Ends()) == [Text("a"), Text("b"), Finish()]


async def test_an_unknown_dialect_is_told_before_anything_is_awaited() -> None:
    with pytest.raises(UnknownDialect):
        decode([], "unheard-of")


async def test_a_stream_without_its_terminator_is_truncated_after_its_items() -> None:
    source, items = Source(b"data: a\n\n"), list[AnItem]()
    with pytest.raises(TruncatedStream, match="the ends stream ended without an end event"):
        async for item in decode(source, Ends()):
            items.append(item)
    assert items == [Text("a")]
    assert source.closed


async def test_the_source_is_closed_at_its_end() -> None:
    source = Source(STREAM)
    assert await gathered(source) == ITEMS
    assert source.closed


async def test_the_source_is_closed_where_the_decoding_is_left() -> None:
    source = Source(STREAM)
    async with aclosing(decode(source)) as items:
        async for _ in items:
            break
    assert source.closed


@pytest.mark.parametrize(
    ("chunk", "error"),
    [
        pytest.param(b"event: bad\ndata\n\n", InvalidDialectEvent, id="the-dialect"),
        pytest.param(OSError("reset"), OSError, id="the-source"),
        pytest.param(b"data: " + bytes(17 * 2**20), ParserLimitExceeded, id="the-parser"),
    ],
)
async def test_the_source_is_closed_where_it_fails(chunk: bytes | Exception, error: type[Exception]) -> None:
    source = Source(chunk)
    with pytest.raises(error):
        await gathered(source, Ends())
    assert source.closed


async def test_a_sync_generator_is_closed_in_either_case() -> None:
    closed = []

    def chunks() -> Iterator[bytes]:
        try:
            yield STREAM
            yield STREAM
        finally:
            closed.append(True)

    assert await gathered(chunks()) == ITEMS * 2
    assert closed == [True]
    async with aclosing(decode(chunks())) as items:
        await anext(items)
    assert closed == [True, True]


async def test_a_list_of_chunks_needs_no_closing() -> None:
    assert await gathered([STREAM]) == ITEMS


async def test_the_default_is_the_plain_dialect() -> None:
    assert [item async for item in decode([b"data: a\n\n"])] == [Text("a")]
