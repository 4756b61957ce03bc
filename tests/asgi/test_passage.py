"""What a wrapped application sends is passed on, unless no server could make an answer of it."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from sseware.asgi import Settings
from sseware.asgi._menu import Menu
from sseware.asgi._passage import Passage
from sseware.errors import StreamError
from tests.asgi.fakes import FakeServer, Message, started, turns
from tests.asgi.fakes import body as messages_of

pytestmark = pytest.mark.anyio


def passage(server: FakeServer, method: str = "GET") -> Passage:
    return Passage(Menu(Settings()), server.receive, server.send, method)


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
    way = passage(server)
    for message in messages:
        await way.send(message)
    assert len(server.sent) == len(messages)
    assert all(sent is message for sent, message in zip(server.sent, messages, strict=True))
    way.check_answered()


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
    way = passage(server)
    for message in messages:
        await way.send(message)
    with pytest.raises(RuntimeError, match=fault):
        await way.send(wrong)
    assert server.sent == messages


async def test_an_answer_to_head_has_a_length_and_no_body() -> None:
    """H9."""
    server = FakeServer()
    way = passage(server, "HEAD")
    await way.send(start(200, length(5)))
    await way.send(body())
    assert server.is_complete


async def test_an_application_that_never_answers_is_told_of() -> None:
    """H11."""
    with pytest.raises(RuntimeError, match="returned without having sent"):
        passage(FakeServer()).check_answered()


async def test_a_negotiated_answer_varies_whoever_makes_it() -> None:
    """H2."""
    server = FakeServer()
    way = passage(server)
    way.varies = True
    message = start(500, (b"Vary", b"Origin"))
    await way.send(message)
    assert server.headers == {"vary": "Origin, Accept"}
    assert message == start(500, (b"Vary", b"Origin")), "what was given is not changed"


async def test_header_fields_that_can_be_read_once_are_read_once() -> None:
    """ASGI takes any iterable."""
    server = FakeServer()
    way = passage(server)
    await way.send({**start(), "headers": iter([length(1)])})
    with pytest.raises(RuntimeError, match="1 bytes more"):
        await way.send(body(b"ab"))
    assert server.headers == {"content-length": "1"}


async def test_two_tasks_that_send_take_turns() -> None:
    """C5."""
    server = FakeServer(turns=5)
    way = passage(server)
    await way.send(start())
    async with anyio.create_task_group() as group:
        for i in range(4):
            group.start_soon(way.send, body(b"%d" % i, more=True))
    assert server.overlaps == 0
    assert sorted(server.chunks) == [b"0", b"1", b"2", b"3"]


async def test_who_has_sent_the_head_may_send_the_rest_past_it_and_nobody_else_sends_meanwhile() -> None:
    """C5, H11."""
    server = FakeServer()
    way = passage(server)
    await way.send(start(trailers=True))
    send = way.lend()
    assert send is not None
    assert send == server.send
    for wrong in (body(b"mine", more=True), body(), PATH, ZEROCOPY, TRAILERS):
        with pytest.raises(RuntimeError, match="while a stream of its own is being sent"):
            await way.send(wrong)
    with pytest.raises(RuntimeError, match="twice"):
        await way.send(start())
    await send(body(b"a", more=True))
    way.take_back()
    way.take_back()
    await way.send(body(b"b"))
    assert server.chunks == [b"a", b"b"]
    with pytest.raises(RuntimeError, match="after the end"):
        await way.send(body())


async def test_the_way_is_not_lent_where_there_is_no_body_to_be_sent_or_somebody_sends() -> None:
    """C5, H11."""
    server = FakeServer()
    way = passage(server)
    assert way.lend() is None, "there is no head"
    await way.send(start())
    server.stall()
    async with anyio.create_task_group() as group:
        group.start_soon(way.send, body(b"a", more=True))
        await turns()
        assert way.lend() is None, "somebody sends"
        server.resume()
    await way.send(body())
    assert way.lend() is None, "the answer has ended"
    way.take_back()
    with pytest.raises(RuntimeError, match="after the end"):
        await way.send(body())


async def test_who_is_cancelled_while_it_sends_lets_the_next_one_go() -> None:
    server = FakeServer()
    way = passage(server)
    await way.send(start())
    server.stall()
    async with anyio.create_task_group() as group:
        with anyio.move_on_after(1):
            await way.send(body(b"a", more=True))
        group.start_soon(way.send, body(b"b", more=True))
        await turns()
        server.resume()
    assert server.chunks == [b"b"]


async def test_a_disconnect_is_asked_for_once_and_remembered_for_ever() -> None:
    """C6: hypercorn and daphne deliver it once."""
    server = FakeServer({"type": "http.disconnect"})
    way = passage(server)
    assert not way.gone
    assert [await way.receive() for _ in range(3)] == [{"type": "http.disconnect"}] * 3
    assert server.receives == 1
    assert way.gone
    way.check_answered()


@pytest.mark.parametrize("ends", ["as its client leaves", "as it is cancelled"])
async def test_a_call_that_was_passed_on_before_a_stream_began_is_never_joined_by_another(ends: str) -> None:
    """C8: granian answers two concurrent calls with a false disconnect."""
    server, told, received = FakeServer(), list[str](), list[Message]()
    way = passage(server)
    await way.receive()

    async def listen() -> None:
        received.append(await way.receive())

    async with anyio.create_task_group() as group:
        group.start_soon(listen)
        await turns()
        with anyio.CancelScope(shield=True):
            async with started(way.pump, lambda: told.append("gone")):
                if ends == "as it is cancelled":
                    group.cancel_scope.cancel()
                server.disconnect()
                await turns()
    assert told == ["gone"]
    assert received == ([{"type": "http.disconnect"}] if ends == "as its client leaves" else [])
    assert server.overlaps == 0


@pytest.mark.parametrize("asks", [True, False])
async def test_a_body_that_was_begun_to_be_read_before_a_stream_began_is_kept(asks: bool) -> None:
    """C7: one that nobody asks for is thrown away past the limit."""
    parts = [b"x" * 2**18] * 10
    server = FakeServer(*messages_of(*parts))
    way = passage(server)
    if asks:
        parts = parts[1:]
        await way.receive()
    async with started(way.pump):
        await turns()
        if asks:
            assert [await way.receive() for _ in parts] == [*messages_of(*parts)]
        else:
            with pytest.raises(StreamError, match="was not read in time"):
                await way.receive()
