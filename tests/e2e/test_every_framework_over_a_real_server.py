"""One handler, copied without change, under seven frameworks, over a real server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from sseware import EventStreamParser
from tests.e2e.servers import Answer, Client, HowToLeave, seconds_until, serving
from tests.integrations.frameworks import FRAMEWORKS

STREAMED = "text/event-stream"


class Served(NamedTuple):
    """A framework's application on a server, and what its handlers did."""

    address: tuple[str, int]
    seen: list[str]

    def ask(self, path: str, accept: str = "*/*", method: str = "GET") -> Answer:
        with Client(self.address) as client:
            client.ask(path, method=method, accept=accept)
            return client.answer()


def with_lifespan(app: Any) -> Any:
    """Django answers no lifespan; servers live with that unless they are told to insist, as ours is."""

    async def answers(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return
        for _ in range(2):
            message = await receive()
            await send({"type": f"{message['type']}.complete"})

    return answers


@pytest.fixture(scope="module", params=list(FRAMEWORKS))
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    seen: list[str] = []
    app = FRAMEWORKS[request.param](seen)
    with serving(with_lifespan(app) if request.param == "django" else app, "httptools") as address:
        yield Served(address, seen)


@pytest.mark.parametrize("path", ["/story/fox", "/by-hand/fox"])
def test_it_streams_in_two_dialects(served: Served, path: str) -> None:
    husk = served.ask(path, STREAMED)
    assert husk.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert husk.body == (
        b'event: stdout\ndata: Once \n\nevent: stdout\ndata: fox\n\nevent: done\ndata: {"ok":true,"exitCode":0}\n\n'
    )
    ash = served.ask(path, f"{STREAMED};dialect=ash")
    assert [each.event for each in EventStreamParser().feed(ash.body)][-1] == "done"
    assert b"event: stdout" not in ash.body


@pytest.mark.parametrize("path", ["/story/fox", "/by-hand/fox"])
def test_it_answers_buffered(served: Served, path: str) -> None:
    answer = served.ask(path)
    assert (answer.status, answer.body) == (200, b"Once fox")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-length"] == "8"


@pytest.mark.parametrize("path", ["/story/endless", "/by-hand/endless"])
@pytest.mark.parametrize("how", ["FIN", "RST"])
def test_its_cleanup_runs_when_the_client_leaves(served: Served, how: HowToLeave, path: str) -> None:
    served.seen.clear()
    with Client(served.address) as client:
        client.ask(path, method="GET", accept=STREAMED)
        client.head()
        client.until(b"Once ")
        assert served.seen == ["begun"]
        client.leave(how)
        seconds_until(lambda: "closed endless" in served.seen)


def test_its_cleanup_runs_when_the_client_leaves_a_buffered_answer(served: Served) -> None:
    served.seen.clear()
    with Client(served.address) as client:
        client.ask("/story/endless", method="GET")
        seconds_until(lambda: served.seen)
        client.leave("FIN")
        seconds_until(lambda: "closed endless" in served.seen)


def test_the_frameworks_own_refusal_keeps_status_and_headers(served: Served) -> None:
    answer = served.ask("/refused/me", STREAMED)
    assert (answer.status, answer.headers["x-why"]) == (404, "me")


def test_it_goes_on_after_an_answer_on_one_connection(served: Served) -> None:
    assert served.ask("/story/fox", STREAMED, "HEAD").body == b""
    assert served.ask("/story/fox").body == b"Once fox"
