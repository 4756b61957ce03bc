"""One handler object, unchanged, for every client; and what it does when it raises."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any, Literal

import pytest

from sseware import EventStreamParser, SSEMiddleware, StreamError
from tests.e2e.servers import Answer, Client, serving

SECRET = "the password is swordfish"


async def shout(scope: Any, receive: Any) -> AsyncIterator[str]:
    message = await receive()
    for word in message["body"].decode().split():
        yield word.upper()


async def raises_at_once() -> AsyncIterator[str]:
    raise RuntimeError(SECRET)
    yield ""


async def refuses_at_once() -> AsyncIterator[str]:
    raise StreamError("no such story", code="not_found", status=404)
    yield ""


async def raises_later() -> AsyncIterator[str]:
    yield "one"
    raise RuntimeError(SECRET)


APPS = {
    "/husk": SSEMiddleware(shout, dialect="husk"),
    "/plain": SSEMiddleware(shout, dialect="plain"),
    "/both": SSEMiddleware(shout, dialect="husk", dialects=["plain"]),
    "/raises": SSEMiddleware(raises_at_once, dialect="husk"),
    "/refuses": SSEMiddleware(refuses_at_once, dialect="husk"),
    "/later": SSEMiddleware(raises_later, dialect="husk"),
    "/plain-later": SSEMiddleware(raises_later, dialect="plain"),
}


async def app(scope: Any, receive: Any, send: Any) -> None:
    await APPS[scope.get("path", "/husk")](scope, receive, send)


@pytest.fixture(scope="module")
def server(http: Literal["h11", "httptools"]) -> Iterator[tuple[str, int]]:
    with serving(app, http) as address:
        yield address


def ask(server: tuple[str, int], target: str, accept: str | None = "*/*", method: str = "POST") -> Answer:
    with Client(server) as client:
        client.ask(target, body=b"hello there", accept=accept, method=method)
        return client.answer()


HUSK = b'event: stdout\ndata: HELLO\n\nevent: stdout\ndata: THERE\n\nevent: done\ndata: {"ok":true,"exitCode":0}\n\n'
PLAIN = b"data: HELLO\n\ndata: THERE\n\n"
STREAM = "text/event-stream; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
JSON = "application/json; charset=utf-8"


@pytest.mark.parametrize(
    ("target", "accept", "media_type", "want"),
    [
        pytest.param("/husk?stream=1", "*/*", STREAM, HUSK, id="husk-streams-by-its-flag"),
        pytest.param("/husk", "text/event-stream", STREAM, HUSK, id="husk-streams-by-accept"),
        pytest.param("/husk", None, TEXT, b"HELLOTHERE", id="husk-is-buffered-for-everybody-else"),
        pytest.param("/husk?stream=true", "*/*", TEXT, b"HELLOTHERE", id="true-is-not-1"),
        pytest.param("/plain", "*/*", STREAM, PLAIN, id="plain-streams"),
        pytest.param(
            "/plain",
            "application/json",
            JSON,
            b'{"items":[{"type":"text","text":"HELLOTHERE"}],'
            b'"finish":{"ok":true,"exit_code":0,"result":null}}',
            id="plain-is-buffered-for-who-wants-json",
        ),
        pytest.param("/both?dialect=plain", None, STREAM, PLAIN, id="the-client-chooses-the-dialect"),
        pytest.param(
            "/both", "text/event-stream;dialect=plain", STREAM, PLAIN, id="the-client-chooses-it-by-accept"
        ),
    ],
)
def test_one_handler_answers_every_client(
    server: tuple[str, int], target: str, accept: str | None, media_type: str, want: bytes
) -> None:
    answer = ask(server, target, accept)
    assert (answer.status, answer.headers["content-type"], answer.body) == (200, media_type, want)
    assert answer.headers["vary"] == "Accept"


@pytest.mark.parametrize("query", ["", "?stream=1"])
def test_a_handler_that_raises_at_once_is_a_500(
    server: tuple[str, int], query: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = ask(server, f"/raises{query}")
    assert (answer.status, answer.headers["content-type"]) == (500, JSON)
    assert json.loads(answer.body) == {"error": "internal error"}
    assert SECRET in caplog.text


@pytest.mark.parametrize("query", ["", "?stream=1"])
def test_a_handler_that_refuses_at_once_has_its_own_status(server: tuple[str, int], query: str) -> None:
    answer = ask(server, f"/refuses{query}")
    assert (answer.status, answer.headers["content-type"]) == (404, JSON)
    assert json.loads(answer.body) == {"error": "no such story"}


@pytest.mark.parametrize("target", ["/later?stream=1", "/plain-later"])
def test_a_handler_that_raises_later_says_so_and_ends_cleanly(
    server: tuple[str, int], target: str, caplog: pytest.LogCaptureFixture
) -> None:
    # A body that was cut off would raise here.
    answer = ask(server, target)
    assert answer.status == 200
    text, error = EventStreamParser().feed(answer.body)
    assert text.data == "one"
    assert error.event == "error"
    assert "internal error" in error.data
    assert SECRET not in error.data
    assert SECRET in caplog.text


def test_a_buffered_answer_has_nothing_of_a_handler_that_raises_later(server: tuple[str, int]) -> None:
    answer = ask(server, "/later")
    assert answer.status == 500
    assert json.loads(answer.body) == {"error": "internal error"}


@pytest.mark.parametrize("target", ["/husk?stream=1", "/plain"])
def test_head_answers_the_fields_and_no_body(server: tuple[str, int], target: str) -> None:
    asked, head = ask(server, target), ask(server, target, method="HEAD")
    hidden = {"date", "transfer-encoding", "x-husk-duration-ms"}
    assert head.body == b""
    assert {n: v for n, v in head.headers.items() if n not in hidden} == {
        n: v for n, v in asked.headers.items() if n not in hidden
    }
