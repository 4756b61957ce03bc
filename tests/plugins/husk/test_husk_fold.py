"""Items to the buffered answers that HUSK's clients know."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sseware.dialects import AnItem, BufferedAnswer, StreamContext
from sseware.errors import InvalidItem
from sseware.events import ServerSentEvent
from sseware.items import Data, Failure, File, Finish, Item, Log, Start, Text, Usage
from sseware.plugins.husk import Husk
from sseware.wire import encode as encode_event
from sseware.wire import iter_events

Output = Literal["text", "json", "file"]
QUARTER = StreamContext(clock=lambda: 10.25, started=10.0)

TEXT = (("content-type", "text/plain; charset=utf-8"), ("x-husk-duration-ms", "250"))
JSON = (("content-type", "application/json; charset=utf-8"), ("x-husk-duration-ms", "250"))
ERROR = (("content-type", "application/json; charset=utf-8"),)


def fold(items: Sequence[AnItem], output: Output = "text", dialect: Husk | None = None) -> BufferedAnswer:
    """What a driver answers: items are added until the end or a failure."""
    folding = (dialect or Husk(output)).fold(QUARTER)
    for item in items:
        if isinstance(item, Failure):
            return folding.fail(item)
        folding.add(item)
    return folding.finish()


@pytest.mark.parametrize(
    ("name", "output", "items", "expected"),
    [
        pytest.param(name, output, items, expected, id=name)
        for name, output, items, expected in (
            ("buffered_text", "text", [Text("HELLO"), Finish()], BufferedAnswer(200, TEXT, b"HELLO")),
            (
                "buffered_text_trailing_newline",
                "text",
                [Text("A\n"), Text("B\n"), Finish()],
                BufferedAnswer(200, TEXT, b"A\nB\n"),
            ),
            (
                "stream_flag_true_not_1",
                "text",
                [Text("HELLO"), Finish()],
                BufferedAnswer(200, TEXT, b"HELLO"),
            ),
            ("buffered_json", "json", [Text('{"a": 1}\n')], BufferedAnswer(200, JSON, b'{"a": 1}\n')),
            ("buffered_json_empty", "json", [Finish()], BufferedAnswer(200, JSON, b"{}")),
            (
                "stream_file_skill_falls_back",
                "file",
                [Text("note\n"), File(b"made-it", media_type="text/plain"), Finish()],
                BufferedAnswer(
                    200,
                    (
                        ("content-type", "text/plain"),
                        ("content-disposition", 'inline; filename="output"'),
                        ("x-husk-note", "note"),
                        ("x-husk-duration-ms", "250"),
                    ),
                    b"made-it",
                ),
            ),
            (
                "buffered_exit3",
                "text",
                [Text("partial"), Log("boom\n"), Finish(False, 3)],
                BufferedAnswer(
                    500,
                    ERROR,
                    b'{\n  "error": "kernel exited with code 3",\n  "stderr": "boom\\n",\n  "exitCode": 3\n}',
                ),
            ),
            (
                "buffered_timeout_504",
                "text",
                [Text("tick"), Finish(False, None, {"error": "kernel timed out", "status": 504})],
                BufferedAnswer(
                    504, ERROR, b'{\n  "error": "kernel timed out",\n  "stderr": "",\n  "exitCode": null\n}'
                ),
            ),
            (
                "buffered_spawn_failure",
                "json",
                [
                    Finish(
                        False, None, {"error": "failed to start kernel: spawn ./k.sh ENOENT", "status": 500}
                    )
                ],
                BufferedAnswer(
                    500,
                    ERROR,
                    b'{\n  "error": "failed to start kernel: spawn ./k.sh ENOENT",\n'
                    b'  "stderr": "",\n  "exitCode": null\n}',
                ),
            ),
            (
                "buffered_413",
                "text",
                [Failure("request body exceeds 4 bytes", "body_too_large", 413)],
                BufferedAnswer(413, ERROR, b'{\n  "error": "request body exceeds 4 bytes"\n}'),
            ),
            (
                "stream_401",
                "text",
                [Failure("unauthorized", status=401)],
                BufferedAnswer(401, ERROR, b'{\n  "error": "unauthorized"\n}'),
            ),
        )
    ],
)
class TestRecordedAnswers:
    """What HUSK itself has answered; where the recordings are at hand, these vectors are held against them."""

    def test_the_answer_is_that_of_husk(
        self, name: str, output: Output, items: list[AnItem], expected: BufferedAnswer
    ) -> None:
        assert fold(items, output) == expected

    def test_the_vector_is_the_recording(
        self, name: str, output: Output, items: list[AnItem], expected: BufferedAnswer, shared: Path
    ) -> None:
        recorded = shared / "golden" / "husk"
        assert (recorded / f"{name}.txt").read_bytes() == expected.body
        status, *lines = (recorded / f"{name}.head.txt").read_text().splitlines()
        assert int(status) == expected.status
        # That of how long it took is a placeholder there; sniffing is forbidden by the driver.
        headers = [
            ("x-husk-duration-ms", "NN") if n == "x-husk-duration-ms" else (n, v) for n, v in expected.headers
        ]
        assert sorted([*headers, ("x-content-type-options", "nosniff")]) == [
            tuple(line.split(": ", 1)) for line in lines
        ]


@pytest.mark.parametrize(
    ("output", "items", "body"),
    [
        pytest.param("text", [], b"", id="nothing"),
        pytest.param("text", [Text("a\r\nb\rc")], b"a\r\nb\rc", id="line-ends-as-they-were"),
        pytest.param("text", [Text("é"), Log("x"), Text("😀")], "é😀".encode(), id="without-standard-error"),
        pytest.param("text", [Text("\ud800!")], "\ufffd!".encode(), id="a-lone-surrogate-is-replaced"),
        pytest.param("text", [Data({"a": 1.0}), Text("\n")], b'{"a":1}\n', id="data-are-json-text"),
        pytest.param("text", [Start("x"), Usage(1)], b"", id="what-a-kernel-does-not-have-is-left-out"),
        pytest.param(
            "text", [Text("a"), ServerSentEvent("1", event="tick")], b"a", id="events-are-for-streams"
        ),
        pytest.param("text", [Finish(), Text("\ufffd")], "\ufffd".encode(), id="an-unfinished-code-point"),
        pytest.param("json", [Data([1, None])], b"[1,null]", id="json-of-a-value"),
        pytest.param("json", [Text("\n")], b"\n", id="json-as-it-is"),
    ],
)
def test_output_is_the_body(output: Output, items: list[AnItem], body: bytes) -> None:
    answer = fold(items, output)
    assert (answer.status, answer.body) == (200, body)


@pytest.mark.parametrize(
    ("finish", "status", "error"),
    [
        (Finish(False, 1), 500, "kernel exited with code 1"),
        (Finish(False, -9), 500, "kernel exited with code -9"),
        (Finish(False, None), 500, "kernel failed"),
        (Finish(False, 0), 500, "kernel failed"),
        (Finish(False, 1, "why"), 500, "kernel exited with code 1"),
        (Finish(False, 1, {"error": 5, "status": "x"}), 500, "kernel exited with code 1"),
        (Finish(False, None, {"error": "too slow", "status": 504}), 504, "too slow"),
        (Finish(False, None, {"error": "odd", "status": 200}), 500, "odd"),
        (Finish(False, None, {"error": "odd", "status": True}), 500, "odd"),
    ],
)
def test_a_bad_end_says_why(finish: Finish, status: int, error: str) -> None:
    answer = fold([Text("partial"), finish])
    assert answer.status == status
    assert json.loads(answer.body) == {"error": error, "stderr": "", "exitCode": finish.exit_code}
    assert b"partial" not in answer.body


@pytest.mark.parametrize(("status", "answered"), [(400, 400), (599, 599), (200, 500), (0, 500), (600, 500)])
def test_a_failure_never_has_a_status_of_success(status: int, answered: int) -> None:
    answer = fold([Text("partial"), Failure("no", status=status)])
    assert (answer.status, json.loads(answer.body)) == (answered, {"error": "no"})


def test_standard_error_is_cut_after_8000_characters() -> None:
    items = [Log("é" * 5000), Log("x" * 2999), Log("yz"), Log("z"), Finish(False, 1)]
    stderr = json.loads(fold(items).body)["stderr"]
    assert stderr == "é" * 5000 + "x" * 2999 + "y"


NOTE: list[tuple[str, str | None]] = [
    ("", None),
    (" \r\n ", None),
    ("one\ntwo\r\n\r\nthree", "one two three"),
    ("  a\tb  ", "a b"),
    ("x" * 1001, "x" * 1000),
    ("é✓😀", "???"),
    ("a\x00b\x7f\x1b[0m", "a?b??[0m"),
    ("a\r\nset-cookie: x", "a set-cookie: x"),
]


@pytest.mark.parametrize(("text", "note"), NOTE, ids=[ascii(text)[:20] for text, _ in NOTE])
@pytest.mark.parametrize("output", ["file", "text"])
def test_the_output_beside_a_file_is_its_note(output: Output, text: str, note: str | None) -> None:
    # A file that comes late makes the answer a file, whatever the skill said.
    answer = fold([File(b"x", "a.bin"), Text(text), Finish()], output)
    assert dict(answer.headers).get("x-husk-note") == note
    assert answer.body == b"x"


def test_a_skill_that_makes_no_file_has_failed() -> None:
    answer = fold([Text("note"), Log("oops")], "file")
    assert answer.status == 500
    assert json.loads(answer.body) == {"error": "skill produced no file output", "stderr": "oops"}


def test_a_kernel_that_fails_after_its_file_has_failed() -> None:
    answer = fold([File(b"x"), Finish(False, 2)], "file")
    assert json.loads(answer.body) == {"error": "kernel exited with code 2", "stderr": "", "exitCode": 2}


@pytest.mark.parametrize(("text", "note"), [("", {}), (" a\nb ", {"note": "a\nb"})])
def test_several_files_are_json(text: str, note: dict[str, str]) -> None:
    answer = fold([File(b"\x00", "a", "image/png"), Text(text), File(b"", "b")], "file")
    assert (answer.status, answer.headers) == (200, ERROR)
    assert json.loads(answer.body) == {
        **note,
        "files": [
            {"filename": "a", "mime": "image/png", "size": 1, "dataBase64": "AA=="},
            {"filename": "b", "mime": "application/octet-stream", "size": 0, "dataBase64": ""},
        ],
    }


class Progress(Item, frozen=True, tag="husk-progress"):
    """An item that nobody taught to HUSK."""


FORGED: Any = "a/b\r\nset-cookie: x"


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (Progress(), "no event for Progress: no plugin encodes this type"),
        (ServerSentEvent("{}", event="done"), "the event type 'done' belongs to the husk dialect"),
        (File(b"", media_type=FORGED), "media_type of a File must look like 'image/png'"),
        (Data(object()), "a object has no JSON"),
    ],
)
def test_what_cannot_be_folded_is_refused(item: AnItem, message: str) -> None:
    with pytest.raises(InvalidItem, match=message):
        Husk().fold(QUARTER).add(item)


@pytest.mark.parametrize("item", [Start(), ServerSentEvent("1", event="tick")], ids=["item", "event"])
def test_a_strict_dialect_leaves_nothing_out(item: AnItem) -> None:
    with pytest.raises(InvalidItem, match="it is strict"):
        Husk(strict=True).fold(QUARTER).add(item)


def test_the_size_is_that_of_what_is_kept() -> None:
    folding = Husk().fold(QUARTER)
    sizes = []
    for item in (Text("aé"), Data([1]), Log("x" * 9000), File(b"abc"), Finish()):
        folding.add(item)
        sizes.append(folding.size)
    assert sizes == [3, 6, 6, 9, 9]


def test_a_clock_that_goes_back_tells_no_negative_time() -> None:
    answer = Husk().fold(StreamContext(clock=lambda: 1.0, started=2.0)).finish()
    assert dict(answer.headers)["x-husk-duration-ms"] == "0"


texts = st.one_of(st.text(max_size=6), st.text(alphabet="\r\n a\ud800é", max_size=6))
pieces = st.one_of(texts.map(Text), texts.map(Log), texts.map(Data))


@given(st.lists(pieces, max_size=6), st.one_of(st.just(0), st.integers(1, 255), st.none()))
def test_the_fold_says_what_the_stream_said(items: list[AnItem], exit_code: int | None) -> None:
    finish = Finish(exit_code == 0, exit_code)
    encoder = Husk().open(StreamContext())
    events = [event for item in (*items, finish) for event in encoder.encode(item)]
    stream = b"".join(map(encode_event, [*events, *encoder.finish()]))
    said = {"stdout": "", "stderr": "", "done": ""}
    for event in iter_events([stream]):
        said[event.event] += event.data
    done = json.loads(said["done"])
    answer = fold([*items, finish])
    assert done["ok"] == (answer.status == 200)
    if done["ok"]:
        assert with_lf(answer.body.decode()) == said["stdout"]
    else:
        body = json.loads(answer.body)
        assert body["exitCode"] == done["exitCode"]
        assert with_lf(body["stderr"]) == said["stderr"]


def with_lf(text: str) -> str:
    """What a stream has of a text: its line ends are LF, and what is no Unicode is U+FFFD."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join("\ufffd" if "\ud800" <= character <= "\udfff" else character for character in unified)
