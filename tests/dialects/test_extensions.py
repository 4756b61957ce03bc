"""New types of items for dialects that know nothing of them: through the dialect, streamed as folded."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import anyio
import pytest

from sseware import Dialect, ServerSentEvent, SSEMiddleware
from sseware.dialects import ChunkEncoder, ItemEncoders, Plain, Registry, StreamContext, hookimpl
from sseware.errors import InvalidItem, PluginError
from sseware.items import Data, Failure, File, Finish, Item, Text


class Point(Item, frozen=True, tag="point"):
    x: int


class Adds:
    """A plugin that adds what it is told to add, and counts how often it is asked."""

    def __init__(self, added: Any) -> None:
        self.added = added
        self.asked: list[str] = []

    @hookimpl
    def sseware_item_encoders(self, dialect: Dialect) -> Any:
        self.asked.append(dialect.name)
        if isinstance(self.added, Exception):
            raise self.added
        return self.added


def registry_of(*plugins: object) -> Registry:
    return Registry({f"p{number}": plugin for number, plugin in enumerate(plugins)}, installed=False)


def added_by(added: Any) -> ItemEncoders:
    return registry_of(Adds(added)).item_encoders(Plain())


def test_a_type_is_mapped_to_what_makes_items_of_it() -> None:
    encoders = added_by({Point: lambda point: [Text(f"({point.x})"), ServerSentEvent("!", event="mark")]})
    assert list(encoders) == [Point]
    assert encoders[Point](Point(7)) == (Text("(7)"), ServerSentEvent("!", event="mark"))


def test_what_is_short_for_an_item_is_spelled_out() -> None:
    assert added_by({Point: lambda point: ("a", {"x": point.x})})[Point](Point(7)) == (
        Text("a"),
        Data({"x": 7}),
    )


def test_a_generator_will_do_and_so_will_nothing() -> None:
    def pieces(point: Point) -> Any:
        yield from map(str, range(point.x))

    assert added_by({Point: pieces})[Point](Point(2)) == (Text("0"), Text("1"))
    assert added_by({Point: lambda point: []})[Point](Point(2)) == ()


def test_a_plugin_may_add_to_one_dialect_only() -> None:
    class Picky:
        @hookimpl
        def sseware_item_encoders(self, dialect: Dialect) -> Mapping[type, Any] | None:
            return {Point: lambda point: ["."]} if dialect.name == "plain" else None

    registry = registry_of(Picky())
    assert list(registry.item_encoders(Plain())) == [Point]
    assert registry.item_encoders(Plain(name="other")) == {}
    assert registry.problems == ()


def test_the_first_of_two_that_add_one_type_has_it() -> None:
    first, second = (
        Adds({Point: lambda point: ["first"]}),
        Adds({Point: lambda point: ["second"], complex: list}),
    )
    encoders = registry_of(first, second).item_encoders(Plain())
    assert encoders[Point](Point(1)) == (Text("first"),)
    assert set(encoders) == {Point, complex}


def test_a_plugin_is_asked_once_for_each_dialect() -> None:
    plugin = Adds({})
    registry = registry_of(plugin)
    one, other = Plain(), Plain(name="other")
    for dialect in (one, one, other, one, other):
        registry.item_encoders(dialect)
    assert plugin.asked == ["plain", "other"]


@pytest.mark.parametrize(
    ("added", "told"),
    [
        pytest.param(LookupError("no"), "LookupError('no')", id="an-exception"),
        pytest.param([Point], "want types mapped to functions, got [<class", id="a-list"),
        pytest.param({"Point": len}, "want types mapped to functions, got 'Point'", id="a-name"),
        pytest.param({Point: "text"}, "want types mapped to functions, got <class", id="no-function"),
        pytest.param(
            {Text: len}, "Text has its meaning already; add a type of your own", id="an-item-of-ours"
        ),
        pytest.param({ServerSentEvent: len}, "ServerSentEvent has its meaning already", id="the-event"),
        pytest.param({str: len}, "str has its meaning already", id="what-is-short-for-text"),
        pytest.param({dict: len}, "dict has its meaning already", id="what-is-short-for-data"),
    ],
)
def test_a_plugin_that_adds_nonsense_adds_nothing_and_is_named(
    added: Any, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    """T1."""
    registry = registry_of(Adds(added), Adds({Point: lambda point: ["fine"]}))
    with caplog.at_level(logging.ERROR, "sseware"):
        encoders = [registry.item_encoders(Plain(name=name)) for name in ("one", "two")]
    assert [each[Point](Point(1)) for each in encoders] == [(Text("fine"),)] * 2
    (problem,) = registry.problems
    assert isinstance(problem, PluginError)
    assert str(problem).startswith("plugin given to Registry:p0: sseware_item_encoders: ")
    assert told in str(problem)
    assert caplog.messages == [f"{problem}; it adds nothing to the {name} dialect" for name in ("one", "two")]


@pytest.mark.parametrize(
    ("function", "told"),
    [
        pytest.param(lambda point: 1 / 0, "what encodes Point raised ZeroDivisionError(", id="an-exception"),
        pytest.param(lambda point: "text", "what encodes Point must return a list, got 'text'", id="a-text"),
        pytest.param(lambda point: {}, "what encodes Point must return a list, got {}", id="a-mapping"),
        pytest.param(lambda point: None, "what encodes Point must return a list, got None", id="nothing"),
        pytest.param(lambda point: [Finish()], "must not return a Finish", id="an-end"),
        pytest.param(lambda point: [Failure("no")], "must not return a Failure", id="a-failure"),
        pytest.param(lambda point: [File(b"")], "must not return a File", id="a-file"),
    ],
)
def test_a_function_that_misbehaves_is_told_with_its_plugin(function: Any, told: str) -> None:
    with pytest.raises(PluginError) as caught:
        added_by({Point: function})[Point](Point(1))
    assert caught.value.plugin == "given to Registry:p0"
    assert told in str(caught.value)


def test_an_item_that_is_refused_is_an_invalid_item() -> None:
    with pytest.raises(InvalidItem, match="a handler yielded <object"):
        added_by({Point: lambda point: [object()]})[Point](Point(1))


def test_what_is_added_passes_through_the_dialect() -> None:
    encoders = added_by({Point: lambda point: [ServerSentEvent("{}", event="finish")]})
    chunks = ChunkEncoder(Plain().open(StreamContext()), encoders)
    with pytest.raises(InvalidItem, match="'finish' belongs to the plain dialect"):
        chunks.encode_extra(Point(1))


async def points() -> AsyncIterator[object]:
    yield "here: "
    yield Point(3)
    yield 2 + 1j


async def answered(app: Any, accept: bytes) -> tuple[int, str]:
    """The status and the body of the answer to one request."""
    status, body = [], bytearray()
    requests = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Any:
        return requests.pop() if requests else await anyio.sleep_forever()

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            status.append(message["status"])
        body.extend(message.get("body", b""))

    await app({"type": "http", "method": "GET", "path": "/", "headers": [(b"accept", accept)]}, receive, send)
    return status[0], body.decode()


POINTS = Adds(
    {
        Point: lambda point: [ServerSentEvent(f"{point.x}", event="point"), f"x={point.x}"],
        complex: lambda number: [f" {number.real:g}/{number.imag:g}"],
    }
)


@pytest.mark.anyio
async def test_a_stream_has_what_a_plugin_adds() -> None:
    app = SSEMiddleware(points, registry=registry_of(POINTS))
    assert await answered(app, b"text/event-stream") == (
        200,
        "data: here: \n\nevent: point\ndata: 3\n\ndata: x=3\n\ndata:  2/1\n\n",
    )


@pytest.mark.anyio
async def test_a_buffered_answer_has_what_a_plugin_adds() -> None:
    app = SSEMiddleware(points, registry=registry_of(POINTS))
    status, body = await answered(app, b"application/json")
    assert status == 200
    assert json.loads(body)["items"] == [
        {"type": "text", "text": "here: "},
        {"type": "event", "event": "point", "data": "3"},
        {"type": "text", "text": "x=3 2/1"},
    ]


@pytest.mark.anyio
@pytest.mark.parametrize(
    "function",
    [
        pytest.param(lambda point: 1 / 0, id="raises"),
        pytest.param(lambda point: "x", id="returns-nonsense"),
        pytest.param(lambda point: [ServerSentEvent("{}", event="error")], id="forges-an-end"),
    ],
)
async def test_a_stream_ends_with_a_failure_where_a_plugin(
    function: Callable[[Point], Any], caplog: pytest.LogCaptureFixture
) -> None:
    """T1: that stream only."""
    app = SSEMiddleware(points, registry=registry_of(Adds({Point: function})))
    with caplog.at_level(logging.ERROR, "sseware"):
        status, body = await answered(app, b"text/event-stream")
    assert status == 200
    opening, failure = body.split("event: error\n")
    assert opening == "data: here: \n\n"
    assert "internal error" in failure
    assert caplog.records


@pytest.mark.anyio
async def test_without_the_plugin_the_item_is_refused_by_name(caplog: pytest.LogCaptureFixture) -> None:
    app = SSEMiddleware(points, registry=registry_of())
    with caplog.at_level(logging.ERROR, "sseware"):
        _, body = await answered(app, b"text/event-stream")
    assert "event: error\n" in body
    assert "the plain dialect has no event for Point: no plugin encodes this type" in caplog.text
