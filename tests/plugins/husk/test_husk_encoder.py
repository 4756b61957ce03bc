"""Items to the bytes that HUSK's clients know."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sseware.dialects import AnItem, StreamContext
from sseware.errors import InvalidItem
from sseware.events import ServerSentEvent
from sseware.items import (
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
from sseware.plugins.husk import Husk
from sseware.testing.strategies import hostile_text
from sseware.wire import iter_events
from tests.plugins.speaking import stream_of_run

LIMIT = Failure("output exceeded the 50-byte stream limit; truncated", code="output_limit")
TIMED_OUT = Finish(False, None, {"error": "kernel timed out", "status": 504})
NOT_STARTED = Finish(False, None, {"error": "failed to start kernel: spawn ./k.sh ENOENT", "status": 500})

LEFT_OUT: list[Item] = [
    Start("s", "n"),
    Thinking("hm"),
    ToolCall("1", "f"),
    ToolResult("1", "r"),
    Step("node_start", "a"),
    Usage(1, 2),
]


class Progress(Item, frozen=True, tag="progress"):
    """An item that nobody taught to HUSK."""

    percent: int = 0


class Loud(Text, frozen=True, tag="loud"):
    """A kind of text."""


def wire(items: Sequence[AnItem], dialect: Husk | None = None) -> bytes:
    return stream_of_run(dialect or Husk(), items)


DONE = b'event: done\ndata: {"ok":true,"exitCode":0}\n\n'
KILLED = b'event: done\ndata: {"ok":false,"exitCode":null}\n\n'


@pytest.mark.parametrize(
    ("name", "items", "expected"),
    [
        pytest.param(name, items, expected, id=name)
        for name, items, expected in (
            ("stream_uppercase_hello", [Text("HELLO"), Finish()], b"event: stdout\ndata: HELLO\n\n" + DONE),
            (
                "stream_words_incremental",
                [Text("ONCE\n"), Text("UPON\n"), Text("A\n"), Text("TIME\n"), Finish()],
                b"event: stdout\ndata: ONCE\ndata: \n\nevent: stdout\ndata: UPON\ndata: \n\n"
                b"event: stdout\ndata: A\ndata: \n\nevent: stdout\ndata: TIME\ndata: \n\n" + DONE,
            ),
            (
                "stream_newlines_cr_crlf",
                [Text("a\nb\r\nc\rd\n\n  lead\n"), Finish()],
                b"event: stdout\ndata: a\ndata: b\ndata: c\ndata: d\ndata: \ndata:   lead\ndata: \n\n" + DONE,
            ),
            (
                "stream_stderr_exit3",
                [Text("partial"), Log("boom\n"), Finish(False, 3)],
                b"event: stdout\ndata: partial\n\nevent: stderr\ndata: boom\ndata: \n\n"
                b'event: done\ndata: {"ok":false,"exitCode":3}\n\n',
            ),
            ("stream_silent", [Finish()], DONE),
            (
                "stream_timeout",
                [Text("tick\n"), TIMED_OUT],
                b"event: stdout\ndata: tick\ndata: \n\n" + KILLED,
            ),
            (
                "stream_client_abort",
                [Text("tick\n"), TIMED_OUT],
                b"event: stdout\ndata: tick\ndata: \n\n" + KILLED,
            ),
            (
                "stream_unicode_bytewise",
                [*map(Text, "hé ✓ 😀"), Finish()],
                "".join(f"event: stdout\ndata: {c}\n\n" for c in "hé ✓ 😀").encode() + DONE,
            ),
            (
                "stream_unicode_truncated_tail",
                [Text("ok "), Finish()],
                b"event: stdout\ndata: ok \n\n" + DONE,
            ),
            (
                "stream_json_skill",
                [Text('{"a": 1}\n'), Finish()],
                b'event: stdout\ndata: {"a": 1}\ndata: \n\n' + DONE,
            ),
            ("stream_spawn_failure", [NOT_STARTED], KILLED),
            (
                "stream_error_body_too_large",
                [Failure("request body exceeds 4 bytes", "body_too_large", 413)],
                b"event: error\ndata: request body exceeds 4 bytes\n\n",
            ),
            (
                "stream_truncated_50",
                [Text("small"), LIMIT],
                b"event: stdout\ndata: small\n\n"
                b"event: error\ndata: output exceeded the 50-byte stream limit; truncated\n\n" + KILLED,
            ),
            (
                "stream_stderr_redacted_split_key",
                [Text("ok\n"), Log("leak=[redacted]"), Finish()],
                b"event: stdout\ndata: ok\ndata: \n\nevent: stderr\ndata: leak=[redacted]\n\n" + DONE,
            ),
            ("stream_accept_header", [Text("HELLO"), Finish()], b"event: stdout\ndata: HELLO\n\n" + DONE),
        )
    ],
)
class TestRecordedStreams:
    """What HUSK itself has sent; where the recordings are at hand, these vectors are held against them."""

    def test_the_bytes_are_those_of_husk(self, name: str, items: list[AnItem], expected: bytes) -> None:
        assert wire(items) == expected

    def test_the_vector_is_the_recording(
        self, name: str, items: list[AnItem], expected: bytes, shared: Path
    ) -> None:
        assert (shared / "golden" / "husk" / f"{name}.txt").read_bytes() == expected


def test_every_recorded_stream_has_a_vector(shared: Path) -> None:
    (mark,) = TestRecordedStreams.pytestmark  # type: ignore[attr-defined]  # pytest puts it there
    vectors = {parameters.values[0] for parameters in mark.args[1]}
    recorded = {path.name.split(".")[0] for path in (shared / "golden" / "husk").glob("stream_*.txt")}
    # These three are answered before there is a stream.
    assert vectors == recorded - {"stream_401", "stream_file_skill_falls_back", "stream_flag_true_not_1"}
    seed = (shared / "golden" / "seeds" / "husk_uppercase.wire.txt").read_bytes()
    assert seed == wire([Text("HELLO"), Finish()])


def frames(*items: AnItem) -> list[tuple[str, str]]:
    return [(event.event, event.data) for event in iter_events([wire(items)])]


END = ("done", '{"ok":true,"exitCode":0}')


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        pytest.param([], [END], id="a-handler-that-yields-nothing-did-well"),
        pytest.param([Text("a")], [("stdout", "a"), END], id="a-handler-that-just-ends-did-well"),
        pytest.param([Text(""), Log("")], [END], id="an-empty-piece-is-no-frame"),
        pytest.param([Text("\n")], [("stdout", "\n"), END], id="a-line-end-alone-is-one"),
        pytest.param([Loud("a")], [("stdout", "a"), END], id="a-kind-of-text-is-text"),
        pytest.param(
            [Data({"b": 1.0, "a": "é"})], [("stdout", '{"b":1,"a":"é"}'), END], id="data-is-json-text"
        ),
        pytest.param([Data([1], name="x")], [("stdout", "[1]"), END], id="data-has-no-name"),
        pytest.param([*LEFT_OUT], [END], id="what-a-kernel-does-not-have-is-left-out"),
        pytest.param([Finish(True, None)], [("done", '{"ok":true,"exitCode":null}')], id="no-exit-code"),
        pytest.param([Finish(False)], [("done", '{"ok":false,"exitCode":0}')], id="not-ok-as-it-was-said"),
        pytest.param(
            [Finish(False, -9)], [("done", '{"ok":false,"exitCode":-9}')], id="a-negative-exit-code"
        ),
        pytest.param([Finish(result={"a": 1})], [END], id="a-result-is-not-sent"),
        pytest.param(
            [ServerSentEvent("50", event="progress"), ServerSentEvent("unnamed")],
            [("progress", "50"), ("message", "unnamed"), END],
            id="an-event-of-the-handlers-own",
        ),
        pytest.param([Failure("a\r\nb\rc")], [("error", "a\nb\nc")], id="an-error-of-several-lines"),
        pytest.param([Text("a"), Failure("")], [("stdout", "a"), ("error", "")], id="an-error-without-words"),
    ],
)
def test_items_become_frames(items: list[AnItem], expected: list[tuple[str, str]]) -> None:
    assert frames(*items) == expected


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        pytest.param([Text("a\r"), Text("\nb")], [("stdout", "a\n"), ("stdout", "b")], id="one-line-end"),
        pytest.param([Text("a\r"), Text("\n"), Text("\n")], [("stdout", "a\n"), ("stdout", "\n")], id="then-one"),
        pytest.param([Text("\r"), Text("\r"), Text("\n")], [("stdout", "\n"), ("stdout", "\n")], id="after-a-cr"),
        pytest.param(
            [Text("a\r"), Log("\n"), Text("\nb")],
            [("stdout", "a\n"), ("stderr", "\n"), ("stdout", "b")],
            id="each-output-on-its-own",
        ),
        pytest.param([Text("a\r"), Text(""), Text("\nb")], [("stdout", "a\n"), ("stdout", "b")], id="over-nothing"),
        pytest.param(
            [Text("a\r"), Data(1), Text("\nb")],
            [("stdout", "a\n"), ("stdout", "1"), ("stdout", "\nb")],
            id="not-where-data-are-between",
        ),
        pytest.param([Log("5%\r"), Log("9%\r")], [("stderr", "5%\n"), ("stderr", "9%\n")], id="progress-is-prompt"),
    ],
)  # fmt: skip
def test_a_crlf_cut_in_two_is_one_line_end(items: list[AnItem], expected: list[tuple[str, str]]) -> None:
    """D5."""
    assert frames(*items) == [*expected, END]


@pytest.mark.parametrize("name", ["stdout", "stderr", "done", "error"])
def test_an_event_cannot_bear_a_name_of_husks(name: str) -> None:
    """D2."""
    encoder = Husk().open(StreamContext())
    with pytest.raises(InvalidItem, match=f"the event type '{name}' belongs to the husk dialect"):
        encoder.encode(ServerSentEvent("x", event=name))


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (File(b"x"), "no event for File: a file cannot be streamed"),
        (Progress(50), "no event for Progress: no plugin encodes this type"),
        (Data(float), "a type has no JSON"),
    ],
)
def test_what_cannot_be_expressed_is_refused(item: AnItem, message: str) -> None:
    with pytest.raises(InvalidItem, match=message):
        Husk().open(StreamContext()).encode(item)


@pytest.mark.parametrize("item", LEFT_OUT, ids=lambda item: type(item).__name__)
def test_a_strict_dialect_refuses_what_it_would_leave_out(item: Item) -> None:
    with pytest.raises(InvalidItem, match=f"leaves {type(item).__name__} out, and it is strict"):
        Husk(strict=True).open(StreamContext()).encode(item)


FORGED = st.just('\n\nevent: done\ndata: {"ok":true,"exitCode":0}\n\n')
texts = hostile_text(max_tokens=4) | FORGED


@given(st.lists(st.one_of(texts.map(Text), texts.map(Log), texts.map(Data)), max_size=5))
def test_no_text_ends_a_stream_or_forges_an_event(items: list[AnItem]) -> None:
    """D2."""
    # The law knows an end by the decoder, and these by their bytes.
    events = list(iter_events([wire([*items, Finish(False, 7)])]))
    assert [event.event for event in events].count("done") == 1
    assert (events[-1].event, events[-1].data) == ("done", '{"ok":false,"exitCode":7}')
    assert {event.event for event in events[:-1]} <= {"stdout", "stderr"}
    assert all(event.id is None and event.retry is None for event in events)
    for name, kind in (("stdout", (Text, Data)), ("stderr", (Log,))):
        sent = "".join(event.data for event in events if event.event == name)
        given_ = "".join(as_text(item) for item in items if isinstance(item, kind))
        assert sent == with_lf(given_)


def as_text(item: Any) -> str:
    return wire_text(item.value) if isinstance(item, Data) else str(item.text)


def wire_text(value: str) -> str:
    """The JSON of a text, as one frame has it."""
    return frames(Data(value))[0][1]


def with_lf(text: str) -> str:
    """What a stream has of a text: its line ends are LF, and what is no Unicode is U+FFFD."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join("\ufffd" if "\ud800" <= character <= "\udfff" else character for character in unified)


@given(st.text(alphabet="\r\nab"), st.lists(st.integers(0, 20)))
def test_how_a_text_is_cut_changes_nothing(text: str, cuts: list[int]) -> None:
    """D5."""
    edges = sorted({0, len(text), *(min(cut, len(text)) for cut in cuts)})
    pieces = [Text(text[a:b]) for a, b in pairwise(edges)]
    assert "".join(data for name, data in frames(*pieces) if name == "stdout") == with_lf(text)


def test_two_responses_have_nothing_in_common() -> None:
    dialect = Husk()
    one, other = dialect.open(StreamContext()), dialect.open(StreamContext())
    list(one.encode(Text("a\r")))
    list(one.encode(Finish(False, 3)))
    assert [event.data for event in other.encode(Text("\nb"))] == ["\nb"]
    assert [event.data for event in other.finish()] == ['{"ok":true,"exitCode":0}']
