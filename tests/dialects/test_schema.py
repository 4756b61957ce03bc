"""JSON Schema of the events of a dialect: valid in itself, and true of what the dialect writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest

from sseware import EventStreamParser, ServerSentEvent
from sseware.dialects import EventShape, Plain, Registry, StreamContext, events_schema
from sseware.dialects._losses import SAMPLES
from sseware.items import Data, Failure, Finish
from sseware.plugins.ash import Ash
from sseware.plugins.chronos import Chronos
from sseware.plugins.hector import Hector
from sseware.plugins.husk import Husk
from sseware.plugins.machpay import MachPay

jsonschema = pytest.importorskip("jsonschema")

BUILT_IN = Registry(installed=False)
WITH_SCHEMA = [name for name in BUILT_IN.names() if hasattr(BUILT_IN.get(name), "schema")]


class Tick(msgspec.Struct):
    """The clock ticks."""

    n: int
    kind: Literal["tick", "tock"] = "tick"


SHAPES = [
    EventShape("tick", json=Tick, description="One second has passed."),
    EventShape("alarm"),
    EventShape(json=list[Tick]),
    EventShape(text="[DONE]", description="Nothing follows."),
]


def test_an_event_is_described_as_it_is_on_the_wire() -> None:
    schema = events_schema("clock", SHAPES)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"] == "events of the clock dialect"
    tick, alarm, unnamed, done = schema["anyOf"]
    assert tick == {
        "description": "One second has passed.",
        "type": "object",
        "properties": {
            "event": {"const": "tick"},
            "data": {
                "type": "string",
                "contentMediaType": "application/json",
                "contentSchema": {"$ref": "#/$defs/Tick"},
            },
        },
        "required": ["event", "data"],
    }
    assert alarm["properties"]["data"] == {"type": "string"}
    assert unnamed["required"] == ["data"]
    assert done["properties"] == {
        "event": {"const": "message"},
        "data": {"type": "string", "const": "[DONE]"},
    }
    assert schema["$defs"]["Tick"]["description"] == "The clock ticks."


def test_an_event_of_any_type_can_be_described(assert_events_fit: Any) -> None:
    schema = events_schema("clock", [EventShape(None, json=Tick)])
    assert schema["anyOf"][0]["properties"]["event"] == {"type": "string"}
    assert schema["anyOf"][0]["required"] == ["data"]
    assert_events_fit([ServerSentEvent('{"n":1}', event=name) for name in ("tick", "message")], schema)


def test_a_schema_without_types_has_no_definitions() -> None:
    assert "$defs" not in events_schema("clock", [EventShape("alarm"), EventShape("tick", json=int)])


def test_a_type_that_has_no_schema_is_refused() -> None:
    with pytest.raises(TypeError):
        events_schema("clock", [EventShape("tick", json=Plain.decoder)])


@pytest.mark.parametrize(
    ("event", "fits"),
    [
        pytest.param(ServerSentEvent('{"n":1}', event="tick"), True, id="a-payload-that-fits"),
        pytest.param(ServerSentEvent('{"n":"1"}', event="tick"), False, id="a-payload-of-another-shape"),
        pytest.param(ServerSentEvent("1", event="tick"), False, id="a-payload-of-another-type"),
        pytest.param(ServerSentEvent("{", event="tick"), False, id="a-payload-that-is-no-json"),
        pytest.param(ServerSentEvent("anything", event="alarm"), True, id="text"),
        pytest.param(ServerSentEvent('[{"n":1},{"n":2}]'), True, id="an-unnamed-event"),
        pytest.param(ServerSentEvent("[DONE]"), True, id="another-unnamed-event"),
        pytest.param(ServerSentEvent("[DONE]\n"), False, id="nearly-that"),
        pytest.param(ServerSentEvent("[DONE]", event="done"), False, id="an-unknown-type"),
    ],
)
def test_an_event_fits_its_schema_or_not(event: ServerSentEvent, fits: bool, assert_events_fit: Any) -> None:
    schema = events_schema("clock", SHAPES)
    if fits:
        assert_events_fit([event], schema)
    else:
        with pytest.raises(jsonschema.ValidationError):
            assert_events_fit([event], schema)


def test_some_dialect_has_a_schema() -> None:
    assert "plain" in WITH_SCHEMA


@pytest.mark.parametrize("name", WITH_SCHEMA)
def test_the_schema_of_a_built_in_dialect_is_one(name: str) -> None:
    dialect: Any = BUILT_IN.get(name)
    schema = dialect.schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert msgspec.json.decode(msgspec.json.encode(schema)) == schema


@pytest.mark.parametrize("name", WITH_SCHEMA)
def test_what_a_built_in_dialect_writes_fits_its_schema(name: str, assert_events_fit: Any) -> None:
    dialect: Any = BUILT_IN.get(name)
    for end in ("finish", "fail"):
        encoder = dialect.open(StreamContext())
        events = [*encoder.start()]
        for item in SAMPLES:
            # The plain dialect gives an event of one's own the name that one chose: it has no schema.
            if not isinstance(item, Finish | Failure) and not (name == "plain" and isinstance(item, Data)):
                events += encoder.encode(item)
        if end == "finish":
            events += encoder.encode(Finish(result={"words": 4}))
        events += encoder.finish() if end == "finish" else encoder.fail(Failure("no"))
        assert events
        assert_events_fit([event for event in events if isinstance(event, ServerSentEvent)], dialect.schema())


GOLDEN: list[tuple[Any, str]] = [
    (Husk(), "husk/stream_*.txt"),
    (Husk(), "seeds/husk_*.wire.txt"),
    (MachPay(), "machpay/*_error_midstream.txt"),
    (MachPay(), "machpay/*_named.txt"),
    (MachPay(chunk_event=None), "machpay/*_onmessage.txt"),
    (Ash(), "ash/error_*.txt"),
    (Ash(include_partial_messages=True), "ash/runner_*.txt"),
    (Ash(granular=True, include_partial_messages=True), "ash/server_granular_*.txt"),
    (Ash(), "seeds/ash_*.wire.txt"),
    (Hector(), "seeds/hector_*.wire.txt"),
    (Hector(), "hector/v1_error_*.txt"),
    (Chronos(named=True), "chronos/graph_*.txt"),
    (Chronos(named=True), "chronos/broker_seed_*.txt"),
]


@pytest.mark.parametrize(("dialect", "pattern"), GOLDEN, ids=[pattern for _, pattern in GOLDEN])
def test_what_the_systems_themselves_wrote_fits(
    dialect: Any, pattern: str, shared: Path, assert_events_fit: Any
) -> None:
    found = 0
    for path in (shared / "golden").glob(pattern):
        stream = path.read_bytes()
        if stream.startswith((b"event:", b"data:")):  # others are buffered answers, or header fields
            events = EventStreamParser().feed(stream)
            assert_events_fit(events, dialect.schema())
            found += len(events)
    assert found
