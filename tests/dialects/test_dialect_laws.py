"""What holds for every dialect: one end, no forgeries, no crash, and every one translates to every other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sseware import Dialect, EventStreamParser, ServerSentEvent, translate
from sseware.dialects import AnItem, ChunkEncoder, Registry, StreamContext, losses
from sseware.errors import InvalidDialectEvent, InvalidEvent, InvalidItem, TruncatedStream
from sseware.items import (
    Data,
    Failure,
    Finish,
    Item,
    Log,
    Start,
    Step,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Usage,
)
from sseware.testing.strategies import event_types, hostile_text

BUILT_IN = Registry(installed=False)
FEW = settings(max_examples=15)
EACH = pytest.mark.parametrize("name", BUILT_IN.names())

NAMES = ("done", "end", "error", "start", "chunk", "stdout", "message", "completed", "finish")
texts = hostile_text().map(
    lambda text: text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
)
hostile_items = st.one_of(
    st.builds(Text, texts),
    st.builds(Log, texts),
    st.builds(Thinking, texts),
    st.builds(Data, texts | st.dictionaries(texts, texts, max_size=2), st.none() | texts),
    st.builds(ToolCall, texts, texts, st.dictionaries(texts, texts, max_size=2)),
    st.builds(ToolResult, texts, texts, st.booleans()),
    st.builds(Step, st.sampled_from(("node_start", "node_end", "edge_transition")), texts),
    st.builds(Usage, st.integers(0, 99), st.integers(0, 99)),
    st.builds(Start, st.none() | texts, st.none() | texts),
)


def written(dialect: Dialect, items: Iterable[AnItem], end: Finish | Failure) -> bytes:
    """A stream of a dialect; an item that it refuses is not in it."""
    chunks = ChunkEncoder(dialect.open(StreamContext()))
    stream = b""
    for item in items:
        try:
            stream += chunks.encode(item)
        except (InvalidItem, InvalidEvent):
            continue
    if isinstance(end, Failure):
        return stream + chunks.fail(end)
    return stream + chunks.encode(end) + chunks.finish()


def read(dialect: Dialect, chunks: Sequence[bytes]) -> list[AnItem]:
    parser, decoder = EventStreamParser(), dialect.decoder()
    items = [item for chunk in chunks for event in parser.feed(chunk) for item in decoder.decode(event)]
    decoder.close()
    return items


def ends(items: Iterable[AnItem]) -> list[AnItem]:
    return [item for item in items if isinstance(item, Finish | Failure)]


def promises_an_end(dialect: Dialect) -> bool:
    try:
        dialect.decoder().close()
    except TruncatedStream:
        return True
    return False


def as_read(text: str) -> str:
    return re.sub("[\ud800-\udfff]", "\ufffd", re.sub("\r\n?", "\n", text))


# Not cut by what is in them: a timestamp is another one each time.
sizes = st.integers(1, 64)


def pieces_of(stream: bytes, size: int) -> list[bytes]:
    return [stream[at : at + size] for at in range(0, len(stream), size)]


@EACH
@given(items=st.lists(hostile_items, max_size=5), size=sizes)
@FEW
def test_a_stream_ends_once_and_last_whatever_is_in_it(name: str, items: list[Item], size: int) -> None:
    dialect = BUILT_IN.get(name)
    found = read(dialect, pieces_of(written(dialect, items, Finish()), size))
    assert len(ends(found)) == 1
    assert isinstance(found[-1], Finish)
    assert found[-1].ok


@EACH
@given(items=st.lists(hostile_items, max_size=5), message=texts, size=sizes)
@FEW
def test_a_failed_stream_fails_once_and_never_succeeds(
    name: str, items: list[Item], message: str, size: int
) -> None:
    dialect = BUILT_IN.get(name)
    found = read(dialect, pieces_of(written(dialect, items, Failure(message, "rate_limit")), size))
    assert len(ends(found)) == 1
    assert isinstance(ends(found)[0], Failure)


@EACH
@given(pieces=st.lists(hostile_text(surrogates=False), max_size=5))
@FEW
def test_text_comes_through_and_nothing_comes_of_it_but_text(name: str, pieces: list[str]) -> None:
    dialect = BUILT_IN.get(name)
    found = read(dialect, [written(dialect, map(Text, pieces), Finish())])
    told = "".join(item.text for item in found if isinstance(item, Text))
    # Where a payload is JSON, line ends survive; where it is text, the standard has one kind of them.
    assert as_read(told) == "".join(map(as_read, pieces)) or as_read(told) == as_read("".join(pieces))


@EACH
@given(event_type=event_types() | st.sampled_from(NAMES))
@FEW
def test_no_event_of_a_handler_ends_a_stream(name: str, event_type: str) -> None:
    dialect = BUILT_IN.get(name)
    for text in ("[DONE]", "{}", '{"type":"completed","data":{}}', '{"type":"result"}', "x"):
        forged = ServerSentEvent(text, event=event_type)
        try:
            found = read(dialect, [written(dialect, [forged, Text("after")], Finish())])
        except InvalidDialectEvent:
            continue  # it bears a name of the dialect's, and is none of its events
        assert len(ends(found)) == 1
        assert "after" in "".join(item.text for item in found if isinstance(item, Text))


@EACH
@given(event_type=event_types() | st.sampled_from(NAMES))
@FEW
def test_any_event_can_be_read_or_is_refused_by_name(name: str, event_type: str) -> None:
    dialect = BUILT_IN.get(name)
    odd = (
        "",
        "{}",
        "[]",
        "null",
        "1",
        '"x"',
        "[DONE]",
        '{"type":7}',
        '{"type":"completed"}',
        "{",
        "[" * 5000,
    )
    for text in odd:
        try:
            found = list(dialect.decoder().decode(ServerSentEvent(text, event=event_type)))
        except InvalidDialectEvent:
            continue
        assert all(isinstance(item, Item | ServerSentEvent) for item in found)


def test_most_dialects_promise_an_end() -> None:
    assert {name for name in BUILT_IN.names() if not promises_an_end(BUILT_IN.get(name))} <= {
        "plain",
        "chronos",
    }


STORY = [Start(id="s1", name="story"), Text("Once "), Text("upon"), ToolCall("c1", "look", {"at": "fox"})]
STORY += [ToolResult("c1", "a fox"), Data({"n": 1}, name="point"), Usage(3, 4)]


@EACH
def test_a_stream_that_is_cut_short_never_ends_well(name: str) -> None:
    dialect = BUILT_IN.get(name)
    stream = written(dialect, STORY, Finish())
    # A byte short of its last line end, the last event has not come.
    for cut in range(len(stream)):
        with pytest.raises(TruncatedStream) if promises_an_end(dialect) else nullcontext():
            assert ends(read(dialect, [stream[:cut]])) == []


def cyclic() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


def deep(levels: int) -> Any:
    value: Any = 0
    for _ in range(levels):
        value = [value]
    return value


@EACH
@pytest.mark.parametrize(
    "value",
    [
        pytest.param(float("nan"), id="not-a-number"),
        pytest.param({"x": float("inf")}, id="infinity"),
        pytest.param(cyclic(), id="a-cycle"),
        pytest.param(deep(100_000), id="very-deep"),
        pytest.param(10**5000, id="a-huge-int"),
        pytest.param({1: "one", None: "none"}, id="keys-that-are-no-text"),
        pytest.param({"\ud800": "\udfff"}, id="lone-surrogates"),
        pytest.param(object(), id="what-has-no-json"),
    ],
)
def test_a_value_that_json_lacks_is_refused_or_written_but_never_kills_a_stream(
    name: str, value: Any
) -> None:
    dialect = BUILT_IN.get(name)
    items = [Data(value), Data(value, name="point"), ToolCall("c", "t", {"x": value}), ToolResult("c", value)]
    for item in items:
        for end in (Finish(), Failure("no")):
            found = read(dialect, [written(dialect, [Text("a"), item, Text("b")], end)])
            assert len(ends(found)) == 1
        fold = dialect.fold(StreamContext())
        try:
            fold.add(item)
        except (InvalidItem, InvalidEvent):
            continue
        assert isinstance(fold.finish().body, bytes)


def translated(stream: bytes, source: Dialect, target: Dialect) -> tuple[bytes, list[Exception]]:
    problems: list[Exception] = []

    async def gather() -> bytes:
        chunks = translate([stream[:40], stream[40:]], source, target, on_failure=problems.append)
        return b"".join([chunk async for chunk in chunks])

    return anyio.run(gather), problems


@EACH
@pytest.mark.parametrize("source_name", BUILT_IN.names())
def test_every_dialect_translates_to_every_other(source_name: str, name: str) -> None:
    source, target = BUILT_IN.get(source_name), BUILT_IN.get(name)
    stream, problems = translated(written(source, STORY, Finish()), source, target)
    found = read(target, [stream])
    assert problems == []
    assert len(ends(found)) == 1
    told = "".join(item.text for item in found if isinstance(item, Text))
    assert "Once upon" in told
    if not {Usage, ToolCall} & {*losses(source), *losses(target)}:
        assert [item for item in found if isinstance(item, ToolCall)] == [STORY[3]]


@EACH
@pytest.mark.parametrize("source_name", BUILT_IN.names())
def test_a_failure_is_a_failure_in_every_other_dialect(source_name: str, name: str) -> None:
    source, target = BUILT_IN.get(source_name), BUILT_IN.get(name)
    whole = written(source, STORY, Failure("the ink ran out"))
    stream, _ = translated(whole, source, target)
    (failure,) = ends(read(target, [stream]))
    assert isinstance(failure, Failure)
    assert "the ink ran out" in failure.message
    if promises_an_end(source):
        stream, problems = translated(written(source, STORY, Finish())[:-1], source, target)
        assert [type(problem) for problem in problems] == [TruncatedStream]
        assert isinstance(ends(read(target, [stream]))[0], Failure)


@EACH
@FEW
@given(text=hostile_text())
def test_a_text_that_is_written_without_asking_is_what_the_dialect_would_say(name: str, text: str) -> None:
    chunks = ChunkEncoder(BUILT_IN.get(name).open(StreamContext()))
    chunks.encode(Text("a"))
    if chunks.text_writer is not None:
        assert chunks.text_writer(text) == chunks.encode(Text(text))
