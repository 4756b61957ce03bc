"""Ash, byte for byte, both ways; the vectors are written here afresh."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sseware import ServerSentEvent
from sseware.dialects import COMPACT, AnItem, StreamContext
from sseware.errors import InvalidDialectEvent, InvalidItem, TruncatedStream
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
from sseware.plugins.ash import Ash, AshEvent, ash_events, async_ash_events
from tests.plugins.speaking import body_of, items_of, stream_of


def dialect(**options: Any) -> Ash:
    return Ash(**{"new_id": lambda: "s1", **options})


def stream(items: Iterable[AnItem], *, speaks: Ash | None = None, fail: Failure | None = None) -> str:
    return stream_of(speaks or dialect(), items, fail=fail).decode()


def fold(items: Iterable[AnItem], speaks: Ash | None = None) -> tuple[int, Any]:
    return body_of(speaks or dialect(), items)


def read(wire: str) -> list[AnItem]:
    return items_of(dialect(), wire.encode())


DONE = 'event: done\ndata: {"sessionId":"s1"}\n\n'
PARTIAL = dialect(include_partial_messages=True)


def message(text: str) -> str:
    return f"event: message\ndata: {text}\n\n"


def text_message(text: str) -> str:
    return message(f'{{"type":"assistant","message":{{"content":[{{"type":"text","text":"{text}"}}]}}}}')


def delta_message(text: str, kind: str = "text") -> str:
    piece = f'{{"type":"{kind}_delta","{kind}":"{text}"}}'
    return message(
        f'{{"type":"stream_event","event":{{"type":"content_block_delta","index":0,"delta":{piece}}}}}'
    )


def test_pieces_of_text_are_one_message_and_done_ends_the_turn() -> None:
    assert (
        stream([Text("Hello! "), Text("How can I help you?")])
        == text_message("Hello! How can I help you?") + DONE
    )


def test_partial_messages_come_as_they_are_yielded_and_the_whole_one_closes_the_block() -> None:
    wire = stream([Text("Hel"), Text(""), Text("lo")], speaks=PARTIAL)
    assert wire == delta_message("Hel") + delta_message("lo") + text_message("Hello") + DONE


def test_thinking_is_a_block_of_its_own() -> None:
    wire = stream([Thinking("h"), Thinking("m"), Text("x")], speaks=PARTIAL)
    thought = message('{"type":"assistant","message":{"content":[{"type":"thinking","thinking":"hm"}]}}')
    assert wire == (
        delta_message("h", "thinking")
        + delta_message("m", "thinking")
        + thought
        + delta_message("x")
        + text_message("x")
        + DONE
    )


def test_a_tool_call_closes_the_text_before_it() -> None:
    items = [Text("Let me see."), ToolCall("t1", "Bash", {"command": "ls"}), ToolResult("t1", "a\nb")]
    assert stream(items) == (
        text_message("Let me see.")
        + message(
            '{"type":"assistant","message":{"content":'
            '[{"type":"tool_use","id":"t1","name":"Bash","input":{"command":"ls"}}]}}'
        )
        + message(
            '{"type":"user","tool_use_result":{"tool_use_id":"t1","stdout":"a\\nb","stderr":"","is_error":false}}'
        )
        + DONE
    )


def test_data_are_a_message_verbatim_of_any_shape() -> None:
    assert (
        stream([Data({"type": "system", "b": 1, "a": None})])
        == message('{"type":"system","b":1,"a":null}') + DONE
    )
    assert stream([Data([1, 2])]) == message("[1,2]") + DONE


def test_a_partial_message_of_ones_own_is_sent_only_where_they_are_wanted() -> None:
    own = Data({"type": "stream_event", "event": {"type": "message_stop"}})
    assert stream([own]) == DONE
    assert stream([own], speaks=PARTIAL).startswith(
        message('{"type":"stream_event","event":{"type":"message_stop"}}')
    )


def test_a_session_bears_the_identity_that_it_was_given() -> None:
    assert stream([Start("mine")]) == DONE.replace("s1", "mine")
    assert stream([Start()], speaks=dialect(session_id="ours")) == DONE.replace("s1", "ours")
    assert "sessionId" in stream([], speaks=Ash())


def test_an_error_is_followed_by_done() -> None:
    assert stream([Text("x")], fail=Failure("Bridge connection lost")) == (
        text_message("x") + 'event: error\ndata: {"error":"Bridge connection lost"}\n\n' + DONE
    )


def test_what_was_used_and_what_came_of_it_is_a_result_message() -> None:
    items = [Usage(1, 2), Usage(3, 4), Finish(result="Done!")]
    assert stream(items).startswith(
        message(
            '{"type":"result","subtype":"success","session_id":"s1","is_error":false,"num_turns":1,'
            '"result":"Done!","usage":{"input_tokens":4,"output_tokens":6}}'
        )
    )
    assert stream([Finish()]) == DONE


@pytest.mark.parametrize(
    ("finish", "why"),
    [
        (Finish(False, 3), "the agent exited with code 3"),
        (Finish(False, None), "the agent failed"),
        (Finish(False, None, {"error": "timed out", "status": 504}), "timed out"),
    ],
)
def test_a_bad_end_is_an_error(finish: Finish, why: str) -> None:
    assert read(stream([finish])) == [Failure(why)]
    status, body = fold([Text("x"), finish])
    assert body == {"error": why, "statusCode": status}


def test_the_later_kinds_come_before_the_message_that_they_are_taken_from() -> None:
    items = [
        Start("s1"),
        Text("Hi"),
        Thinking("hm"),
        ToolCall("t1", "Bash", {"a": 1}),
        ToolResult("t1", "ok"),
        Finish(result="Done!"),
    ]
    wire = stream(items, speaks=dialect(granular=True, include_partial_messages=True))
    kinds = [line[7:] for line in wire.splitlines() if line.startswith("event: ")]
    assert kinds == [
        "session_start",
        *("text_delta", "message", "message"),
        *("thinking_delta", "message", "message"),
        *("tool_use", "message"),
        *("tool_result", "message"),
        *("turn_complete", "message"),
        "done",
    ]
    assert 'event: session_start\ndata: {"sessionId":"s1"}\n\n' in wire
    assert 'event: text_delta\ndata: {"delta":"Hi"}\n\n' in wire
    assert 'event: thinking_delta\ndata: {"delta":"hm"}\n\n' in wire
    assert 'event: tool_use\ndata: {"id":"t1","name":"Bash","input":{"a":1}}\n\n' in wire
    assert 'event: tool_result\ndata: {"tool_use_id":"t1","content":"ok","is_error":false}\n\n' in wire
    assert 'event: turn_complete\ndata: {"numTurns":1,"result":"Done!"}\n\n' in wire
    assert read(wire) == items


@pytest.mark.parametrize(
    "odd",
    [
        {"type": "assistant"},
        {"type": "assistant", "message": {"content": [3, {"type": "image"}]}},
        {"type": "user", "tool_use_result": "text"},
        {"type": "user", "message": {}},
        {"type": "stream_event"},
        {"type": "stream_event", "event": {"delta": {"type": "thinking_delta", "thinking": None}}},
        {"type": "result"},
        {},
    ],
)
def test_a_message_of_an_odd_shape_is_sent_all_the_same(odd: dict[str, Any]) -> None:
    wire = stream([Data(odd)], speaks=dialect(granular=True, include_partial_messages=True))
    assert message(json.dumps(odd, separators=(",", ":"))) in wire
    assert isinstance(read(wire)[-1], Finish)


def test_unicode_is_sent_raw_and_lone_surrogates_escaped() -> None:
    wire = stream([Text("é\u2028<b>😀\ud800")])
    assert 'é\u2028<b>😀\\ud800"' in wire


@pytest.mark.parametrize("name", ["message", "error", "done", "session_start", "text_delta", "turn_complete"])
def test_an_event_of_ones_own_may_not_pass_for_one_of_theirs(name: str) -> None:
    with pytest.raises(InvalidItem, match="belongs to the ash dialect"):
        stream([ServerSentEvent("{}", event=name)])


def test_an_event_of_another_name_passes() -> None:
    own = ServerSentEvent("x", event="note")
    assert read(stream([own])) == [own, Finish()]
    assert fold([own])[1] == {"messages": [], "sessionId": "s1"}


@pytest.mark.parametrize("item", [Log("x"), Step("node_start")])
def test_what_has_no_place_is_left_out_unless_strict(item: AnItem) -> None:
    assert stream([item]) == DONE
    with pytest.raises(InvalidItem, match="strict"):
        stream([item], speaks=dialect(strict=True))


def test_the_body_has_the_messages_without_the_partial_ones() -> None:
    items = [Start("s2"), Text("a"), Text("b"), Data({"type": "system"})]
    assert fold(items, dialect(include_partial_messages=True, granular=True)) == (
        200,
        {
            "messages": [
                {"type": "assistant", "message": {"content": [{"type": "text", "text": "ab"}]}},
                {"type": "system"},
            ],
            "sessionId": "s2",
        },
    )


def test_a_file_is_a_buffered_answer_and_no_event() -> None:
    folded = dialect().fold(StreamContext())
    folded.add(File(b"png"))
    assert (folded.finish().body, folded.size) == (b"png", 3)
    with pytest.raises(InvalidItem, match="a file cannot be streamed"):
        stream([File(b"")])


def test_an_error_before_the_stream_has_their_shape(shared: Path) -> None:
    answer = dialect().fold(StreamContext()).fail(Failure("Session is paused", status=400))
    assert (answer.status, answer.body) == (400, b'{"error":"Session is paused","statusCode":400}')
    assert json.loads(answer.body) == json.loads(
        (shared / "golden/ash/prestream_error_400.json").read_bytes()
    )


def test_a_stream_that_just_closes_is_truncated() -> None:
    with pytest.raises(TruncatedStream, match="done or error"):
        read(text_message("x"))


@pytest.mark.parametrize(
    "event", ["event: done\ndata: {}\n\n", "event: error\ndata: []\n\n", "event: message\ndata\n\n"]
)
def test_what_has_not_their_shape_is_refused(event: str) -> None:
    with pytest.raises(InvalidDialectEvent, match="ash"):
        read(event)


def test_messages_of_the_real_thing_are_read_as_what_they_say() -> None:
    wire = (
        message('{"type":"assistant","message":{"role":"assistant","content":"plain"},"session_id":"s"}')
        + message(
            '{"type":"user","tool_use_result":{"tool_use_id":"t","stdout":"out","stderr":"err","is_error":true}}'
        )
        + message('{"type":"result","usage":{"input_tokens":1,"output_tokens":2},"result":"R"}')
        + message('{"type":"result","usage":{"input_tokens":"?"}}')
        + DONE
    )
    assert read(wire) == [Text("plain"), ToolResult("t", "out\nerr", is_error=True), Usage(1, 2), Finish()]


TEXTS = st.builds(Text, st.text(min_size=1))
TOOLS = st.builds(ToolCall, st.text(), st.text(), st.dictionaries(st.text(), st.integers()))


@given(
    st.lists(TEXTS | TOOLS | st.builds(ToolResult, st.text(), st.text(), st.booleans()), max_size=6),
    st.booleans(),
)
def test_what_is_written_is_read_and_written_again(items: list[AnItem], granular: bool) -> None:
    # To the byte, which a law cannot ask of every dialect.
    speaks = dialect(include_partial_messages=True, granular=granular)
    wire = stream(items, speaks=speaks)
    assert read(wire) == [*items, Finish()]
    assert stream(read(wire), speaks=speaks) == wire


@given(st.text(st.characters(exclude_categories=()), min_size=1), st.sampled_from([Text, Thinking]))
def test_a_piece_is_spelled_as_its_message_would_be(text: str, kind: type[Text | Thinking]) -> None:
    """E8, D4."""
    name = "text" if kind is Text else "thinking"
    piece = {"type": f"{name}_delta", name: text}
    message = {"type": "stream_event", "event": {"type": "content_block_delta", "index": 0, "delta": piece}}
    first, _, _ = stream([kind(text)], speaks=dialect(include_partial_messages=True)).partition("\n\n")
    assert first == f"event: message\ndata: {COMPACT.dumps(message)}"


@given(st.lists(st.text()))
def test_the_body_says_what_the_stream_said(texts: list[str]) -> None:
    # A law looks for the text anywhere in a body: here it has its place.
    streamed = "".join(item.text for item in read(stream(map(Text, texts))) if isinstance(item, Text))
    said = [each["message"]["content"][0]["text"] for each in fold(map(Text, texts))[1]["messages"]]
    assert "".join(said) == streamed == "".join(texts)


EVENTS = [
    AshEvent("message", {"type": "assistant", "message": {"content": [{"type": "text", "text": "Hi"}]}}),
    AshEvent("done", {"sessionId": "s1"}),
]


def test_the_client_reads_events_with_type_and_data() -> None:
    assert list(ash_events([stream([Text("Hi")]).encode()])) == EVENTS


@pytest.mark.anyio
async def test_the_client_reads_them_async_too() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for byte in stream([Text("Hi")]).encode():
            yield bytes([byte])

    assert [event async for event in async_ash_events(chunks())] == EVENTS


def test_its_events_have_a_schema_and_an_example() -> None:
    assert len(Ash().schema()["anyOf"]) == 3
    assert len(Ash(granular=True).schema()["anyOf"]) == 9
    assert stream(dialect().example).endswith('event: done\ndata: {"sessionId":"a1b2c3d4"}\n\n')


def golden_messages(path: Path) -> list[AnItem]:
    return [Data(event.data) for event in ash_events([path.read_bytes()]) if event.type == "message"]


@pytest.mark.parametrize("name", ["mock_hello", "mock_hello_partial", "tools"])
def test_the_reference_turns_are_reproduced_from_their_messages(shared: Path, name: str) -> None:
    path = shared / f"golden/ash/runner_{name}.txt"
    speaks = Ash(session_id="f47ac10b-58cc-4372-a567-0e02b2c3d479", include_partial_messages=True)
    assert stream(golden_messages(path), speaks=speaks) == path.read_text()


@pytest.mark.parametrize("name", ["mock_hello", "mock_partial", "tools"])
def test_the_reference_turns_of_the_server_are_reproduced_with_the_later_kinds(
    shared: Path, name: str
) -> None:
    path = shared / f"golden/ash/server_granular_{name}.txt"
    session = "f47ac10b-58cc-4372-a567-0e02b2c3d479"
    speaks = Ash(granular=True, include_partial_messages=True, version="0.0.28")
    assert stream([Start(session), *golden_messages(path)], speaks=speaks) == path.read_text()


def test_the_reference_error_is_reproduced(shared: Path) -> None:
    want = (shared / "golden/ash/error_then_done.txt").read_text()
    assert (
        stream([Start("f47ac10b-58cc-4372-a567-0e02b2c3d479")], fail=Failure("Bridge connection lost"))
        == want
    )


def test_the_example_of_the_documents_is_reproduced(shared: Path) -> None:
    got = stream([Start("a1b2c3d4-..."), Text("Hello! How can I help you?")])
    assert got == (shared / "golden/seeds/ash_hello_1.wire.txt").read_text()
