"""What a wrapped application sends is passed on, unless no server could make an answer of it."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from sseware.asgi._guard import SendGuard
from tests.asgi.fakes import FakeServer, Message, turns

pytestmark = pytest.mark.anyio


def start(status: int = 200, *headers: tuple[bytes, bytes], **more: Any) -> Message:
    return {"type": "http.response.start", "status": status, "headers": [*headers], **more}


def body(data: bytes = b"", *, more: bool = False) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": more}


def length(value: int) -> tuple[bytes, bytes]:
    return b"content-length", str(value).encode()


PATH = {"type": "http.response.pathsend", "path": "/etc/motd"}
ZEROCOPY = {"type": "http.response.zerocopysend", "file": 3, "more_body": True}
TRAILERS = {"type": "http.response.trailers", "headers": []}
HINT = {"type": "http.response.early_hint", "links": []}
DEBUG = {"type": "http.response.debug", "info": {}}
PUSH = {"type": "http.response.push", "path": "/x", "headers": []}


@pytest.mark.parametrize(
    "messages",
    [
        pytest.param([start(), body(b"a", more=True), body(b"b")], id="a-body-in-pieces"),
        pytest.param(
            [start(200, length(2)), body(b"a", more=True), body(b"b")], id="of-the-length-announced"
        ),
        pytest.param([start(200, (b"content-length", b"x")), body(b"a")], id="a-length-that-is-none"),
        pytest.param([HINT, DEBUG, PUSH, start(), body()], id="extensions-before-the-head"),
        pytest.param([start(), PATH], id="a-path"),
        pytest.param([start(200, length(9)), ZEROCOPY, body(b"a")], id="zerocopy"),
        pytest.param([start(trailers=True), body(), TRAILERS], id="trailers"),
        pytest.param([start(304, length(9)), body()], id="a-304-with-the-length-of-what-it-stands-for"),
        pytest.param([start(), {"type": "http.response.body"}], id="the-defaults-of-the-specification"),
        pytest.param([{"type": "http.response.start", "status": 204}, body()], id="no-headers"),
    ],
)
async def test_messages_pass_in_order_and_as_they_are(messages: list[Message]) -> None:
    """H13, H15."""
    server = FakeServer()
    guard = SendGuard(server.send, "GET")
    for message in messages:
        await guard(message)
    assert len(server.sent) == len(messages)
    assert all(sent is message for sent, message in zip(server.sent, messages, strict=True))
    guard.check_answered()


@pytest.mark.parametrize(
    ("messages", "wrong", "fault"),
    [
        pytest.param([start()], start(), "sent http.response.start twice", id="two-heads"),
        pytest.param([], body(), "sent http.response.body before http.response.start", id="body-first"),
        pytest.param([], PATH, "sent http.response.pathsend before", id="path-first"),
        pytest.param([start(), body()], body(), "after the end of the body", id="body-after-the-end"),
        pytest.param([start(), PATH], body(), "after the end of the body", id="body-after-a-path"),
        pytest.param([start(), body()], TRAILERS, "did not announce any", id="trailers-unannounced"),
        pytest.param([start(200, length(2))], body(b"abc", more=True), "1 bytes more than", id="too-much"),
        pytest.param([start(200, length(2))], body(b"a"), "1 bytes less than", id="too-little"),
    ],
)
async def test_what_comes_out_of_turn_is_refused_by_name(
    messages: list[Message], wrong: Message, fault: str
) -> None:
    """H11."""
    server = FakeServer()
    guard = SendGuard(server.send, "GET")
    for message in messages:
        await guard(message)
    with pytest.raises(RuntimeError, match=fault):
        await guard(wrong)
    assert server.sent == messages


async def test_an_answer_to_head_has_a_length_and_no_body() -> None:
    """H9."""
    server = FakeServer()
    guard = SendGuard(server.send, "HEAD")
    await guard(start(200, length(5)))
    await guard(body())
    assert server.is_complete


async def test_an_application_that_never_answers_is_told_of() -> None:
    """H11."""
    with pytest.raises(RuntimeError, match="returned without having sent"):
        SendGuard(FakeServer().send, "GET").check_answered()


async def test_a_negotiated_answer_varies_whoever_makes_it() -> None:
    """H2."""
    server = FakeServer()
    guard = SendGuard(server.send, "GET")
    guard.varies = True
    message = start(500, (b"Vary", b"Origin"))
    await guard(message)
    assert server.headers == {"vary": "Origin, Accept"}
    assert message == start(500, (b"Vary", b"Origin")), "what was given is not changed"


async def test_header_fields_that_can_be_read_once_are_read_once() -> None:
    """ASGI takes any iterable."""
    server = FakeServer()
    guard = SendGuard(server.send, "GET")
    await guard({**start(), "headers": iter([length(1)])})
    with pytest.raises(RuntimeError, match="1 bytes more"):
        await guard(body(b"ab"))
    assert server.headers == {"content-length": "1"}


async def test_two_tasks_that_send_take_turns() -> None:
    """C5."""
    server = FakeServer(turns=5)
    guard = SendGuard(server.send, "GET")
    await guard(start())
    async with anyio.create_task_group() as group:
        for i in range(4):
            group.start_soon(guard, body(b"%d" % i, more=True))
    assert server.overlaps == 0
    assert sorted(server.chunks) == [b"0", b"1", b"2", b"3"]


async def test_who_is_cancelled_while_it_sends_lets_the_next_one_go() -> None:
    server = FakeServer()
    guard = SendGuard(server.send, "GET")
    await guard(start())
    server.stall()
    async with anyio.create_task_group() as group:
        with anyio.move_on_after(1):
            await guard(body(b"a", more=True))
        group.start_soon(guard, body(b"b", more=True))
        await turns()
        server.resume()
    assert server.chunks == [b"b"]
