"""An application that speaks one dialect serves a client that speaks another: 6 x 6, over a real server."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from functools import partial
from types import ModuleType
from typing import Any

import anyio
import pytest

from sseware import SSEMiddleware, StreamError, decode
from sseware.cli._demo import find_examples, load_module
from sseware.dialects import AnItem, translate
from sseware.items import Data, Failure, Text
from sseware.items import Finish as FinishItem
from tests.e2e.servers import Client, serving

NAMES = ["plain", "husk", "machpay", "ash", "hector", "chronos"]
PAIRS = list(itertools.product(NAMES, NAMES))


async def story() -> AsyncIterator[str]:
    yield "Once "
    yield "upon"


async def breaks_off() -> AsyncIterator[object]:
    yield "Once "
    yield Failure("the agent is tired")


async def refuses() -> AsyncIterator[object]:
    raise StreamError("no", status=403)
    yield ""


async def not_a_stream(scope: Any, receive: Any, send: Any) -> None:
    """A server that breaks off in the middle of nowhere."""
    headers = [(b"content-type", b"text/event-stream")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    body = b'event: chunk\ndata: {"text":"Once "}\n\n'
    await send({"type": "http.response.body", "body": body})


class Waits:
    """Goes on only when it is told that its first words have arrived."""

    def __init__(self) -> None:
        self.arrived = False

    async def __call__(self) -> AsyncIterator[str]:
        yield "first"
        while not self.arrived:
            await anyio.sleep(0.001)
        yield "second"


WAITS = Waits()


def application(example: ModuleType) -> Any:
    def upstream(kind: str, name: str, scope: Any) -> str:
        return f"/{kind}/{name}"

    def relay(kind: str, source: str) -> Any:
        return example.relay(partial(upstream, kind, source), source, ask=bytes)

    kinds = {"story": story, "broken": breaks_off}
    apps: dict[str, Any] = {
        f"/{kind}/{name}": SSEMiddleware(handler, dialect=name)
        for (kind, handler), name in itertools.product(kinds.items(), NAMES)
    }
    for kind, (source, target) in itertools.product(kinds, PAIRS):
        apps[f"/{kind}/{source}/{target}"] = SSEMiddleware(relay(kind, source), dialect=target)
    apps["/waits/ash"] = SSEMiddleware(WAITS, dialect=example.Ash(include_partial_messages=True))
    apps["/cut/machpay"] = not_a_stream
    apps["/refuses/ash"] = SSEMiddleware(refuses, dialect="ash")
    for path in ("waits/ash", "cut/machpay", "refuses/ash"):
        apps[f"/{path}/hector"] = SSEMiddleware(relay(*path.split("/")), dialect="hector")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await apps.get(scope.get("path"), example.app)(scope, receive, send)

    return app


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, int]]:
    with serving(application(load_module(find_examples() / "ash_for_hector.py")), "h11") as address:
        yield address


def ask(server: tuple[str, int], target: str, body: bytes = b"{}") -> tuple[int, bytes]:
    with Client(server) as client:
        client.ask(target, body=body, accept="text/event-stream")
        answer = client.answer()
    return answer.status, answer.body


async def items_of(body: bytes, dialect: str) -> list[AnItem]:
    return [item async for item in decode([body], dialect)]


def text_of(items: list[AnItem]) -> str:
    return "".join(item.text for item in items if isinstance(item, Text))


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_client_of_one_dialect_reads_a_server_of_another(
    server: tuple[str, int], source: str, target: str
) -> None:
    status, body = ask(server, f"/story/{source}/{target}")
    items = asyncio.run(items_of(body, target))
    assert (status, text_of(items)) == (200, "Once upon")
    assert not [item for item in items if isinstance(item, Failure | Data)]
    ends = [item for item in items if isinstance(item, FinishItem)]
    # The plain dialect tells of an end only where somebody has told of one before.
    assert len(ends) == ((source, target) != ("plain", "plain"))
    assert all(end.ok and items[-1] is end for end in ends)

    async def translated() -> bytes:
        _, spoken = await asyncio.to_thread(ask, server, f"/story/{source}")
        return b"".join([chunk async for chunk in translate([spoken], source, target)])

    assert text_of(asyncio.run(items_of(asyncio.run(translated()), target))) == "Once upon"


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_failure_travels_through_and_no_end_of_success_does(
    server: tuple[str, int], source: str, target: str
) -> None:
    _, body = ask(server, f"/broken/{source}/{target}")
    items = asyncio.run(items_of(body, target))
    (failure,) = [item for item in items if isinstance(item, Failure)]
    assert failure.message == "the agent is tired"
    assert not [item for item in items if isinstance(item, FinishItem) and item.ok and target != "ash"]


def test_the_example_answers_hectors_client_with_what_an_ash_server_says(server: tuple[str, int]) -> None:
    _, body = ask(server, "/agents/assistant/messages/stream", b'{"message": "Explain TCP"}')
    assert body.decode() == (
        'data: {"chunk": "You ask: Explain TCP. "}\n\n'
        'data: {"chunk": "[Tool: look_up(2)]\\n"}\n\n'
        'data: {"chunk": "found\\n"}\n\n'
        'data: {"chunk": "That is all."}\n\n'
        "data: [DONE]\n\n"
    )


def test_what_is_said_arrives_when_it_is_said(server: tuple[str, int]) -> None:
    with Client(server) as client:
        client.ask("/waits/ash/hector", body=b"{}", accept="text/event-stream")
        client.head()
        try:
            assert b'{"chunk": "first"}' in client.until(b"first")
        finally:
            WAITS.arrived = True
        assert b"second" in client.until(b"[DONE]")


@pytest.mark.parametrize(
    ("target", "body", "status", "want"),
    [
        pytest.param("/refuses/ash/hector", b"{}", 502, b"the agent refused", id="a-refusal"),
        pytest.param(
            "/agents/assistant/messages/stream", b"[]", 400, b"want a body like", id="a-bad-question"
        ),
        pytest.param(
            "/agents/assistant/messages/stream",
            b"x" * (2**20 + 1),
            413,
            b"too large",
            id="a-question-without-end",
        ),
        pytest.param("/cut/machpay/hector", b"{}", 200, b"the agent broke off", id="an-answer-without-end"),
    ],
)
def test_what_goes_wrong_is_told_as_hector_tells_it(
    server: tuple[str, int], target: str, body: bytes, status: int, want: bytes
) -> None:
    got, answer = ask(server, target, body)
    assert got == status
    assert want in answer
    assert b"[DONE]" not in answer


def test_an_agent_that_is_not_there_is_a_bad_gateway(
    server: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASH_URL", "http://127.0.0.1:9")
    status, answer = ask(server, "/agents/assistant/messages/stream", b'{"message": "x"}')
    assert status == 502
    assert b"cannot be reached" in answer
