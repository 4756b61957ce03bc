"""What holds of our plugins beyond the public laws, which ``tests/dialects/test_dialect_laws.py`` holds them to.

A law knows a dialect by its decoder, allows what any dialect may do, and needs no application. Here the end of a
stream is known by its bytes, texts come through to the letter, and what a handler yields goes through the middleware.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import anyio
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sseware import EventStreamParser, ServerSentEvent, SSEMiddleware
from sseware.dialects import AnItem, ChunkEncoder, Dialect, Plain, StreamContext, decode
from sseware.errors import InvalidItem
from sseware.items import Data, Failure, Finish, Log, Start, Text, Thinking, ToolCall, ToolResult, Usage
from sseware.plugins.ash import Ash
from sseware.plugins.chronos import Chronos
from sseware.plugins.hector import Hector
from sseware.plugins.husk import Husk
from sseware.plugins.machpay import MachPay
from sseware.testing.strategies import hostile_text

NOON = datetime(2025, 1, 6, 12, tzinfo=UTC)
STILL = StreamContext(clock=lambda: 0.0)


def chronos_end(event: ServerSentEvent) -> str | None:
    kind = json.loads(event.data)["type"]
    return {"completed": "well", "error": "badly"}.get(kind)


class Case(msgspec.Struct, frozen=True):
    """A dialect whose clocks stand still, and how its streams are told to have ended."""

    name: str
    dialect: Dialect
    end: Callable[[ServerSentEvent], str | None]


def named(well: str, badly: str) -> Callable[[ServerSentEvent], str | None]:
    return lambda event: {well: "well", badly: "badly"}.get(event.event)


CASES = [
    Case("husk", Husk(), named("done", "error")),
    Case("machpay", MachPay(new_id=lambda kind: f"{kind}_1", now=lambda: NOON), named("end", "error")),
    Case("ash", Ash(session_id="s1", include_partial_messages=True), named("done", "error")),
    Case(
        "hector",
        Hector(),
        lambda event: "badly" if event.event == "error" else "well" if event.data == "[DONE]" else None,
    ),
    Case("chronos", Chronos(now=lambda: 0), chronos_end),
    Case("chronos-named", Chronos(named=True, now=lambda: 0), chronos_end),
]
PLAIN = Case("plain", Plain(), named("finish", "error"))
ALL = pytest.mark.parametrize("case", [*CASES, PLAIN], ids=lambda case: case.name)
TERMINATED = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
PIECES = st.builds(Text, hostile_text())
ITEMS = st.lists(
    PIECES
    | st.builds(Log, hostile_text(max_tokens=3))
    | st.builds(Thinking, hostile_text(max_tokens=3))
    | st.builds(ToolCall, st.text(), st.text(), st.dictionaries(st.text(), VALUES, max_size=2))
    | st.builds(ToolResult, st.text(), st.text(), st.booleans())
    | st.builds(Data, st.dictionaries(st.text(), VALUES, max_size=2))
    | st.builds(Usage, st.integers(0, 9), st.integers(0, 9))
    | st.builds(Start, st.text(min_size=1)),
    max_size=5,
)


def stream(case: Case, items: Iterable[AnItem], fail: Failure | None = None) -> bytes:
    """What the driver writes."""
    chunks = ChunkEncoder(case.dialect.open(STILL))
    written = b"".join([chunks.encode(item) for item in items])
    return written + (chunks.finish() if fail is None else chunks.fail(fail))


def read(case: Case, chunks: Iterable[bytes]) -> list[AnItem]:
    async def main() -> list[AnItem]:
        return [item async for item in decode(chunks, case.dialect)]

    return anyio.run(main)


def ends(case: Case, wire: bytes) -> list[str | None]:
    """How each event ends the stream, if it does."""
    return [case.end(event) for event in EventStreamParser().feed(wire)]


def text_of(items: Iterable[AnItem]) -> str:
    return "".join(item.text for item in items if isinstance(item, Text))


def without_line_ends(text: str) -> str:
    """What the wire keeps of a text whose line ends it does not tell apart."""
    return re.sub(r"[\r\n]", "", text)


@TERMINATED
@settings(max_examples=15)
@given(items=ITEMS)
def test_a_stream_that_went_well_has_one_terminator_and_nothing_after_it(
    case: Case, items: list[AnItem]
) -> None:
    """D1."""
    told = ends(case, stream(case, items))
    assert told.pop() == "well"
    assert set(told) <= {None}


@TERMINATED
@settings(max_examples=15)
@given(items=ITEMS, message=hostile_text())
def test_a_stream_that_failed_says_so_once_and_never_that_it_went_well(
    case: Case, items: list[AnItem], message: str
) -> None:
    """D1."""
    wire = stream(case, items, Failure(message))
    told = [end for end in ends(case, wire) if end is not None]
    # Ash's done says that the turn is over, however it went; its readers have seen the error.
    assert told == (["badly", "well"] if case.name == "ash" else ["badly"])


@ALL
@settings(max_examples=15)
@given(texts=st.lists(hostile_text(surrogates=False), max_size=4))
def test_no_text_is_lost_or_becomes_anything_else(case: Case, texts: list[str]) -> None:
    """D2."""
    # The law lets a dialect make one kind of line end of three.
    got = read(case, [stream(case, map(Text, texts))])
    if case.name in ("plain", "husk"):
        # These write text as it is, each piece as an event.
        assert without_line_ends(text_of(got)) == without_line_ends("".join(texts))
    else:
        assert text_of(got) == "".join(texts)
    assert {type(item) for item in got} <= {Text, Start, Usage, Finish}


@TERMINATED
@pytest.mark.parametrize("name", ["message", "note", "node_start"])
@pytest.mark.parametrize(
    "data", ["", "hello", "[DONE", "{", "[]", "3", '{"n":1}', '{"text":1}', '{"type":1}']
)
def test_an_event_that_is_none_of_the_dialects_own_is_read_as_it_was_yielded(
    case: Case, name: str, data: str
) -> None:
    own = ServerSentEvent(data, event=name)
    encoder = case.dialect.open(STILL)
    encoder.encode(Text("x"))
    try:
        *_, event = encoder.encode(own)
    except InvalidItem:
        return  # the dialect owns the name: there is no such event in its streams
    assert isinstance(event, ServerSentEvent)
    assert list(case.dialect.decoder().decode(event)) == [own]


CYCLE: list[Any] = []
CYCLE.append(CYCLE)
DEEP: Any = 1
for _ in range(1000):
    DEEP = [DEEP]

BAD_PAYLOADS = [
    pytest.param({"a": CYCLE}, id="cycle"),
    pytest.param({"a": DEEP}, id="1000-deep"),
    pytest.param({"a": 10**5000}, id="huge-int"),
    pytest.param({("not", "a", "str"): 1}, id="key-that-is-no-str"),
    pytest.param({"a": object()}, id="object"),
]
GOOD_PAYLOADS = [
    pytest.param({"a": "\ud800"}, id="lone-surrogate"),
    pytest.param({"a": 2**64}, id="int-of-65-bits"),
]


async def answer(case: Case, *items: Any) -> bytes:
    """What a client reads of a handler that yields these, after one text."""

    async def handler() -> AsyncIterator[Any]:
        yield "first"
        for item in items:
            yield item

    body = b""

    async def receive() -> Any:
        await anyio.sleep_forever()

    async def send(message: Any) -> None:
        nonlocal body
        body += message.get("body", b"")
        if message["type"] == "http.response.start":
            assert message["status"] == 200

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "query_string": b"",
        "headers": [(b"accept", b"text/event-stream")],
    }
    await SSEMiddleware(handler, dialect=case.dialect)(scope, receive, send)
    return body


@TERMINATED
@pytest.mark.parametrize("payload", BAD_PAYLOADS)
@pytest.mark.anyio
async def test_a_payload_that_is_no_json_is_an_error_event_and_a_clean_end(
    case: Case, payload: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """E13, D8."""
    wire = await answer(case, payload, "never")
    told = [end for end in ends(case, wire) if end is not None]
    assert told[0] == "badly"
    assert b"never" not in wire
    assert "the handler failed in mid-stream" in caplog.text
    assert caplog.records[0].exc_info is not None
    assert isinstance(caplog.records[0].exc_info[1], InvalidItem)


@TERMINATED
@pytest.mark.parametrize("payload", GOOD_PAYLOADS)
@pytest.mark.anyio
async def test_a_payload_that_json_can_carry_ends_nothing(case: Case, payload: Any) -> None:
    """E8."""
    wire = await answer(case, payload, "after")
    assert b"after" in wire
    assert ends(case, wire)[-1] == "well"


@pytest.mark.anyio
@TERMINATED
async def test_nan_is_null_to_javascript_and_an_error_elsewhere(case: Case) -> None:
    """E13."""
    wire = await answer(case, {"a": float("nan")})
    is_javascript = case.name in ("husk", "machpay", "ash")
    assert (b"null" in wire) == is_javascript
    assert (ends(case, wire)[-1] == "well") == is_javascript


@pytest.mark.parametrize("kind", [Ash, Chronos, Hector, Husk, MachPay])
def test_a_dialect_prints_as_what_was_said_to_make_it(kind: Callable[..., Dialect]) -> None:
    name = type(kind()).__name__
    assert repr(kind()) == f"{name}()"
    assert repr(kind(strict=True)) == f"{name}(strict=True)"
