"""The plain dialect: an item is an event, nothing is lost on the way there or back, and nothing can be forged."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sseware import EventStreamParser, ServerSentEvent
from sseware.dialects import AnItem, BufferedAnswer, ChunkEncoder, Plain, StreamContext
from sseware.errors import InvalidItem
from sseware.items import (
    AnyItem,
    Data,
    Failure,
    File,
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
from sseware.testing.strategies import chunkings, event_types, hostile_text

# Two halves of a code point are one where UTF-16 counts, as in the escapes of JSON; only a half alone stays one.
texts = hostile_text().map(
    lambda text: text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
)
# JavaScript writes larger floats as whole numbers, with zeros where their digits end.
floats = st.floats(-(2**53), 2**53, allow_nan=False)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | floats | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
objects = st.dictionaries(texts, json_values, max_size=3)
counts = st.integers(0, 2**40)
OWN_NAMES = ["message", "log", "thinking", "data", "start", "finish", "error", "usage", "named_data", ""]
pieces = st.one_of(
    st.builds(Start, st.none() | texts, st.none() | texts, objects),
    st.builds(Text, texts),
    st.builds(Log, texts),
    st.builds(Thinking, texts),
    st.builds(ToolCall, texts, texts, objects),
    st.builds(ToolResult, texts, json_values, st.booleans()),
    st.builds(Step, texts, texts, st.none() | objects, st.none() | texts),
    st.builds(Data, json_values, st.none() | texts | event_types() | st.sampled_from(OWN_NAMES)),
    st.builds(Usage, counts, counts),
)
finishes = st.builds(Finish, st.booleans(), st.none() | st.integers(-255, 255), json_values)
failures = st.builds(Failure, texts, texts, st.integers(400, 599), st.none() | counts)


def encoded(items: Iterable[AnItem], failure: Failure | None = None) -> bytes:
    chunks = ChunkEncoder(Plain().open(StreamContext()))
    stream = b"".join(map(chunks.encode, items))
    return stream + (chunks.finish() if failure is None else chunks.fail(failure))


def decoded(chunks: Iterable[bytes]) -> list[AnItem]:
    parser, decoder = EventStreamParser(), Plain().decoder()
    items = [item for chunk in chunks for event in parser.feed(chunk) for item in decoder.decode(event)]
    assert parser.close() is None
    decoder.close()
    return items


def folded(items: Iterable[AnItem]) -> BufferedAnswer:
    fold = Plain().fold(StreamContext())
    for item in items:
        fold.add(item)
    return fold.finish()


def as_read(item: AnItem) -> AnItem:
    """What the wire makes of an item: its text has one kind of line end, and no lone surrogates."""
    if not isinstance(item, Text | Log | Thinking):
        return item
    return type(item)(re.sub("[\ud800-\udfff]", "\ufffd", re.sub("\r\n?", "\n", item.text)))


@given(data=st.data(), items=st.lists(pieces, max_size=5), end=st.none() | finishes | failures)
def test_decode_after_encode_is_the_identity_however_it_is_cut(
    data: st.DataObject, items: list[Item], end: Finish | Failure | None
) -> None:
    finish = [end] if isinstance(end, Finish) else []
    stream = encoded([*items, *finish], end if isinstance(end, Failure) else None)
    ending = [] if end is None else [end]
    assert decoded(data.draw(chunkings(stream))) == [*map(as_read, items), *ending]


@given(items=st.lists(pieces, max_size=5), finish=finishes)
def test_encode_after_decode_is_the_identity_on_its_own_streams(items: list[Item], finish: Finish) -> None:
    stream = encoded([*items, finish])
    assert encoded(decoded([stream])) == stream


@given(items=st.lists(pieces, max_size=5), finish=st.none() | finishes)
def test_the_fold_says_what_the_stream_said(items: list[Item], finish: Finish | None) -> None:
    written = [*map(as_read, items), *([] if finish is None else [finish])]
    body = json.loads(folded(written).body)
    said = [from_fold(each) for each in body["items"]]
    assert joined(said) == joined(decoded([encoded(items)]))
    assert msgspec.convert(body["finish"] | {"type": "finish"}, Finish) == (finish or Finish())


def from_fold(fields: dict[str, Any]) -> Any:
    return msgspec.convert(fields, AnyItem)


def joined(items: Iterable[AnItem]) -> list[AnItem]:
    """Items with neighbouring texts made one, for a fold makes one of them."""
    found: list[AnItem] = []
    for item in items:
        if isinstance(item, Text) and found and isinstance(found[-1], Text):
            found[-1] = Text(found[-1].text + item.text)
        else:
            found.append(item)
    return found


@given(text=texts)
def test_no_text_ends_a_stream_or_becomes_another_item(text: str) -> None:
    for item in (
        Text(text),
        Log(text),
        Thinking(text),
        Data(text),
        Data({"type": text}),
        ToolCall(text, text),
    ):
        (read,) = decoded([encoded([item])])
        assert type(read) is type(item)


@given(name=st.none() | texts | st.sampled_from(OWN_NAMES), value=json_values)
def test_no_name_of_data_ends_a_stream_or_becomes_another_item(name: str | None, value: Any) -> None:
    assert decoded([encoded([Data(value, name)])]) == [Data(value, name)]


@pytest.mark.parametrize(
    ("item", "wire"),
    [
        pytest.param(Text("two\nlines"), b"data: two\ndata: lines\n\n", id="text"),
        pytest.param(Log("x"), b"event: log\ndata: x\n\n", id="log"),
        pytest.param(Thinking("x"), b"event: thinking\ndata: x\n\n", id="thinking"),
        pytest.param(Data({"x": 1}), b'event: data\ndata: {"x":1}\n\n', id="data"),
        pytest.param(Data([1], name="points"), b"event: points\ndata: [1]\n\n", id="named-data"),
        pytest.param(
            Data(1, name="finish"),
            b'event: named_data\ndata: {"value":1,"name":"finish"}\n\n',
            id="data-of-an-owned-name",
        ),
        pytest.param(
            Data(1, name="a\nb"),
            b'event: named_data\ndata: {"value":1,"name":"a\\nb"}\n\n',
            id="data-of-two-lines",
        ),
        pytest.param(
            ToolCall("c1", "read", {"n": 1}),
            b'event: tool_call\ndata: {"id":"c1","name":"read","arguments":{"n":1}}\n\n',
            id="an-object",
        ),
        pytest.param(Data(float("nan")), b"event: data\ndata: null\n\n", id="not-a-number"),
        pytest.param(
            ServerSentEvent("x", event="tick", id="7", retry=5),
            b"id: 7\nevent: tick\ndata: x\nretry: 5\n\n",
            id="an-event",
        ),
        pytest.param(
            ServerSentEvent("x", event="log"), b"event: log\ndata: x\n\n", id="an-event-named-as-ours"
        ),
    ],
)
def test_an_item_is_one_event(item: AnItem, wire: bytes) -> None:
    assert encoded([item]) == wire


def test_a_finish_is_written_at_the_end() -> None:
    encoder = Plain().open(StreamContext())
    assert list(encoder.start()) == []
    assert list(encoder.encode(Finish(False, 3, {"n": 1}))) == []
    assert list(encoder.finish()) == [
        ServerSentEvent('{"ok":false,"exit_code":3,"result":{"n":1}}', event="finish")
    ]
    assert list(Plain().open(StreamContext()).finish()) == []


@pytest.mark.parametrize("name", ["finish", "error"])
def test_an_event_that_would_end_the_stream_is_refused(name: str) -> None:
    forged = ServerSentEvent("{}", event=name)
    for take in (Plain().open(StreamContext()).encode, Plain().fold(StreamContext()).add):
        with pytest.raises(InvalidItem, match=f"the event type '{name}' belongs to the plain dialect"):
            take(forged)


class Point(Item, frozen=True, tag="point"):
    x: int


class Shout(Text, frozen=True, tag="shout"):
    volume: int = 11


class NamedStart(Start, frozen=True, tag="named_start"):
    title: str = "?"


def test_a_subclass_of_an_item_is_that_item() -> None:
    assert encoded([Shout("HEY"), NamedStart("7")]) == (
        b'data: HEY\n\nevent: start\ndata: {"id":"7","name":null,"meta":{}}\n\n'
    )
    assert json.loads(folded([Shout("HEY"), NamedStart("7")]).body)["items"] == [
        {"type": "text", "text": "HEY"},
        {"type": "start", "id": "7", "name": None, "meta": {}},
    ]


def test_what_it_cannot_express_is_refused() -> None:
    encoder, fold = Plain().open(StreamContext()), Plain().fold(StreamContext())
    with pytest.raises(InvalidItem, match="no event for Point: no plugin encodes this type"):
        encoder.encode(Point(1))
    with pytest.raises(InvalidItem, match="no event for Point: no plugin encodes this type"):
        fold.add(Point(1))
    with pytest.raises(InvalidItem, match="no event for File: a file cannot be streamed"):
        encoder.encode(File(b"x"))
    with pytest.raises(InvalidItem):
        encoder.encode(Data(object()))


@pytest.mark.parametrize(
    ("event", "item"),
    [
        pytest.param(ServerSentEvent("x"), Text("x"), id="an-unnamed-event"),
        pytest.param(ServerSentEvent("", event="log"), Log(""), id="an-empty-one"),
        pytest.param(ServerSentEvent('{"a":[1]}', event="tick"), Data({"a": [1]}, "tick"), id="json"),
        pytest.param(
            ServerSentEvent(r'{"a":"\ud800"}', event="tick"), Data({"a": "\ud800"}, "tick"), id="surrogates"
        ),
        pytest.param(ServerSentEvent("1", event="data"), Data(1), id="data-without-a-name"),
        pytest.param(
            ServerSentEvent("boom", event="error"), Failure("boom"), id="an-error-of-another-server"
        ),
        pytest.param(ServerSentEvent("{}", event="finish"), Finish(), id="a-finish-that-says-nothing"),
        pytest.param(ServerSentEvent('{"new":1}', event="usage"), Usage(), id="fields-of-the-future"),
        pytest.param(
            ServerSentEvent('{"id":1}', event="start"), Data({"id": 1}, "start"), id="ours-with-another-shape"
        ),
    ],
)
def test_any_event_can_be_read(event: ServerSentEvent, item: AnItem) -> None:
    assert list(Plain().decoder().decode(event)) == [item]


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(ServerSentEvent("not json", event="tick"), id="text-of-another-server"),
        pytest.param(ServerSentEvent("not json", event="start"), id="text-by-a-name-of-ours"),
        pytest.param(ServerSentEvent("not json", event="finish"), id="an-end-that-is-none"),
        pytest.param(ServerSentEvent("[" * 100_000, event="tick"), id="very-deep"),
        pytest.param(ServerSentEvent("1e999", event="tick"), id="a-number-out-of-range"),
    ],
)
def test_what_is_not_ours_stays_what_it_is(event: ServerSentEvent) -> None:
    (item,) = Plain().decoder().decode(event)
    assert item is event


@given(event_type=event_types() | st.sampled_from(OWN_NAMES[:-1]), data=hostile_text(surrogates=False))
def test_no_event_is_too_much_for_the_decoder(event_type: str, data: str) -> None:
    (item,) = Plain().decoder().decode(ServerSentEvent(data, event=event_type))
    assert isinstance(item, Item | ServerSentEvent)


def test_a_file_is_the_answer_whatever_else_there_is() -> None:
    answer = folded([Text("x"), File(b"\x89PNG", "a.png", "image/png"), Finish()])
    assert answer.body == b"\x89PNG"
    assert dict(answer.headers)["content-type"] == "image/png"


def test_a_fold_tells_its_size_as_it_grows() -> None:
    fold = Plain().fold(StreamContext())
    sizes = [fold.size]
    for item in (Text("abc"), Log("abc"), ServerSentEvent("abc"), File(b"abcd"), Finish()):
        fold.add(item)
        sizes.append(fold.size)
    assert sizes[:2] == [0, 3]
    assert sizes[2] > 6
    assert sizes[3] > sizes[2] + 3
    assert sizes[4:] == [sizes[3] + 4] * 2


@pytest.mark.parametrize(
    ("finish", "status"),
    [
        pytest.param(Finish(), 200, id="well"),
        pytest.param(Finish(ok=False), 500, id="badly"),
        pytest.param(Finish(ok=False, result={"status": 504}), 504, id="badly-with-a-status"),
    ],
)
def test_the_status_of_a_fold_is_that_of_its_end(finish: Finish, status: int) -> None:
    answer = folded([finish])
    assert answer.status == status
    assert answer.headers == (("content-type", "application/json; charset=utf-8"),)


@pytest.mark.parametrize(
    ("failure", "written"),
    [
        pytest.param(Failure("no"), {"status": 500}, id="nobody-knows"),
        pytest.param(Failure("no", retry_after=0), {"status": 500, "retry_after": 0}, id="at-once"),
    ],
)
def test_when_to_come_back_is_said_where_it_is_known(failure: Failure, written: dict[str, Any]) -> None:
    payload = json.loads(encoded([], failure).split(b"data: ")[1])
    assert payload == {"message": "no", "code": "internal_error", **written}


def test_a_failure_is_an_answer_with_nothing_partial() -> None:
    fold = Plain().fold(StreamContext())
    fold.add(Text("half of it"))
    answer = fold.fail(Failure("no such skill", "not_found", 404))
    assert answer.status == 404
    assert json.loads(answer.body) == {"error": {"message": "no such skill", "code": "not_found"}}


def test_its_name_and_default_may_be_changed() -> None:
    quiet = Plain(name="quiet", default="buffered")
    assert (quiet.name, quiet.default, repr(quiet)) == (
        "quiet",
        "buffered",
        "Plain(name='quiet', default='buffered')",
    )
    assert encoded(Plain().example) == (
        b'data: Hello\n\nevent: progress\ndata: {"done":0.5}\n\n'
        b'event: finish\ndata: {"ok":true,"exit_code":0,"result":null}\n\n'
    )
