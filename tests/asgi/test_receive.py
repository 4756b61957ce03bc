"""The one caller of ``receive``: each message to whoever reads, exactly once, and a disconnect that sticks."""

from __future__ import annotations

import logging
from typing import Any

import anyio
import pytest

from sseware.asgi._receive import ReceivePump
from sseware.errors import StreamError
from tests.asgi.fakes import FakeServer, Message, body, started, turns

pytestmark = pytest.mark.anyio

GONE = {"type": "http.disconnect"}


async def test_until_it_is_started_it_passes_through() -> None:
    server = FakeServer(*body(b"a", b"b"))
    pump = ReceivePump(server.receive)
    assert [await pump.receive() for _ in range(2)] == list(body(b"a", b"b"))
    assert server.receives == 2


async def test_each_message_goes_to_the_reader_exactly_once() -> None:
    """C8."""
    server = FakeServer(*body(b"a", b"b", b"c"))
    pump = ReceivePump(server.receive)
    first = await pump.receive()
    async with started(pump):
        await turns()
        rest = [await pump.receive(), await pump.receive()]
    assert [first, *rest] == list(body(b"a", b"b", b"c"))
    assert server.overlaps == 0


async def test_a_reader_waits_for_what_has_not_come() -> None:
    server = FakeServer(*body(b"a"))
    pump = ReceivePump(server.receive)
    received: list[Message] = []

    async def reader() -> None:
        while len(received) < 3:
            received.append(await pump.receive())

    async with started(pump), anyio.create_task_group() as group:
        group.start_soon(reader)
        await turns()
        assert received == [*body(b"a")]
        server.disconnect()
    assert received == [*body(b"a"), GONE, GONE]


async def test_several_readers_get_each_message_once() -> None:
    """C8."""
    server = FakeServer()
    server.incoming.clear()
    pump = ReceivePump(server.receive)
    received: list[Message] = []

    async def reader() -> None:
        received.append(await pump.receive())

    async with started(pump), anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(reader)
        await turns()
        server.disconnect()
    assert received == [GONE] * 3


async def test_stopping_what_was_never_started_is_nothing() -> None:
    pump = ReceivePump(FakeServer().receive)
    assert pump.stop() is None


async def test_a_disconnect_is_told_once_and_remembered_for_ever() -> None:
    """C6: hypercorn and daphne deliver it once."""
    server, told = FakeServer(*body(b"a")), list[str]()
    pump = ReceivePump(server.receive)
    async with started(pump, lambda: told.append("gone")):
        server.disconnect()
        await turns()
        assert (pump.gone, told) == (True, ["gone"])
        # What came before it is still there.
        assert [await pump.receive() for _ in range(3)] == [*body(b"a"), GONE, GONE]
    assert told == ["gone"]
    assert server.receives == 2


async def test_a_disconnect_that_was_seen_before_the_start_is_told_at_the_start() -> None:
    """G8."""
    server, told = FakeServer(GONE), list[str]()
    pump = ReceivePump(server.receive)
    assert await pump.receive() == GONE
    assert await pump.receive() == GONE
    async with started(pump, lambda: told.append("gone")):
        assert told == ["gone"]
    assert server.receives == 1


async def test_the_end_of_the_response_is_no_disconnect() -> None:
    server, told = FakeServer(), list[str]()
    pump = ReceivePump(server.receive)
    async with started(pump, lambda: told.append("gone")):
        await turns()
    assert (pump.gone, told) == (False, [])


async def test_after_the_end_the_server_is_asked_again() -> None:
    server = FakeServer(*body(b"a"))
    pump = ReceivePump(server.receive)
    async with started(pump):
        await turns()
    assert [await pump.receive()] == [*body(b"a")]
    server.disconnect()
    assert await pump.receive() == GONE
    assert pump.gone


async def test_a_second_answer_may_start_it_again() -> None:
    server, told = FakeServer(), list[str]()
    pump = ReceivePump(server.receive)
    async with started(pump):
        await turns()
    async with started(pump, lambda: told.append("gone")):
        server.disconnect()
        await turns()
    assert told == ["gone"]


async def test_a_call_that_was_passed_through_is_never_joined_by_another() -> None:
    """C8: granian answers two concurrent calls with a false disconnect."""
    server, told, received = FakeServer(), list[str](), list[Message]()
    pump = ReceivePump(server.receive)
    await pump.receive()

    async def listen() -> None:
        received.append(await pump.receive())

    async with anyio.create_task_group() as group:
        group.start_soon(listen)
        await turns()
        async with started(pump, lambda: told.append("gone")):
            await turns()
            server.disconnect()
            await turns()
    assert (received, told) == ([GONE], ["gone"])
    assert server.overlaps == 0


async def test_a_call_that_was_passed_through_and_cancelled_makes_way() -> None:
    server, told = FakeServer(), list[str]()
    pump = ReceivePump(server.receive)
    await pump.receive()
    async with anyio.create_task_group() as group:
        group.start_soon(pump.receive)
        await turns()
        async with started(pump, lambda: told.append("gone")):
            group.cancel_scope.cancel()
            server.disconnect()
            with anyio.CancelScope(shield=True):
                await turns()
    assert told == ["gone"]
    assert server.overlaps == 0


async def test_a_body_that_nobody_asks_for_is_not_kept_past_the_limit() -> None:
    """C7."""
    server, told = FakeServer(*body(*[b"x" * 600] * 100)), list[str]()
    pump = ReceivePump(server.receive, limit=4096)
    async with started(pump, lambda: told.append("gone")):
        server.disconnect()
        await turns()
        assert (server.receives, told) == (101, ["gone"])
        for _ in range(2):
            with pytest.raises(StreamError, match="not read in time; 4096 bytes of it are kept") as caught:
                await pump.receive()
            assert (caught.value.code, caught.value.status) == ("body_not_read", 413)


async def test_a_body_that_comes_byte_by_byte_is_limited_too() -> None:
    """A8."""
    server = FakeServer(*body(*[b"x"] * 100))
    pump = ReceivePump(server.receive, limit=8192)
    async with started(pump):
        await turns()
        with pytest.raises(StreamError):
            await pump.receive()


async def test_a_reader_that_is_slow_holds_the_server_up_and_loses_nothing() -> None:
    """C8."""
    parts = [b"%03d" % i * 200 for i in range(50)]
    server = FakeServer(*body(*parts))
    pump = ReceivePump(server.receive, limit=4096)
    async with started(pump):
        read = [(await pump.receive())["body"]]
        await turns()
        assert server.receives < 10
        while len(read) < 50:
            read.append((await pump.receive())["body"])
    assert read == parts


@pytest.mark.parametrize("breaks", [RuntimeError("no more"), KeyError("type")])
async def test_a_server_that_fails_to_receive_has_lost_its_client(
    breaks: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []

    async def receive() -> Any:
        raise breaks

    with caplog.at_level(logging.WARNING, "sseware"):
        async with started(ReceivePump(receive), lambda: told.append("gone")) as pump:
            await turns()
            assert await pump.receive() == GONE
    assert told == ["gone"]
    assert caplog.messages == ["receive() failed; the client counts as gone"]


async def test_a_message_that_is_none_has_lost_its_client_too(caplog: pytest.LogCaptureFixture) -> None:
    async with started(ReceivePump(FakeServer({"nonsense": True}).receive)) as pump:
        await turns()
        assert pump.gone
    assert len(caplog.messages) == 1
