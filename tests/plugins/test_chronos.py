"""Chronos, byte for byte as Go writes it, both ways; the vectors are written here afresh."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sseware import ServerSentEvent
from sseware.dialects import AnItem, StreamContext
from sseware.errors import InvalidDialectEvent, InvalidItem
from sseware.items import (
    Data,
    Failure,
    File,
    Finish,
    Log,
    Start,
    Step,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Usage,
)
from sseware.plugins.chronos import Chronos
from tests.plugins.speaking import body_of, items_of, stream_of

NOON = 1_736_164_800_250_000_000
AT = '"timestamp":"2025-01-06T12:00:00.25Z"'


def dialect(**options: Any) -> Chronos:
    return Chronos(**{"now": lambda: NOON, **options})


def stream(items: Iterable[AnItem], *, speaks: Chronos | None = None, fail: Failure | None = None) -> str:
    return stream_of(speaks or dialect(), items, fail=fail).decode()


def fold(items: Iterable[AnItem]) -> tuple[int, Any]:
    return body_of(dialect(), items)


def read(wire: str) -> list[AnItem]:
    return items_of("chronos", wire.encode())


RUN = [
    Step("node_start", "extract", {"source": "csv"}),
    Step("node_end", "extract", {"n": 500, "loaded": True}),
    Step("edge_transition", "load"),
]


def emitted(kind: str, rest: str = "") -> str:
    """A stream event in its frame, on the wire."""
    return f'data: {{"type":"{kind}","data":{{"type":"{kind}",{rest}{AT}}}}}\n\n'


def test_a_run_is_unnamed_frames_around_stream_events() -> None:
    assert stream(RUN) == (
        emitted("node_start", '"node_id":"extract","state":{"source":"csv"},')
        + emitted("node_end", '"node_id":"extract","state":{"loaded":true,"n":500},')
        + emitted("edge_transition", '"node_id":"load",')
        + emitted("completed", '"state":{"loaded":true,"n":500},')
    )


def test_named_events_are_what_go_writes() -> None:
    wire = stream([Data({"node": "extract", "status": "done"}, "node_end")], speaks=dialect(named=True))
    assert wire.startswith(
        'event: node_end\ndata: {"type":"node_end","data":{"node":"extract","status":"done"}}\n\nevent: completed\n'
    )


@pytest.mark.parametrize(
    ("items", "last"),
    [
        pytest.param([Step("interrupt", "ask")], f'"node_id":"ask",{AT}', id="interrupt"),
        pytest.param([Step("error", "a", error="no")], f'"node_id":"a","error":"no",{AT}', id="error"),
        pytest.param([Step("completed", state={"a": 1})], f'"state":{{"a":1}},{AT}', id="completed"),
        pytest.param([Data({"sum": 1}, "completed")], '"data":{"sum":1}', id="a-publisher's-own"),
    ],
)
def test_a_stream_ends_after_a_step_that_ends_it(items: list[AnItem], last: str) -> None:
    wire = stream([*items, Text("late"), Step("node_start", "b"), Finish()])
    assert wire.count("data: ") == 1
    assert last in wire
    assert wire == stream(items, fail=Failure("late"))


def test_an_error_names_the_node_that_runs_and_bears_no_state() -> None:
    wire = stream([Step("node_start", "boom", {"a": 1})], fail=Failure("no such file"))
    assert wire.endswith(
        f'data: {{"type":"error","data":{{"type":"error","node_id":"boom","error":"no such file",{AT}}}}}\n\n'
    )


@pytest.mark.parametrize(
    ("finish", "message"),
    [
        (Finish(False, 3), "the run exited with code 3"),
        (Finish(False, None), "the run failed"),
        (Finish(False, None, {"error": "timed out", "status": 504}), "timed out"),
    ],
)
def test_a_bad_end_is_an_error(finish: Finish, message: str) -> None:
    assert read(stream([Text("x"), finish]))[-1] == Failure(message)
    assert fold([finish])[1] == {"error": message}


def test_what_is_no_step_is_custom_or_bears_its_name() -> None:
    items = [
        Text("a"),
        Log("b"),
        Thinking("c"),
        ToolCall("t1", "ls", {"path": "/"}),
        ToolResult("t1", "ok"),
        Data([1], None),
        Data({"pct": 50}, "progress"),
        Data({"custom_type": "x", "payload": 1}, "custom"),
    ]
    wire = stream(items)
    assert 'data: {"type":"custom","data":{"custom_type":"token","payload":"a"}}\n\n' in wire
    assert 'data: {"type":"tool_call","data":{"arguments":{"path":"/"},"id":"t1","name":"ls"}}\n\n' in wire
    assert read(wire) == [*items, Finish(result=None)]


def test_go_escapes_what_html_could_take_for_its_own() -> None:
    assert r'"\u003cb\u003e\u0026\u2028é"' in stream([Text("<b>&\u2028é")])


def test_the_state_is_written_as_it_was_when_it_was_emitted() -> None:
    state = {"n": 1}
    encoder = dialect().open(StreamContext())
    first = [*encoder.encode(Step("node_start", "a", state))]
    state["n"] = 2
    assert '"n":1' in first[0].data


@pytest.mark.parametrize("kind", ["", "two\nlines", "two\rlines"])
def test_a_type_is_one_line(kind: str) -> None:
    with pytest.raises(InvalidItem, match="one non-empty line"):
        stream([Data(1, kind)])
    with pytest.raises(InvalidItem, match="one non-empty line"):
        stream([Step(kind)])


@pytest.mark.parametrize("item", [Start("a"), Usage(1)])
def test_what_has_no_place_is_left_out_unless_strict(item: AnItem) -> None:
    assert stream([item]) == stream([])
    with pytest.raises(InvalidItem, match="strict"):
        stream([item], speaks=dialect(strict=True))


def test_a_file_is_a_buffered_answer_and_no_event() -> None:
    folded = dialect().fold(StreamContext())
    folded.add(File(b"png"))
    assert (folded.finish().body, folded.size) == (b"png", 3)
    with pytest.raises(InvalidItem, match="a file cannot be streamed"):
        stream([File(b"")])


def test_an_event_of_ones_own_passes_unless_it_could_pass_for_a_frame() -> None:
    """D2."""
    own = ServerSentEvent('{"type":"x"}', event="note")
    assert stream([own]).startswith('event: note\ndata: {"type":"x"}\n\n')
    assert read(stream([own]))[0] == own
    for name in ("message", "completed", "error", "interrupt"):
        with pytest.raises(InvalidItem, match="belongs to the chronos dialect"):
            stream([ServerSentEvent('{"type":"completed","data":{}}', event=name)])


def test_the_body_has_the_frames_of_the_stream() -> None:
    status, body = fold(RUN)
    assert status == 200
    assert body["events"] == [json.loads(line[6:]) for line in stream(RUN).splitlines() if line]


@pytest.mark.parametrize("data", ["", "[]", "{}", '{"type":1}'])
def test_what_is_no_frame_is_refused(data: str) -> None:
    with pytest.raises(InvalidDialectEvent, match="chronos"):
        read(f"data: {data}\n\n")
    with pytest.raises(InvalidDialectEvent, match="chronos"):
        read(f"event: completed\ndata: {data}\n\n")


@pytest.mark.parametrize(
    ("frame", "item"),
    [
        pytest.param({"type": "nil", "data": None}, Data(None, "nil"), id="null"),
        pytest.param(
            {"type": "node_end", "data": {"node": "a"}}, Data({"node": "a"}, "node_end"), id="own-shape"
        ),
        pytest.param({"type": "tool_call", "data": 3}, Data(3, "tool_call"), id="no-tool-call"),
        pytest.param(
            {"type": "tool_result", "data": {"id": 1}}, Data({"id": 1}, "tool_result"), id="no-result"
        ),
        pytest.param({"type": "custom", "data": 3}, Data(3, "custom"), id="custom"),
        pytest.param(
            {"type": "custom", "data": {"custom_type": {}, "payload": "x"}},
            Data({"custom_type": {}, "payload": "x"}, "custom"),
            id="a-custom-type-that-is-no-name",
        ),
        pytest.param({"type": "error", "data": "no"}, Failure("no"), id="error-text"),
        pytest.param({"type": "error", "data": {"m": 1}}, Failure('{"m":1}'), id="error-object"),
        pytest.param({"type": "completed", "data": [1]}, Finish(result=[1]), id="completed"),
    ],
)
def test_a_publishers_own_data_are_kept(frame: dict[str, Any], item: AnItem) -> None:
    assert read(f"data: {json.dumps(frame)}\n\n") == [item]


STATES = st.dictionaries(st.text(min_size=1), st.integers() | st.text() | st.booleans(), max_size=3)
STEPS = st.builds(
    Step, st.sampled_from(["node_start", "node_end"]), st.text(min_size=1), STATES.map(lambda s: s or None)
)


@given(st.lists(STEPS | st.builds(Text, st.text(min_size=1)), max_size=8))
def test_what_is_written_is_read_and_written_again(items: list[AnItem]) -> None:
    # To the byte, which a law cannot ask of every dialect.
    wire = stream(items)
    got = read(wire)
    assert got[:-1] == items
    assert stream(got) == wire


def masked(text: str) -> str:
    return re.sub(r'"timestamp":"[^"]*"', AT, text)


@pytest.mark.parametrize("name", ["graph_run", "graph_error", "graph_interrupt", "broker_seed_publish"])
def test_the_reference_streams_are_reproduced(shared: Path, name: str) -> None:
    items: dict[str, list[AnItem]] = {
        "graph_run": [
            Step("node_start", "extract", {"source": "csv"}),
            Data({"custom_type": "progress", "payload": {"pct": 50}}, "custom"),
            Step("node_end", "extract", {"source": "csv", "loaded": True, "n": 500}),
            Step("edge_transition", "load"),
            Step("node_start", "load", {"source": "csv", "loaded": True, "n": 500}),
            Step("node_end", "load", {"source": "csv", "loaded": True, "n": 500}),
        ],
        "graph_error": [Step("node_start", "boom"), Step("error", "boom", error="no such file")],
        "graph_interrupt": [
            Step("node_start", "a"),
            Step("node_end", "a"),
            Step("edge_transition", "approve"),
            Step("interrupt", "approve"),
        ],
        "broker_seed_publish": [Data({"node": "extract", "status": "done"}, "node_end")],
    }
    got = stream(items[name], speaks=dialect(named=True))
    want = masked((shared / f"golden/chronos/{name}.txt").read_text())
    # The broker's own stream never ends; ours does.
    assert (
        got.removesuffix(stream([], speaks=dialect(named=True)) if name.startswith("broker") else "") == want
    )


def test_the_reference_oddities_of_the_broker_are_reproduced_where_they_are_sound(shared: Path) -> None:
    wanted = (shared / "golden/chronos/broker_misc.txt").read_text().split("\n\n")
    payload = {"a": '<b>&\u2028é😀\n"q"', "z": 1}
    items = [
        Data("ok", "heartbeat"),
        Data(None, "nil"),
        Data({"custom_type": "progress", "payload": payload}, "custom"),
        Data([1, 1e21, 0.1, True, None], "float"),
    ]
    # Left out: a payload that Go cannot marshal (it sends an empty event), a type of two lines, an empty type.
    assert stream(items, speaks=dialect(named=True)).split("\n\n")[:4] == wanted[:4]


def test_its_events_have_a_schema_and_an_example() -> None:
    assert "contentSchema" in str(Chronos().schema())
    assert stream(dialect().example).count("data: ") == 4
