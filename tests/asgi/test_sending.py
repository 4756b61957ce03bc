"""Calling ``send``: what may go wrong, and what it means."""

from __future__ import annotations

import logging

import anyio
import pytest

from sseware.asgi._runtime import current_runtime
from sseware.asgi._sending import ClientGone, ClientStalled, Sender
from tests.asgi.everywhere import no_task_is_left
from tests.asgi.fakes import FakeServer, Message

pytestmark = pytest.mark.anyio

MESSAGE = {"type": "http.response.body", "body": b"a", "more_body": True}


def sender(server: FakeServer, seconds: float | None = 30.0) -> Sender:
    return Sender(server.send, current_runtime(), seconds)


@pytest.mark.parametrize("seconds", [30.0, None])
async def test_a_message_is_sent_and_the_time_is_kept(seconds: float | None) -> None:
    server = FakeServer()
    send = sender(server, seconds)
    await anyio.sleep(7)
    await send(MESSAGE)
    assert server.sent == [MESSAGE]
    assert send.last == anyio.current_time()


@pytest.mark.parametrize("seconds", [30.0, None])
@pytest.mark.parametrize(
    "fails",
    [
        pytest.param(OSError("gone"), id="as-the-specification-has-it"),
        pytest.param(ConnectionResetError(), id="reset"),
        pytest.param(TimeoutError("of the socket"), id="a-timeout-of-the-socket-is-an-OSError"),
        pytest.param(anyio.BrokenResourceError(), id="a-broken-stream"),
        pytest.param(anyio.ClosedResourceError(), id="a-closed-stream"),
    ],
)
async def test_a_client_that_has_left_is_not_worth_a_line(
    fails: Exception, seconds: float | None, caplog: pytest.LogCaptureFixture
) -> None:
    """C2."""
    server = FakeServer()
    server.fails = fails
    with pytest.raises(ClientGone) as caught:
        await sender(server, seconds)(MESSAGE)
    assert not isinstance(caught.value, ClientStalled)
    assert caplog.messages == []


async def test_a_runtime_error_of_the_server_is_a_disconnect_and_a_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """C2, A7."""
    server = FakeServer()
    server.fails = RuntimeError("closed\nforged line")
    with pytest.raises(ClientGone):
        await sender(server)(MESSAGE)
    assert caplog.messages == [
        "send() failed (RuntimeError('closed\\nforged line')); the client counts as gone"
    ]


async def test_what_nobody_expects_is_not_hidden() -> None:
    server = FakeServer()
    server.fails = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        await sender(server)(MESSAGE)


async def test_a_reader_that_stalls_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    """C3."""
    server = FakeServer()
    server.stall()
    start = anyio.current_time()
    with caplog.at_level(logging.WARNING, "sseware"), pytest.raises(ClientStalled):
        await sender(server, 12.5)(MESSAGE)
    assert anyio.current_time() - start == 12.5
    assert caplog.messages == ["the client has not read for 12.5 s; its answer is broken off"]


async def test_without_a_limit_it_waits() -> None:
    server = FakeServer()
    server.stall()
    with anyio.move_on_after(10_000) as scope:
        await sender(server, None)(MESSAGE)
    assert scope.cancelled_caught


@pytest.mark.parametrize("anyio_backend", ["trio"], indirect=True)
async def test_a_message_that_cannot_be_broken_off_is_told_of_once_it_is_late() -> None:
    """C3: hypercorn's on Trio; a handler would wait for its reader for ever."""
    server, told = FakeServer(), list[float]()
    start = anyio.current_time()

    async def shielded(message: Message) -> None:
        with anyio.CancelScope(shield=True):
            await server.send(message)

    send = Sender(shielded, current_runtime(), 30.0)
    send.watch(lambda: told.append(anyio.current_time() - start))
    async with anyio.create_task_group() as group:
        server.stall()
        current_runtime().call_later(20, server.resume)
        await send(MESSAGE)
        await anyio.sleep(5)
        server.stall()
        group.start_soon(send, MESSAGE)
        await anyio.sleep(30)
        assert told == [], "the first one was in time, and the second one has had 30 s"
        await anyio.sleep(30)
        assert told == [55.25]
        server.resume()
    send.unwatch()
    assert len(server.sent) == 2


async def test_nobody_is_told_of_messages_that_are_in_time_or_can_be_broken_off() -> None:
    server, told = FakeServer(turns=1), list[str]()
    for seconds in (30.0, None):
        send = sender(server, seconds)
        send.watch(lambda: told.append("late"))
        async with no_task_is_left():
            await send(MESSAGE)
            await anyio.sleep(100)
            await send(MESSAGE)
            send.unwatch()
    assert told == []
