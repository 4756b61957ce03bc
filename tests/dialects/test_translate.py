"""From one dialect to another: prompt, closed however it ends, and never a good end for a bad source."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping
from contextlib import aclosing
from typing import Any, Literal

import pytest

from sseware import Dialect, ServerSentEvent, StreamError, translate
from sseware.dialects import (
    AnItem,
    DialectEncoder,
    DialectFold,
    Plain,
    Registry,
    StreamContext,
    hookimpl,
    leave_out,
    read_payload,
)
from sseware.errors import (
    InvalidDialectEvent,
    InvalidItem,
    ParserLimitExceeded,
    SSEError,
    TruncatedStream,
    UnknownDialect,
)
from sseware.items import Failure, Finish, Item, Log, Text

pytestmark = pytest.mark.anyio


class Bounded:
    """A dialect that opens with ``begin``, knows text only, and ends with ``end`` or ``broken``."""

    name = "bounded"
    default: Literal["stream", "buffered"] = "stream"
    omits: frozenset[type[Item]] = frozenset({Log})

    def __init__(self, *, strict: bool = False) -> None:
        self.strict = strict

    def open(self, context: StreamContext) -> DialectEncoder:
        return BoundedEncoder(self)

    def fold(self, context: StreamContext) -> DialectFold:
        return Plain().fold(context)

    def decoder(self) -> BoundedDecoder:
        return BoundedDecoder()


class BoundedEncoder:
    def __init__(self, dialect: Bounded) -> None:
        self._dialect = dialect

    def start(self) -> Iterable[ServerSentEvent]:
        return [ServerSentEvent("0", event="begin")]

    def encode(self, item: AnItem) -> Iterable[ServerSentEvent]:
        if isinstance(item, Text):
            return [ServerSentEvent(item.text, event="text")]
        return () if isinstance(item, Finish) else leave_out(self._dialect, item)

    def finish(self) -> Iterable[ServerSentEvent]:
        return [ServerSentEvent("1", event="end")]

    def fail(self, failure: Failure) -> Iterable[ServerSentEvent]:
        return [ServerSentEvent(f"{failure.code}: {failure.message}", event="broken")]


class BoundedDecoder:
    def __init__(self) -> None:
        self._ended = False

    def decode(self, event: ServerSentEvent) -> Iterable[AnItem]:
        if event.event == "text":
            return [Text(event.data)]
        if event.event in ("begin", "end"):
            read_payload(event, int, dialect="bounded")
        self._ended = event.event in ("end", "broken")
        if not self._ended:
            return []
        return [Finish()] if event.event == "end" else [Failure(event.data)]

    def close(self) -> None:
        if not self._ended:
            raise TruncatedStream("bounded", "an end event")


class Source:
    """Chunks that are awaited one by one; what is no chunk is raised."""

    def __init__(self, *chunks: bytes | BaseException) -> None:
        self._chunks = list(chunks)
        self.closed = 0

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if not self._chunks:
            raise StopAsyncIteration
        chunk = self._chunks.pop(0)
        if isinstance(chunk, BaseException):
            raise chunk
        return chunk

    async def aclose(self) -> None:
        self.closed += 1

    @property
    def left(self) -> int:
        return len(self._chunks)


BEGIN, ONCE, END = b"event: begin\ndata: 0\n\n", b"event: text\ndata: Once\n\n", b"event: end\ndata: 1\n\n"


def broken(code: str, message: str) -> bytes:
    return f"event: broken\ndata: {code}: {message}\n\n".encode()


async def chunks_of(
    chunks: AsyncIterable[bytes] | Iterable[bytes],
    source: str | Dialect,
    target: str | Dialect,
    problems: list[Exception] | None = None,
) -> list[bytes]:
    told: list[Exception] = [] if problems is None else problems
    return [chunk async for chunk in translate(chunks, source, target, on_failure=told.append)]


async def test_each_chunk_becomes_a_chunk_as_soon_as_it_completes_something() -> None:
    source = Source(BEGIN, b"event: te", b"xt\ndata: Once\n\nevent: text\ndata: upon\n\nevent: ", END[7:])
    translation = translate(source, Bounded(), "plain")
    assert await anext(translation) == b"data: Once\n\ndata: upon\n\n"
    assert source.left == 1
    assert [chunk async for chunk in translation] == [
        b'event: finish\ndata: {"ok":true,"exit_code":0,"result":null}\n\n'
    ]
    assert source.closed == 1


async def test_the_target_opens_and_ends_as_it_does() -> None:
    assert await chunks_of([b"data: Once\n\n"], "plain", Bounded()) == [BEGIN + ONCE, END]
    assert await chunks_of([], "plain", Bounded()) == [BEGIN + END]


async def test_a_dialect_translates_to_itself_however_it_is_cut() -> None:
    stream = BEGIN + ONCE * 3 + END
    for size in (1, 5, len(stream)):
        pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
        assert b"".join(await chunks_of(pieces, Bounded(), Bounded())) == stream


async def test_nothing_is_read_after_the_end_of_the_source() -> None:
    source, problems = Source(BEGIN + ONCE + END + ONCE, ONCE, OSError("reset")), list[Exception]()
    assert await chunks_of(source, Bounded(), Bounded(), problems) == [BEGIN + ONCE + END]
    assert (source.left, source.closed, problems) == (2, 1, [])


async def test_a_failure_is_translated_and_ends_it() -> None:
    source, problems = Source(BEGIN + ONCE + broken("x", "no"), ONCE), list[Exception]()
    assert await chunks_of(source, Bounded(), "plain", problems) == [
        b'data: Once\n\nevent: error\ndata: {"message":"x: no","code":"internal_error","status":500}\n\n'
    ]
    assert (source.left, source.closed, problems) == (1, 1, [])


async def test_an_item_that_ends_the_target_ends_the_translation() -> None:
    class EndingEncoder(BoundedEncoder):
        ended = False

        def encode(self, item: AnItem) -> Iterable[ServerSentEvent]:
            self.ended = isinstance(item, Log)
            return [ServerSentEvent("!", event="last")] if self.ended else super().encode(item)

        def finish(self) -> Iterable[ServerSentEvent]:
            return [] if self.ended else super().finish()

    class Ending(Bounded):
        def open(self, context: StreamContext) -> DialectEncoder:
            return EndingEncoder(self)

    source = Source(b"data: Once\n\n", b"event: log\ndata: x\n\ndata: more\n\n", b"data: more\n\n")
    assert await chunks_of(source, "plain", Ending()) == [BEGIN + ONCE, b"event: last\ndata: !\n\n"]
    assert (source.left, source.closed) == (1, 1)


TRUNCATED = broken("source_truncated", "the source ended before it was complete")


@pytest.mark.parametrize(
    ("chunks", "target"),
    [
        pytest.param([], [BEGIN + TRUNCATED], id="nothing"),
        pytest.param([BEGIN], [BEGIN + TRUNCATED], id="its-opening"),
        pytest.param([BEGIN + ONCE], [BEGIN + ONCE, TRUNCATED], id="an-item"),
        pytest.param([BEGIN + ONCE, ONCE[:-1]], [BEGIN + ONCE, TRUNCATED], id="half-an-item"),
        pytest.param([BEGIN + ONCE + END[:-1]], [BEGIN + ONCE, TRUNCATED], id="half-its-end"),
    ],
)
async def test_a_source_is_cut_short_after(chunks: list[bytes], target: list[bytes]) -> None:
    problems: list[Exception] = []
    assert await chunks_of(chunks, Bounded(), Bounded(), problems) == target
    assert [type(problem) for problem in problems] == [TruncatedStream]


@pytest.mark.parametrize(
    ("chunk", "code", "message", "error"),
    [
        pytest.param(
            b"event: end\ndata: x\n\n",
            "source_invalid",
            "the source is not what it must be",
            InvalidDialectEvent,
            id="a-malformed-event",
        ),
        pytest.param(
            b"data: " + bytes(17 * 2**20),
            "source_invalid",
            "the source is not what it must be",
            ParserLimitExceeded,
            id="an-endless-event",
        ),
        pytest.param(
            OSError("secret"), "source_failed", "the source failed", OSError, id="a-lost-connection"
        ),
        pytest.param(
            StreamError("secret"), "source_failed", "the source failed", StreamError, id="an-error-of-its-own"
        ),
    ],
)
async def test_the_target_fails_and_ends_where_the_source_has(
    chunk: bytes | Exception, code: str, message: str, error: type[Exception]
) -> None:
    source, problems = Source(ONCE, chunk, ONCE), list[Exception]()
    assert await chunks_of(source, Bounded(), Bounded(), problems) == [BEGIN + ONCE, broken(code, message)]
    assert [type(problem) for problem in problems] == [error]
    assert (source.left, source.closed) == (1, 1)


async def test_what_comes_before_a_malformed_event_in_one_chunk_is_kept() -> None:
    (chunk,) = await chunks_of([ONCE + b"event: end\ndata: x\n\n"], Bounded(), Bounded())
    assert chunk.startswith(BEGIN + ONCE + b"event: broken\n")


async def test_what_the_target_leaves_out_is_left_out() -> None:
    assert await chunks_of([b"event: log\ndata: x\n\n"], "plain", Bounded()) == [BEGIN, END]


@pytest.mark.parametrize(
    ("event", "target"),
    [
        pytest.param(b"event: log\ndata: x\n\n", Bounded(strict=True), id="what-a-strict-one-leaves-out"),
        pytest.param(b"event: usage\ndata: {}\n\n", Bounded(), id="what-nobody-has-thought-of"),
    ],
)
async def test_the_target_fails_at(event: bytes, target: Bounded) -> None:
    problems: list[Exception] = []
    assert await chunks_of([event], "plain", target, problems) == [
        BEGIN + broken("untranslatable", "the source has what cannot be translated")
    ]
    assert [type(problem) for problem in problems] == [InvalidItem]


async def test_a_failure_is_logged_where_nobody_takes_it(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "sseware"):
        async with aclosing(translate([ONCE], Bounded(), "plain")) as chunks:
            assert [chunk async for chunk in chunks]
        async with aclosing(translate(Source(OSError("reset")), Bounded(), "plain")) as chunks:
            assert [chunk async for chunk in chunks]
    ours, theirs = caplog.records
    assert ours.message == (
        "a translation failed: the bounded stream ended without an end event; what came is incomplete"
    )
    assert not ours.exc_info
    assert theirs.message == "a translation failed: reset"
    assert theirs.exc_info


async def test_an_unknown_dialect_is_told_before_anything_is_awaited() -> None:
    for names in (("unheard-of", "plain"), ("plain", "unheard-of")):
        with pytest.raises(UnknownDialect):
            translate([], *names)


async def test_the_source_is_closed_where_the_translation_is_left() -> None:
    source = Source(BEGIN + ONCE, ONCE)
    async with aclosing(translate(source, Bounded(), "plain")) as chunks:
        await anext(chunks)
    assert (source.left, source.closed) == (1, 1)


async def test_both_the_iterable_and_its_iterator_are_closed() -> None:
    closed: list[str] = []

    class Response:
        async def __aiter__(self) -> AsyncIterator[bytes]:
            try:
                yield b"data: a\n\n"
                yield b"data: b\n\n"
            finally:
                closed.append("iterator")

        async def aclose(self) -> None:
            closed.append("response")

    async with aclosing(translate(Response(), "plain", "plain")) as chunks:
        await anext(chunks)
    assert closed == ["iterator", "response"]


async def test_a_source_that_cannot_be_closed_need_not_be() -> None:
    class Bare:
        def __init__(self) -> None:
            self._chunks = [b"data: a\n\n"]

        def __aiter__(self) -> Bare:
            return self

        async def __anext__(self) -> bytes:
            if not self._chunks:
                raise StopAsyncIteration
            return self._chunks.pop()

    assert await chunks_of(Bare(), "plain", "plain") == [b"data: a\n\n"]


async def test_a_cancellation_is_no_failure_of_the_source() -> None:
    class Cancelled(BaseException):
        pass

    source = Source(b"data: a\n\n", Cancelled())
    translation = translate(source, "plain", Bounded())
    assert await anext(translation) == BEGIN + b"event: text\ndata: a\n\n"
    with pytest.raises(Cancelled):
        await anext(translation)
    assert source.closed == 1


async def test_an_item_of_a_plugin_reaches_a_target_that_a_plugin_extends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Point(Item, frozen=True, tag="point"):
        x: int

    class PointDecoder(BoundedDecoder):
        def decode(self, event: ServerSentEvent) -> Iterable[AnItem]:
            return [Point(int(event.data))] if event.event == "point" else super().decode(event)

    class Points(Bounded):
        def decoder(self) -> PointDecoder:
            return PointDecoder()

    class Plugin:
        @hookimpl
        def sseware_item_encoders(self, dialect: Dialect) -> Mapping[type, Any]:
            return {Point: lambda point: [Text(f"point {point.x}")]}

    registry = Registry({"points": Plugin()}, installed=False)
    monkeypatch.setattr("sseware.dialects._translate.default_registry", lambda: registry)
    stream = b"event: point\ndata: 7\n\n" + END
    (chunk,) = await chunks_of([stream], Points(), Bounded())
    assert chunk == BEGIN + b"event: text\ndata: point 7\n\n" + END


async def test_no_chunk_of_a_broken_source_ever_ends_well() -> None:
    stream = BEGIN + ONCE * 2 + END
    for cut in range(len(stream)):
        problems: list[Exception] = []
        written = b"".join(await chunks_of([stream[:cut]], Bounded(), Bounded(), problems))
        assert written.endswith(TRUNCATED), cut
        assert END not in written
        assert all(isinstance(problem, SSEError) for problem in problems)
