"""What HUSK's clients know, byte for byte, from real processes over a real server.

Each case is named for the recorded answer of HUSK that it has to reproduce, with the same input.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, NamedTuple

import pytest

from sseware import SSEMiddleware, StreamError, kernels
from sseware.cli._demo import find_examples, load_module
from sseware.items import File, Finish, Text
from sseware.plugins.husk import Husk
from tests.e2e.servers import Answer, Client, serving

Handler = Callable[[Any, Any], Awaitable[Any]]

DONE = b'event: done\ndata: {"ok":true,"exitCode":0}\n\n'
KILLED = b'event: done\ndata: {"ok":false,"exitCode":null}\n\n'
JSON = {"content-type": "application/json; charset=utf-8", "x-content-type-options": "nosniff"}
STREAM = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache, no-transform",
    "x-content-type-options": "nosniff",
}
DURATION = r"\d+"


def kernel(script: str, **options: Any) -> Handler:
    """A handler that runs a shell script with the request body as its input."""

    async def handler(scope: Any, receive: Any) -> Any:
        message = await receive()
        return kernels.run(["sh", "-c", script], input=message["body"], **options)

    return handler


async def missing(scope: Any, receive: Any) -> Any:
    return kernels.run(["./k.sh"])


async def a_file(scope: Any, receive: Any) -> Any:
    return [Text("note\n"), File(b"made-it", media_type="text/plain"), Finish()]


async def unauthorized(scope: Any, receive: Any) -> Any:
    raise StreamError("unauthorized", status=401)


def stdout(*lines: str) -> bytes:
    return b"event: stdout\n" + b"".join(b"data: %b\n" % line.encode() for line in lines) + b"\n"


def body(media_type: str) -> dict[str, str]:
    return {
        "content-type": media_type,
        "x-content-type-options": "nosniff",
        "x-husk-duration-ms": DURATION,
    }


class Case(NamedTuple):
    """One request and what is answered; header values are patterns where they end in ``+``."""

    name: str
    handler: Handler | None
    want: bytes
    headers: dict[str, str]
    status: int = 200
    query: str = "?stream=1"
    accept: str | None = "*/*"
    sent: bytes = b""
    output: Literal["text", "json", "file"] = "text"
    path: str | None = None
    method: str = "POST"

    @property
    def target(self) -> str:
        return (self.path or f"/{self.name}") + self.query


UPPER = kernel("tr a-z A-Z")
PAUSE = "sleep 0.05"
WORDS = f"for word in ONCE UPON A TIME; do echo $word; {PAUSE}; done"
# A byte at a time, each in octal.
BYTEWISE = "".join(rf"printf '\{byte:03o}'; {PAUSE}; " for byte in "hé ✓ 😀".encode())
# Longer than what is written before it is complete, so that nothing of that is shown early.
SECRET = "sk-live-0123456789abcdef"

STREAMED = [
    Case("stream_uppercase_hello", UPPER, stdout("HELLO") + DONE, STREAM, sent=b"hello"),
    Case(
        "stream_accept_header",
        UPPER,
        stdout("HELLO") + DONE,
        STREAM,
        query="",
        accept="text/html, text/event-stream;q=0.1",
        sent=b"hello",
    ),
    Case(
        "stream_words_incremental",
        kernel(WORDS),
        b"".join(stdout(word, "") for word in ("ONCE", "UPON", "A", "TIME")) + DONE,
        STREAM,
    ),
    Case(
        "stream_newlines_cr_crlf",
        kernel(r"printf 'a\nb\r\nc\rd\n\n  lead\n'"),
        stdout("a", "b", "c", "d", "", "  lead", "") + DONE,
        STREAM,
    ),
    Case(
        "stream_stderr_exit3",
        kernel(f"printf partial; {PAUSE}; echo boom >&2; exit 3"),
        stdout("partial")
        + b'event: stderr\ndata: boom\ndata: \n\nevent: done\ndata: {"ok":false,"exitCode":3}\n\n',
        STREAM,
    ),
    Case("stream_silent", kernel("true"), DONE, STREAM),
    Case(
        "stream_timeout",
        kernel("echo tick; exec sleep 60", timeout=0.5),
        stdout("tick", "") + KILLED,
        STREAM,
    ),
    # A client that has left reads nothing any more; what HUSK would have told it is what a killed kernel gives.
    Case("stream_client_abort", kernel("echo tick; kill -9 $$"), stdout("tick", "") + KILLED, STREAM),
    Case(
        "stream_unicode_bytewise",
        kernel(BYTEWISE),
        b"".join(map(stdout, ("h", "é", " ", "✓", " ", "😀"))) + DONE,
        STREAM,
    ),
    Case(
        "stream_unicode_truncated_tail",
        kernel(r"printf 'ok \342\234'"),
        stdout("ok ") + DONE,
        STREAM,
    ),
    Case(
        "stream_json_skill",
        kernel("""echo '{"a": 1}'"""),
        stdout('{"a": 1}', "") + DONE,
        STREAM,
        output="json",
    ),
    Case("stream_spawn_failure", missing, KILLED, STREAM),
    Case(
        "stream_truncated_50",
        kernel(f"printf small; {PAUSE}; printf '%0100d' 0", max_output=50),
        stdout("small")
        + b"event: error\ndata: output exceeded the 50-byte stream limit; truncated\n\n"
        + KILLED,
        STREAM,
    ),
    Case(
        "stream_stderr_redacted_split_key",
        kernel(
            f"echo ok; {PAUSE}; printf leak=sk-live- >&2; {PAUSE}; printf 0123456789abcdef >&2",
            secrets=[SECRET],
        ),
        stdout("ok", "") + b"event: stderr\ndata: leak=[redacted]\n\n" + DONE,
        STREAM,
    ),
    Case(
        "stream_error_body_too_large",
        None,
        b"event: error\ndata: request body exceeds 4 bytes\n\n",
        STREAM,
        path="/skills/uppercase",
        sent=b"hello",
    ),
    Case("stream_401", unauthorized, b'{\n  "error": "unauthorized"\n}', JSON, status=401, query="?stream=1"),
]

BUFFERED = [
    Case(
        "stream_flag_true_not_1",
        UPPER,
        b"HELLO",
        body("text/plain; charset=utf-8"),
        query="?stream=true",
        sent=b"hello",
    ),
    Case(
        "stream_file_skill_falls_back",
        a_file,
        b"made-it",
        {
            **body("text/plain"),
            "content-disposition": 'inline; filename="output"',
            "x-husk-note": "note",
        },
        accept="text/event-stream",
        output="file",
    ),
    Case("buffered_text", UPPER, b"HELLO", body("text/plain; charset=utf-8"), query="", sent=b"hello"),
    Case(
        "buffered_text_trailing_newline",
        UPPER,
        b"A\nB\n",
        body("text/plain; charset=utf-8"),
        query="",
        sent=b"a\nb\n",
    ),
    Case(
        "buffered_json",
        kernel("""echo '{"a": 1}'"""),
        b'{"a": 1}\n',
        body("application/json; charset=utf-8"),
        query="",
        output="json",
    ),
    Case(
        "buffered_json_empty",
        kernel("true"),
        b"{}",
        body("application/json; charset=utf-8"),
        query="",
        output="json",
    ),
    Case(
        "buffered_exit3",
        kernel("printf partial; echo boom >&2; exit 3"),
        b'{\n  "error": "kernel exited with code 3",\n  "stderr": "boom\\n",\n  "exitCode": 3\n}',
        JSON,
        status=500,
        query="",
    ),
    Case(
        "buffered_timeout_504",
        kernel("exec sleep 60", timeout=0.5),
        b'{\n  "error": "kernel timed out",\n  "stderr": "",\n  "exitCode": null\n}',
        JSON,
        status=504,
        query="",
    ),
    Case(
        "buffered_spawn_failure",
        missing,
        b'{\n  "error": "failed to start kernel: spawn ./k.sh ENOENT",\n  "stderr": "",\n  "exitCode": null\n}',
        JSON,
        status=500,
        query="",
    ),
    Case(
        "buffered_413",
        None,
        b'{\n  "error": "request body exceeds 4 bytes"\n}',
        JSON,
        status=413,
        query="",
        path="/skills/uppercase",
        sent=b"hello",
    ),
    Case(
        "unknown_404",
        None,
        b'{\n  "error": "not found: /nope"\n}',
        JSON,
        status=404,
        query="",
        path="/nope",
    ),
    Case(
        "method_405",
        None,
        b'{\n  "error": "method DELETE not allowed for /skills"\n}',
        JSON,
        status=405,
        query="",
        path="/skills",
        method="DELETE",
    ),
]

CASES = [pytest.param(case, id=case.name) for case in STREAMED + BUFFERED]


def demo_with_a_small_limit() -> ModuleType:
    demo = load_module(find_examples() / "husk_skills.py")
    demo.BODY_LIMIT = 4  # type: ignore[attr-defined]  # the limit of the recorded answers
    return demo


def application() -> Any:
    """Every case under its own name; whatever has no handler of its own is the demo's."""
    demo = demo_with_a_small_limit()
    apps = {
        f"/{case.name}": SSEMiddleware(case.handler, dialect=Husk(output=case.output))
        for case in STREAMED + BUFFERED
        if case.handler is not None
    }

    async def app(scope: Any, receive: Any, send: Any) -> None:
        answer: Any = apps.get(scope.get("path"), demo.app)
        await answer(scope, receive, send)

    return app


@pytest.fixture(scope="module")
def server(http: Literal["h11", "httptools"]) -> Iterator[tuple[str, int]]:
    with serving(application(), http) as address:
        yield address


def ask(server: tuple[str, int], case: Case) -> Answer:
    with Client(server) as client:
        client.ask(case.target, method=case.method, body=case.sent, accept=case.accept)
        return client.answer()


@pytest.mark.parametrize("case", CASES)
def test_the_answer_is_what_husk_would_have_sent(server: tuple[str, int], case: Case) -> None:
    """D5, D6."""
    answer = ask(server, case)
    for _ in range(10):
        if answer.body == case.want:
            break
        # A busy machine lets two writes become one read, or a process be late.
        answer = ask(server, case)
    assert answer.body == case.want
    assert answer.status == case.status
    for name, want in case.headers.items():
        assert answer.headers[name] == want or (want == DURATION and re.fullmatch(want, answer.headers[name]))


@pytest.mark.parametrize("case", CASES)
def test_what_is_wanted_is_what_was_recorded(shared: Path, case: Case) -> None:
    recorded = shared / "golden" / "husk"
    assert (recorded / f"{case.name}.txt").read_bytes() == case.want
    head = recorded / f"{case.name}.head.txt"
    if not head.exists():
        return  # nobody was left to be told one
    status, *fields = head.read_text(encoding="utf-8").splitlines()
    assert int(status) == case.status
    # `connection` is Node's: HTTP/1.1 keeps connections alive without saying so.
    said = dict(field.split(": ", 1) for field in fields if not field.startswith("connection:"))
    assert {name: DURATION if value == "NN" else value for name, value in said.items()} == case.headers


def test_every_recorded_answer_has_its_case(shared: Path) -> None:
    recorded = {path.name.split(".")[0] for path in (shared / "golden" / "husk").iterdir()}
    assert recorded == {case.name for case in STREAMED + BUFFERED}
