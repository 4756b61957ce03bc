"""What takes a stream to be tested, and therefore sseware."""

import asyncio
import os

import chatroom
import pytest

from sseware.testing import assert_cadence

# anyio, or asyncio: who runs these tests.
pytestmark = [getattr(pytest.mark, os.environ.get("RUNNER", "asyncio")), pytest.mark.sse(timeout=1)]


async def test_whoever_listens_hears_what_is_said(sse_connect):
    async with sse_connect(chatroom.app, "/listen") as stream:
        await chatroom.say("hello")
        assert (await stream.next()).data == "hello"


async def test_nobody_listens_who_has_left(sse_connect):
    async with sse_connect(chatroom.app, "/listen") as stream:
        await asyncio.sleep(0)
        await stream.disconnect()
    assert chatroom.listeners == set()


async def test_whoever_comes_back_misses_nothing(sse_connect):
    chatroom.said.extend("abcd")
    async with sse_connect(chatroom.app, "/listen") as stream:
        assert [event.data for event in await stream.take(2)] == ["a", "b"]
        async with stream.reconnect(last_event_id="1") as again:
            assert [event.data for event in await again.take(2)] == ["c", "d"]


async def test_silence_is_never_longer_than_15_seconds(sse_connect, sse_clock):
    chatroom.said.append("hello")
    async with sse_connect(chatroom.app, "/listen") as stream:
        await stream.next()
        await stream.quiet(50)
        assert_cadence(stream, every=15)


async def test_a_client_hears_it_too(sse_client):
    chatroom.said.append("hello")
    async with sse_client(chatroom.app) as client, client.stream("GET", "/listen") as response:
        lines = response.aiter_lines()
        assert [await anext(lines), await anext(lines)] == ["id: 0", "data: hello"]


async def test_nobody_is_told_of_typing_who_has_left(sse_connect):
    async with sse_connect(chatroom.app, "/typing") as stream:
        assert (await stream.next()).data == "nobody"
