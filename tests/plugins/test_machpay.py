"""MachPay, byte for byte, both ways; the bytes and the documents' samples are written here afresh."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sseware import ServerSentEvent, encode
from sseware.dialects import AnItem, StreamContext
from sseware.errors import ConfigurationError, InvalidDialectEvent, InvalidItem, StreamError, TruncatedStream
from sseware.items import Data, Failure, File, Finish, Log, Start, Text, Thinking, Usage
from sseware.plugins.machpay import (
    AsyncSkillStream,
    Chunk,
    MachPay,
    Pricing,
    SkillStream,
    async_with_retry,
    with_retry,
)
from tests.plugins.speaking import body_of, items_of, stream_of

NOON = datetime(2025, 1, 6, 12, tzinfo=UTC)


def dialect(**options: Any) -> MachPay:
    """A MachPay whose clock stands still and whose identities are known."""
    return MachPay(**{"new_id": lambda prefix: f"{prefix}_1", "now": lambda: NOON, **options})


def context(milliseconds: int = 0) -> StreamContext:
    return StreamContext(clock=lambda: milliseconds / 1000)


def stream(
    items: Iterable[AnItem],
    *,
    speaks: MachPay | None = None,
    milliseconds: int = 0,
    fail: Failure | None = None,
) -> bytes:
    return stream_of(speaks or dialect(), items, fail=fail, context=context(milliseconds))


def fold(items: Iterable[AnItem], *, speaks: MachPay | None = None, milliseconds: int = 0) -> Any:
    return body_of(speaks or dialect(), items, context=context(milliseconds))


def read(wire: bytes, speaks: MachPay | None = None) -> list[AnItem]:
    return items_of(speaks or dialect(), wire)


STORY = [Start("exec_7", "story"), Text("Once "), Text("upon")]


def test_a_run_is_start_chunks_and_end() -> None:
    assert stream(STORY, speaks=dialect(price_usd=0.01), milliseconds=900) == (
        b'event: start\ndata: {"executionId":"exec_7","skillId":"story"}\n\n'
        b'event: chunk\ndata: {"text":"Once ","index":0,"timestamp":"2025-01-06T12:00:00.000Z"}\n\n'
        b'event: chunk\ndata: {"text":"upon","index":1,"timestamp":"2025-01-06T12:00:00.000Z"}\n\n'
        b'event: end\ndata: {"tokensUsed":2,"costUsd":0.01,"durationMs":900}\n\n'
    )


def test_chunks_can_be_left_unnamed_for_onmessage() -> None:
    wire = stream(STORY, speaks=dialect(chunk_event=None))
    assert b'\n\ndata: {"text":"Once ","index":0,' in wire
    assert b"event: chunk" not in wire
    assert read(wire)[1:3] == [Text("Once "), Text("upon")]


def test_an_error_in_mid_stream_ends_it_and_nothing_is_billed() -> None:
    wire = stream(STORY, fail=Failure("boom"))
    assert wire.endswith(b'event: error\ndata: {"code":"INTERNAL_ERROR","message":"boom"}\n\n')
    assert b"event: end" not in wire


def test_an_error_before_the_first_item_comes_after_a_start() -> None:
    assert stream([], fail=Failure("no", "rate_limit_exceeded")) == (
        b'event: start\ndata: {"executionId":"exec_1","skillId":null}\n\n'
        b'event: error\ndata: {"code":"RATE_LIMIT_EXCEEDED","message":"no"}\n\n'
    )


@pytest.mark.parametrize(
    ("finish", "message"),
    [
        pytest.param(Finish(False, 3), "the skill exited with code 3", id="exit-code"),
        pytest.param(Finish(False, None), "the skill failed", id="killed"),
        pytest.param(Finish(False, None, {"error": "timed out", "status": 504}), "timed out", id="says-why"),
    ],
)
def test_a_bad_end_is_an_error(finish: Finish, message: str) -> None:
    assert read(stream([Text("x"), finish]))[-1] == Failure(message, "INTERNAL_ERROR")
    status, body = fold([Text("x"), finish])
    assert status >= 500
    assert body["error"]["message"] == message


def test_an_empty_run_is_start_and_end() -> None:
    assert stream([]) == (
        b'event: start\ndata: {"executionId":"exec_1","skillId":null}\n\n'
        b'event: end\ndata: {"tokensUsed":0,"costUsd":0,"durationMs":0}\n\n'
    )


def test_an_empty_text_is_no_chunk_and_takes_no_index() -> None:
    """D7."""
    wire = stream([Text(""), Text("a"), Text(""), Text("b")])
    assert [json.loads(line[6:])["index"] for line in wire.splitlines() if b'"index"' in line] == [0, 1]


def test_a_second_start_changes_nothing() -> None:
    assert stream([*STORY, Start("exec_8")]).count(b"event: start") == 1


def test_the_configured_skill_is_named_where_the_handler_names_none() -> None:
    assert b'"skillId":"poem"' in stream([Text("x")], speaks=dialect(skill_id="poem"))


def test_data_is_a_chunk_of_json_text() -> None:
    assert Text('{"a":1}') in read(stream([Data({"a": 1})]))


def test_the_pricing_of_the_documents_is_exact() -> None:
    pricing = Pricing(base_usd=0.001, per_token_usd=0.00002, per_second_usd=0.0001)
    assert pricing.cost(tokens=100, milliseconds=10_000) == 0.004
    assert pricing.cost(tokens=0, milliseconds=0) == 0.001
    assert Pricing(per_token_usd=0.1).cost(tokens=3, milliseconds=0) == 0.3


def test_a_cost_has_twelve_places_and_is_whole_where_it_is() -> None:
    assert Pricing(per_second_usd=1e-9).cost(tokens=0, milliseconds=1) == 1e-12
    assert repr(Pricing(base_usd=2.0).cost(tokens=0, milliseconds=0)) == "2"


@pytest.mark.parametrize("part", [-1, True, "1", math.nan, math.inf, None])
def test_a_price_is_a_number_of_dollars(part: Any) -> None:
    with pytest.raises(ConfigurationError, match="base_usd must be a number of dollars"):
        Pricing(base_usd=part)


def test_what_the_handler_reports_is_billed_and_not_the_words() -> None:
    wire = stream(
        [Text("a b c"), Usage(5, 20), Usage(0, 2)], speaks=dialect(pricing=Pricing(per_token_usd=1))
    )
    assert b'{"tokensUsed":22,"costUsd":22,"durationMs":0}' in wire


@pytest.mark.parametrize("before", [0, 255, 256, 257, 1000])
def test_a_word_that_is_split_over_many_chunks_counts_once(before: int) -> None:
    """D7."""
    pieces = ["x"] * before + ["Hel", "lo", " ", "wor", "ld"]
    assert b'"tokensUsed":2,' in stream([Text(piece) for piece in pieces])


def test_a_word_that_is_split_over_chunks_counts_once() -> None:
    pieces = ["Hel", "lo", " ", "wor", "ld", " \n", "again", "   "]
    assert b'"tokensUsed":3' in stream([Text(piece) for piece in pieces])


@given(st.lists(st.text(alphabet="ab \n\u00a0", max_size=5), max_size=12).map(lambda pieces: pieces * 60))
def test_words_are_counted_as_in_the_whole_text(pieces: list[str]) -> None:
    """D7."""
    count = len("".join(pieces).split())
    assert f'"tokensUsed":{count},'.encode() in stream([Text(piece) for piece in pieces])
    assert fold([Text(piece) for piece in pieces])[1]["data"]["tokens_used"] == count


def test_a_counter_of_ones_own_sees_the_whole_text() -> None:
    assert b'"tokensUsed":4' in stream([Text("ab"), Text("cd")], speaks=dialect(count_tokens=len))


def test_the_buffered_answer_has_their_shape() -> None:
    status, body = fold(STORY, speaks=dialect(version="1.2.0", price_usd=0.0012), milliseconds=89)
    assert status == 200
    assert list(body) == ["success", "data", "meta"]
    assert body == {
        "success": True,
        "data": {"text": "Once upon", "tokens_used": 2, "processing_time_ms": 89},
        "meta": {"skill_id": "story", "version": "1.2.0", "execution_id": "exec_7", "cost_usd": 0.0012},
    }


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "ValidationError"),
        (401, "AuthenticationError"),
        (403, "AuthorizationError"),
        (404, "NotFoundError"),
        (413, "ValidationError"),
        (429, "RateLimitError"),
        (500, "InternalError"),
        (503, "SkillUnavailable"),
        (504, "InternalError"),
    ],
)
def test_an_error_before_the_stream_has_their_shape(status: int, kind: str) -> None:
    answer = dialect().fold(context()).fail(Failure("no", "some_code", status))
    assert answer.status == status
    assert json.loads(answer.body) == {
        "error": {"code": "SOME_CODE", "message": "no", "type": kind, "request_id": "req_1"}
    }


def test_a_rate_limit_says_when_to_try_again() -> None:
    failure = Failure("slow down", "rate_limit_exceeded", 429, retry_after=30)
    body = json.loads(dialect().fold(context()).fail(failure).body)
    assert list(body["error"]) == ["code", "message", "type", "retry_after", "request_id"]


def test_a_file_is_a_buffered_answer_and_no_event() -> None:
    folded = dialect().fold(context())
    folded.add(File(b"%PDF", "a.pdf", "application/pdf"))
    assert folded.finish().body == b"%PDF"
    assert folded.size == 4
    with pytest.raises(InvalidItem, match="a file cannot be streamed"):
        stream([File(b"")])


@pytest.mark.parametrize("item", [Log("x"), Thinking("x")])
def test_what_has_no_place_is_left_out_unless_strict(item: AnItem) -> None:
    assert stream([item]) == stream([])
    assert fold([item])[1]["data"]["text"] == ""
    with pytest.raises(InvalidItem, match="strict"):
        stream([item], speaks=dialect(strict=True))
    with pytest.raises(InvalidItem, match="strict"):
        fold([item], speaks=dialect(strict=True))


def test_an_event_of_ones_own_passes_unless_it_bears_their_names() -> None:
    """D2."""
    own = ServerSentEvent("x", event="note")
    assert encode(own) in stream([own])
    assert fold([own])[1]["data"]["text"] == ""
    assert own in read(stream([own]))
    for name in ("start", "chunk", "end", "error"):
        with pytest.raises(InvalidItem, match="belongs to the machpay dialect"):
            stream([ServerSentEvent("x", event=name)])
    with pytest.raises(InvalidItem, match="belongs to"):
        stream([ServerSentEvent("x")], speaks=dialect(chunk_event=None))


@pytest.mark.parametrize(
    "options",
    [
        {"chunk_event": ""},
        {"chunk_event": "a\nb"},
        {"chunk_event": "end"},
        {"pricing": 3},
        {"price_usd": 1.0, "pricing": Pricing(base_usd=2.0)},
    ],
)
def test_a_wrong_option_is_refused_when_it_is_given(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        MachPay(**options)


def test_by_itself_it_makes_identities_and_tells_the_time() -> None:
    encoder = MachPay().open(StreamContext())
    start, chunk = encoder.encode(Text("x"))
    assert start.json()["executionId"].startswith("exec_")
    assert datetime.fromisoformat(chunk.json()["timestamp"]).tzinfo is not None


@given(st.lists(st.text(min_size=1)), st.booleans())
def test_what_is_written_is_read(texts: list[str], unnamed: bool) -> None:
    """D7."""
    speaks = dialect(chunk_event=None if unnamed else "chunk")
    items = [Start("exec_7", "story"), *map(Text, texts)]
    got = read(stream(items, speaks=speaks))
    assert got[:-2] == items
    assert got[-1] == Finish(result={"costUsd": 0, "durationMs": 0})
    # Once more through the encoder, the stream is the same to the byte, which no law asks.
    assert stream(got, speaks=speaks) == stream(items, speaks=speaks)


@given(st.lists(st.text()))
def test_the_body_says_what_the_stream_said(texts: list[str]) -> None:
    # A law looks for the text anywhere in a body: here it has its place.
    streamed = "".join(item.text for item in read(stream(map(Text, texts))) if isinstance(item, Text))
    assert fold(map(Text, texts))[1]["data"]["text"] == streamed


def test_a_stream_that_just_closes_is_truncated() -> None:
    with pytest.raises(TruncatedStream, match="end or error"):
        read(stream(STORY).partition(b"event: end")[0])


@pytest.mark.parametrize("data", ["", "{", "[]", '{"text":1}', '{"index":0}'])
def test_a_chunk_of_another_shape_is_refused(data: str) -> None:
    with pytest.raises(InvalidDialectEvent, match="machpay"):
        read(encode(ServerSentEvent(data, event="chunk")))
    with pytest.raises(InvalidDialectEvent, match="machpay"):
        list(MachPay(chunk_event=None).decoder().decode(ServerSentEvent(data)))


def test_its_events_have_a_schema() -> None:
    schema = MachPay().schema()
    assert [each["properties"]["event"]["const"] for each in schema["anyOf"]] == [
        "start",
        "chunk",
        "end",
        "error",
    ]
    assert dialect().example[0] == Start("exec_1", name="story")


def test_a_skill_stream_yields_chunks_and_calls_back() -> None:
    told: list[Any] = []
    skill = SkillStream([stream(STORY)])
    for kind in ("start", "chunk", "end"):
        skill.on(kind, told.append)
    assert [chunk.text for chunk in skill] == ["Once ", "upon"]
    assert [type(payload).__name__ for payload in told] == ["Start", "Chunk", "Chunk", "End"]
    assert told[0].execution_id == "exec_7"
    assert told[-1].tokens_used == 2


def test_a_skill_stream_raises_the_error_that_it_carries() -> None:
    told: list[Any] = []
    skill = SkillStream([stream(STORY, fail=Failure("busy", "overloaded"))])
    skill.on("error", told.append)
    got: list[str] = []
    with pytest.raises(StreamError, match="busy") as caught:
        got += [chunk.text for chunk in skill]
    assert caught.value.code == "OVERLOADED"
    assert told[0].message == "busy"


def test_a_skill_stream_that_is_cut_off_says_so() -> None:
    with pytest.raises(StreamError) as caught:
        list(SkillStream([stream(STORY)[:-60]]))
    assert caught.value.code == "STREAM_INTERRUPTED"


def test_a_skill_stream_ignores_what_is_none_of_its_own_or_comes_after_the_end() -> None:
    extra = encode(ServerSentEvent("{}", event="note")) + encode(ServerSentEvent("not theirs"))
    late = encode(ServerSentEvent('{"text":"late"}', event="chunk"))
    assert [chunk.text for chunk in SkillStream([extra + stream(STORY) + late])] == ["Once ", "upon"]


def test_there_are_four_kinds_of_events_to_listen_to() -> None:
    with pytest.raises(ConfigurationError, match="one of start, chunk, end, error, got 'done'"):
        SkillStream([]).on("done", print)


@pytest.mark.anyio
async def test_an_async_skill_stream_does_the_same() -> None:
    async def chunks(wire: bytes) -> AsyncIterator[bytes]:
        for byte in wire:
            yield bytes([byte])

    assert [chunk.text async for chunk in AsyncSkillStream(chunks(stream(STORY)))] == ["Once ", "upon"]
    with pytest.raises(StreamError) as caught:
        [chunk async for chunk in AsyncSkillStream(chunks(b""))]
    assert caught.value.code == "STREAM_INTERRUPTED"


def test_a_retry_starts_again_from_scratch() -> None:
    tries = [[stream(STORY)[:-60]], [stream(STORY)]]
    failed: list[tuple[int, str]] = []
    chunks = with_retry(
        lambda: SkillStream(tries.pop(0)), on_retry=lambda attempt, exc: failed.append((attempt, exc.code))
    )
    assert [chunk.text for chunk in chunks] == ["Once ", "upon", "Once ", "upon"]
    assert failed == [(1, "STREAM_INTERRUPTED")]


def test_the_last_attempt_raises() -> None:
    opened: list[int] = []

    def cut() -> Iterable[Chunk]:
        opened.append(1)
        return SkillStream([])

    with pytest.raises(StreamError):
        list(with_retry(cut, attempts=2))
    assert len(opened) == 2
    with pytest.raises(ConfigurationError, match="attempts must be 1 or more"):
        with_retry(cut, attempts=0)


def async_cut_at(wire: bytes, closed: list[str]) -> AsyncSkillStream:
    async def body() -> AsyncIterator[bytes]:
        try:
            yield wire
        finally:
            closed.append("closed")

    return AsyncSkillStream(body())


@pytest.mark.anyio
async def test_an_async_retry_starts_again_from_scratch_and_closes_what_failed() -> None:
    tries, closed = [stream(STORY)[:-60], stream(STORY)], list[str]()
    failed: list[tuple[int, str]] = []
    chunks = async_with_retry(
        lambda: async_cut_at(tries.pop(0), closed),
        on_retry=lambda attempt, exc: failed.append((attempt, exc.code)),
    )
    assert [chunk.text async for chunk in chunks] == ["Once ", "upon", "Once ", "upon"]
    assert failed == [(1, "STREAM_INTERRUPTED")]
    assert closed == ["closed"] * 2


@pytest.mark.anyio
async def test_the_last_async_attempt_raises_and_a_reader_that_leaves_closes_the_stream() -> None:
    closed: list[str] = []
    with pytest.raises(StreamError):
        [chunk async for chunk in async_with_retry(lambda: async_cut_at(b"", closed), attempts=2)]
    assert closed == ["closed"] * 2
    chunks = async_with_retry(lambda: async_cut_at(stream(STORY), closed))
    assert (await anext(chunks)).text == "Once "
    await chunks.aclose()  # type: ignore[attr-defined]  # it is a generator
    assert closed == ["closed"] * 3
    with pytest.raises(ConfigurationError, match="attempts must be 1 or more"):
        async_with_retry(lambda: async_cut_at(b"", closed), attempts=0)


@pytest.mark.anyio
async def test_chunks_that_cannot_be_closed_are_retried_all_the_same() -> None:
    class Once:
        def __init__(self) -> None:
            self.left = [Chunk("a")]

        def __aiter__(self) -> Once:
            return self

        async def __anext__(self) -> Chunk:
            if not self.left:
                raise StopAsyncIteration
            return self.left.pop()

    assert [chunk.text async for chunk in async_with_retry(Once)] == ["a"]


@pytest.mark.parametrize("name", ["DERIVED_story_named", "DERIVED_story_onmessage"])
def test_the_reference_streams_are_reproduced(shared: Path, name: str) -> None:
    words = ["Once", "upon", "a", "time", "in", "a", "digital", "realm", "..."]
    items = [Start("exec_abc123", "story-generator"), *(Text(f"{word} ") for word in words)]
    speaks = dialect(price_usd=0.01, chunk_event="chunk" if name.endswith("named") else None)
    assert (
        stream(items, speaks=speaks, milliseconds=900) == (shared / f"golden/machpay/{name}.txt").read_bytes()
    )


def test_the_reference_error_is_reproduced(shared: Path) -> None:
    got = stream([Start("exec_abc123", "story-generator"), Text("Once ")], fail=Failure("boom"))
    assert got == (shared / "golden/machpay/DERIVED_error_midstream.txt").read_bytes()
