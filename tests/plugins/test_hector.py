"""Hector, byte for byte, both ways; the vectors are written here afresh."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sseware import ServerSentEvent
from sseware.dialects import AnItem, StreamContext
from sseware.errors import ConfigurationError, InvalidDialectEvent, InvalidItem, TruncatedStream
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
from sseware.plugins.hector import Hector
from tests.plugins.speaking import body_of, items_of, stream_of


def stream(
    items: Iterable[AnItem],
    *,
    speaks: Hector | None = None,
    fail: Failure | None = None,
    context: StreamContext | None = None,
) -> str:
    return stream_of(speaks or Hector(), items, fail=fail, context=context).decode()


def fold(items: Iterable[AnItem], speaks: Hector | None = None) -> tuple[int, Any]:
    return body_of(speaks or Hector(), items)


def read(wire: str, speaks: Hector | None = None) -> list[AnItem]:
    return items_of(speaks or Hector(), wire.encode())


def chunks(wire: str) -> list[str]:
    return [item.text for item in read(wire) if isinstance(item, Text)]


def test_an_answer_is_chunks_and_done_with_a_blank_line_after_each() -> None:
    assert stream([Text("Quantum"), Text(" computing")]) == (
        'data: {"chunk": "Quantum"}\n\ndata: {"chunk": " computing"}\n\ndata: [DONE]\n\n'
    )


def test_nothing_at_all_is_done() -> None:
    assert stream([Text("")]) == "data: [DONE]\n\n"


def test_a_failure_is_an_error_and_not_done() -> None:
    assert stream([Text("a")], fail=Failure("no <b>")) == (
        'data: {"chunk": "a"}\n\nevent: error\ndata: {"error":{"message":"no \\u003cb\\u003e"}}\n\n'
    )


@pytest.mark.parametrize(
    ("finish", "message"),
    [
        (Finish(False, 3), "the agent exited with code 3"),
        (Finish(False, None), "the agent failed"),
        (Finish(False, None, {"error": "timed out", "status": 504}), "timed out"),
    ],
)
def test_a_bad_end_is_an_error(finish: Finish, message: str) -> None:
    assert read(stream([Text("x"), finish]))[-1] == Failure(message)
    status, body = fold([Text("x"), finish])
    assert (status >= 500, body) == (True, {"error": {"message": message}})


def test_a_text_that_says_done_ends_nothing() -> None:
    """D2."""
    wire = stream([Text("[DONE]"), Text("\n\ndata: [DONE]\n\n")])
    assert chunks(wire) == ["[DONE]", "\n\ndata: [DONE]\n\n"]


@pytest.mark.parametrize("name", ["message", "error"])
def test_an_event_of_ones_own_may_not_pass_for_one_of_theirs(name: str) -> None:
    """D2."""
    with pytest.raises(InvalidItem, match="belongs to the hector dialect"):
        stream([ServerSentEvent("[DONE]", event=name)])
    with pytest.raises(InvalidItem, match="belongs to the hector dialect"):
        fold([ServerSentEvent("[DONE]", event=name)])


def test_an_event_of_another_name_passes() -> None:
    own = ServerSentEvent("x", event="note")
    assert read(stream([own])) == [own, Finish()]
    assert fold([own]) == (200, {"response": ""})


def test_a_text_is_cut_into_pieces_of_so_many_code_points() -> None:
    assert chunks(stream([Text("Hello 😀 there"), Text("x")], speaks=Hector(chunk_size=6))) == [
        "Hello ",
        "😀 ther",
        "e",
        "x",
    ]


@given(st.lists(st.text(), max_size=5), st.integers(1, 12))
def test_cutting_loses_nothing_and_keeps_the_size(texts: list[str], size: int) -> None:
    got = chunks(stream(map(Text, texts), speaks=Hector(chunk_size=size)))
    assert "".join(got) == "".join(texts)
    assert all(0 < len(chunk) <= size for chunk in got)


def test_without_streaming_the_whole_text_is_one_chunk() -> None:
    speaks = Hector(enable_streaming=False, chunk_size=2)
    assert (
        stream([Text("Once "), Text("upon")], speaks=speaks)
        == 'data: {"chunk": "Once upon"}\n\ndata: [DONE]\n\n'
    )
    assert stream([], speaks=speaks) == "data: [DONE]\n\n"


def test_thinking_is_shown_where_it_is_asked_for() -> None:
    assert chunks(stream([Thinking("hm")], speaks=Hector(show_thinking=True))) == ["[Thinking: hm]\n"]
    assert chunks(stream([Thinking("hm")])) == []


def test_tools_are_lines_of_the_text() -> None:
    items = [
        ToolCall("t", "write_file", {"name": "hello.py", "text": "print('Hello')", "n": 1}),
        ToolResult("t", "File created successfully."),
        ToolResult("t", "two\n"),
        ToolResult("t", {"a": 1}),
    ]
    lines = [
        """[Tool: write_file("hello.py", "print('Hello')", 1)]\n""",
        "File created successfully.\n",
        "two\n",
        '{"a": 1}\n',
    ]
    assert chunks(stream(items)) == lines
    assert fold(items) == (200, {"response": "".join(lines)})


def test_data_are_a_frame_of_their_own() -> None:
    assert stream([Data({"a": [1, "é"]})]).startswith('data: {"a": [1, "é"]}\n\n')
    assert read(stream([Data({"a": 1}), Data(3), Data({"chunk": 3})]))[:3] == [
        Data({"a": 1}),
        Data(3),
        Data({"chunk": 3}),
    ]
    assert fold([Data({"a": 1})]) == (200, {"response": '{"a": 1}'})


def test_debug_comments_stand_before_the_frames_and_change_no_data() -> None:
    context = StreamContext(query="debug=true", clock=lambda: 0.152)
    wire = stream([Text("Hello")], context=context)
    assert wire == ': chunk=1 bytes=18 t=152ms\n\ndata: {"chunk": "Hello"}\n\ndata: [DONE]\n\n'
    assert stream([Text("Hello")], context=StreamContext(query="debug=1")) == stream([Text("Hello")])


@pytest.mark.parametrize("item", [Start("a"), Log("x"), Step("node_start"), Usage(1), Thinking("x")])
def test_what_has_no_place_is_left_out_unless_strict(item: AnItem) -> None:
    assert stream([item]) == stream([])
    assert fold([item]) == (200, {"response": ""})
    for act in (stream, fold):
        with pytest.raises(InvalidItem, match="strict"):
            act([item], speaks=Hector(strict=True))


def test_a_file_is_a_buffered_answer_and_no_event() -> None:
    folded = Hector().fold(StreamContext())
    folded.add(File(b"png"))
    assert (folded.finish().body, folded.size) == (b"png", 3)
    with pytest.raises(InvalidItem, match="a file cannot be streamed"):
        stream([File(b"")])


def test_an_error_before_the_stream_has_its_status_and_the_same_json() -> None:
    answer = Hector().fold(StreamContext()).fail(Failure("no agent", "not_found", 404))
    assert (answer.status, answer.body) == (404, b'{"error":{"message":"no agent"}}')


@given(st.lists(st.text(min_size=1), max_size=6))
def test_what_is_written_is_read_and_the_body_says_the_same(texts: list[str]) -> None:
    # To the byte, and in its place of the body, which a law cannot ask of every dialect.
    items = [*map(Text, texts)]
    wire = stream(items)
    assert read(wire) == [*items, Finish()]
    assert stream(read(wire)) == wire
    assert fold(items)[1]["response"] == "".join(texts)


@pytest.mark.parametrize("wire", ["", 'data: {"chunk": "a"}\n\n', "data: [DONE]"])
def test_a_stream_without_done_is_truncated(wire: str) -> None:
    with pytest.raises(TruncatedStream, match="DONE"):
        read(wire)


@pytest.mark.parametrize("event", ["data: {\n\n", "data\n\n", "event: error\ndata: {}\n\n"])
def test_what_has_not_their_shape_is_refused(event: str) -> None:
    with pytest.raises(InvalidDialectEvent, match="hector"):
        read(event)


def test_streams_as_the_documents_print_them_can_be_read_where_it_is_asked_for() -> None:
    """D3."""
    printed = 'data: {"chunk": "a"}\ndata: {"chunk": "b"}\ndata: [DONE]\n\n'
    assert read(printed, Hector(lenient=True)) == [Text("a"), Text("b"), Finish()]
    with pytest.raises(InvalidDialectEvent):
        read(printed)


@pytest.mark.parametrize(
    "options",
    [
        {"chunk_size": 0},
        {"chunk_size": True},
        {"buffer_size": "1"},
        {"delay_ms": -1},
        {"delay_ms": float("nan")},
    ],
)
def test_a_wrong_option_is_refused_when_it_is_given(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        Hector(**options)


def test_the_options_of_the_documents_are_taken() -> None:
    hector = Hector(chunk_size=10, delay_ms=50, buffer_size=1024)
    assert (hector.pause, hector.run_ahead) == (0.05, 1024)


def test_the_reference_streams_are_reproduced(shared: Path) -> None:
    words = ["Quantum", " computing", " uses", " quantum", " mechanics..."]
    assert stream(map(Text, words)) == (shared / "golden/seeds/hector_quantum.wire.txt").read_text()
    for name, message in (
        ("unknown_agent", "Agent 'nope' not found. Available agents: [assistant coder]"),
        ("invalid_body", 'Invalid request body: <é> & "q"'),
    ):
        want = (shared / f"golden/hector/v1_error_{name}.txt").read_text()
        assert stream([], fail=Failure(message)) == want


def test_its_events_have_a_schema_and_an_example() -> None:
    assert len(Hector().schema()["anyOf"]) == 4
    assert stream(Hector().example).endswith("data: [DONE]\n\n")
