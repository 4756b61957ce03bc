"""HUSK's events back to items."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sseware.dialects import AnItem
from sseware.errors import InvalidDialectEvent, TruncatedStream
from sseware.events import ServerSentEvent
from sseware.items import Data, Failure, Finish, Log, Text
from sseware.plugins.husk import Husk
from sseware.wire import iter_events
from tests.plugins.speaking import stream_of_run


def decode(wire: bytes) -> list[AnItem]:
    decoder = Husk().decoder()
    items = [item for event in iter_events([wire]) for item in decoder.decode(event)]
    decoder.close()
    return items


def wire_of(items: list[AnItem]) -> bytes:
    return stream_of_run(Husk(), items)


DONE = b'event: done\ndata: {"ok":true,"exitCode":0}\n\n'
KILLED = b'event: done\ndata: {"ok":false,"exitCode":null}\n\n'
LIMIT = "output exceeded the 1048576-byte stream limit; truncated"


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        pytest.param(DONE, [Finish()], id="a-silent-kernel"),
        pytest.param(b"event: stdout\ndata: HELLO\n\n" + DONE, [Text("HELLO"), Finish()], id="output"),
        pytest.param(b"event: stdout\ndata: A\ndata: \n\n" + DONE, [Text("A\n"), Finish()], id="a-line"),
        pytest.param(b"event: stderr\ndata: boom\n\n" + DONE, [Log("boom"), Finish()], id="standard-error"),
        pytest.param(b"event: stdout\ndata: \n\n" + DONE, [Finish()], id="an-empty-piece-is-nothing"),
        pytest.param(
            b'event: done\ndata: {"ok":false,"exitCode":3}\n\n', [Finish(False, 3)], id="a-failed-kernel"
        ),
        pytest.param(KILLED, [Finish(False, None)], id="a-killed-kernel"),
        pytest.param(
            b'event: done\ndata: { "exitCode": 0, "ok": true, "more": [1] }\n\n',
            [Finish()],
            id="done-in-another-spelling-and-with-more-in-it",
        ),
        pytest.param(b"event: error\ndata: unauthorized\n\n", [Failure("unauthorized")], id="an-error"),
        pytest.param(
            f"event: error\ndata: {LIMIT}\n\n".encode() + KILLED,
            [Failure(LIMIT, "output_limit"), Finish(False, None)],
            id="the-limit-then-done",
        ),
        pytest.param(
            b"event: progress\ndata: 50\n\ndata: unnamed\n\n" + DONE,
            [ServerSentEvent("50", event="progress"), ServerSentEvent("unnamed"), Finish()],
            id="other-events-stay-as-they-are",
        ),
        pytest.param(
            DONE + b"event: late\ndata: x\n\n", [Finish(), ServerSentEvent("x", event="late")], id="after"
        ),
        pytest.param(b": keepalive\n\n" + DONE + b": bye\n\n", [Finish()], id="comments-are-invisible"),
    ],
)
def test_events_become_items(wire: bytes, expected: list[AnItem]) -> None:
    assert decode(wire) == expected


@pytest.mark.parametrize(
    "wire",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"event: stdout\ndata: HELLO\n\n", id="only-output"),
        pytest.param(b"event: stdout\ndata: HELLO\n\n" + DONE[:-1], id="an-unfinished-done"),
        pytest.param(b"event: progress\ndata: done\n\n", id="another-event"),
        pytest.param(b"data: done\n\n", id="an-unnamed-done"),
    ],
)
def test_a_stream_without_its_end_is_truncated(wire: bytes) -> None:
    with pytest.raises(TruncatedStream, match="the husk stream ended without done or error"):
        decode(wire)


@pytest.mark.parametrize(
    "payload",
    [
        *("", "{", "{}", "null", "[]", "true", '{"ok":true}', '{"exitCode":0}', '{"ok":1,"exitCode":0}'),
        *(
            '{"ok":true,"exitCode":"0"}',
            '{"ok":true,"exitCode":0.5}',
            '{"ok":true,"exitCode":true}',
            "\ud800",
        ),
    ],
    ids=ascii,
)
def test_done_with_another_payload_is_refused(payload: str) -> None:
    with pytest.raises(InvalidDialectEvent, match=r"husk: .*, in event 'done'"):
        list(Husk().decoder().decode(ServerSentEvent(payload, event="done")))


@pytest.mark.parametrize(
    ("wire", "message"),
    [
        pytest.param(DONE + b"event: stdout\ndata: x\n\n", "after the end", id="output-after-done"),
        pytest.param(DONE + DONE, "after the end", id="a-second-done"),
        pytest.param(DONE + b"event: error\ndata: x\n\n", "after the end", id="an-error-after-done"),
        pytest.param(
            b"event: error\ndata: x\n\nevent: stdout\ndata: x\n\n", "after the end", id="output-after-error"
        ),
        pytest.param(
            b"event: error\ndata: x\n\nevent: error\ndata: x\n\n", "after the end", id="a-second-error"
        ),
        pytest.param(
            b"event: error\ndata: x\n\n" + DONE, "a success after an error", id="a-success-after-an-error"
        ),
    ],
)
def test_nothing_may_follow_the_end(wire: bytes, message: str) -> None:
    with pytest.raises(InvalidDialectEvent, match=message):
        decode(wire)


def test_every_recorded_stream_is_decoded_and_written_again(shared: Path) -> None:
    recorded = sorted((shared / "golden" / "husk").glob("stream_*.txt"))
    streams = [path.read_bytes() for path in recorded if path.read_bytes().startswith(b"event:")]
    assert len(streams) > 12
    for stream in streams:
        assert wire_of(decode(stream)) == stream


@given(st.text(), st.text(max_size=20))
def test_any_event_is_decoded_or_refused(data: str, name: str) -> None:
    # The law lets any of them be refused.
    for event in (*("stdout", "stderr", "done", "error", "message"), name):
        try:
            made = ServerSentEvent(data, event=event)
        except ValueError:
            continue
        try:
            items = list(Husk().decoder().decode(made))
        except InvalidDialectEvent:
            assert event == "done"
        else:
            assert len(items) <= 1


# What a stream can carry as it is: text whose line ends are LF, and which is Unicode.
texts = st.text(alphabet=st.characters(exclude_characters="\r", exclude_categories=["Cs"]), min_size=1)
pieces = st.one_of(
    texts.map(Text),
    texts.map(Log),
    st.builds(ServerSentEvent, texts, event=st.sampled_from(["progress", "message", "Done"])),
)
ends = st.one_of(
    st.builds(Finish, st.booleans(), st.one_of(st.none(), st.integers(-64, 255))),
    st.builds(Failure, texts),
    st.just(Failure(LIMIT, "output_limit")),
)


@given(st.lists(pieces, max_size=6), ends)
def test_what_was_encoded_is_decoded_as_it_was(items: list[AnItem], end: AnItem) -> None:
    decoded = decode(wire_of([*items, end]))
    if end == Failure(LIMIT, "output_limit"):
        assert decoded.pop() == Finish(False, None)
    assert decoded == [*items, end]
    assert wire_of(decoded) == wire_of([*items, end])


@given(texts)
def test_data_come_back_as_the_text_they_were_sent_as(text: str) -> None:
    piece, _ = decode(wire_of([Data({"text": text})]))
    assert isinstance(piece, Text)
    assert ServerSentEvent(piece.text).json() == {"text": text}
