"""The driver turned around: a head, a body piece by piece, and a task that ends when the framework lets go."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from sseware import EventStream
from sseware.integrations._answer import Answer
from sseware.items import Finish
from tests.asgi.everywhere import no_task_is_left
from tests.asgi.fakes import request, until

pytestmark = pytest.mark.anyio

START = {"type": "http.response.start", "status": 200, "headers": [(b"x-a", b"1"), (b"x-a", b"2")]}


def piece(body: bytes, more: bool = True) -> Any:
    return {"type": "http.response.body", "body": body, "more_body": more}


class Fake(EventStream):
    """A stream whose messages are told, and what it does after each."""

    def __init__(self, *messages: Any, raises: BaseException | None = None, leaves: bool = False) -> None:
        super().__init__([])
        self.messages = messages
        self.raises = raises
        self.leaves = leaves
        self.sent = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            for message in self.messages:
                await send(message)
                self.sent += 1
        finally:
            if self.raises is not None:
                raise self.raises
        if self.leaves:
            await receive()


async def endless() -> AsyncIterator[str]:
    while True:
        yield "a"
        await anyio.sleep(1)


async def test_the_head_comes_first() -> None:
    answer = await Answer(Fake(START, piece(b"a", more=False)), request()).begin()
    assert (answer.status, answer.headers) == (200, [("x-a", "1"), ("x-a", "2")])
    assert [chunk async for chunk in answer] == [b"a"]


async def test_a_piece_is_sent_when_the_next_is_asked_for() -> None:
    stream = Fake(START, piece(b"a"), piece(b""), piece(b"b"), piece(b"", more=False))
    answer = await Answer(stream, request()).begin()
    assert await anext(answer) == b"a"
    await anyio.sleep(1)
    assert stream.sent == 1
    assert await anext(answer) == b"b"
    assert stream.sent == 3
    assert [chunk async for chunk in answer] == []
    await anyio.sleep(0)
    assert stream.sent == 5


async def test_what_is_raised_before_the_head_is_raised_at_the_beginning() -> None:
    with pytest.raises(LookupError, match="no"):
        await Answer(Fake(raises=LookupError("no")), request()).begin()


async def test_what_is_raised_after_it_is_raised_in_the_body() -> None:
    answer = await Answer(Fake(START, piece(b"a"), raises=LookupError("no")), request()).begin()
    assert await anext(answer) == b"a"
    with pytest.raises(LookupError, match="no"):
        await anext(answer)


async def test_a_body_that_was_given_up_does_not_end_as_if_it_were_whole() -> None:
    answer = await Answer(Fake(START, piece(b"a")), request()).begin()
    assert await anext(answer) == b"a"
    with pytest.raises(ConnectionAbortedError, match="its reader stalled"):
        await anext(answer)


@pytest.mark.parametrize("messages", [(), (START,)])
async def test_for_a_client_that_has_left_there_is_nothing(messages: Any) -> None:
    async def receive() -> Any:
        return {"type": "http.disconnect"}

    answer = await Answer(Fake(*messages, leaves=True), request(), receive).begin()
    assert answer.status == (200 if messages else 499)
    assert [chunk async for chunk in answer] == []


async def test_a_handler_is_closed_when_the_body_is_let_go() -> None:
    async with no_task_is_left():
        answer = await Answer(EventStream(endless()), request()).begin()
        assert await anext(answer) == b"data: a\n\n"
        await answer.aclose()
        await answer.aclose()


async def test_a_handler_is_closed_when_the_wait_for_a_piece_is_cancelled() -> None:
    async with no_task_is_left():
        answer = await Answer(EventStream(endless()), request()).begin()
        await anext(answer)
        with anyio.move_on_after(0.5) as scope:
            await anext(answer)
        assert scope.cancelled_caught


async def test_a_handler_is_closed_when_the_wait_for_the_head_is_cancelled() -> None:
    closed: list[str] = []

    async def late() -> AsyncIterator[str]:
        try:
            await anyio.sleep_forever()
            yield ""
        finally:
            closed.append("closed")

    async with no_task_is_left():
        with anyio.move_on_after(1) as scope:
            await Answer(EventStream(late()), request()).begin()
        assert scope.cancelled_caught
    assert closed == ["closed"]


async def test_one_that_never_began_may_be_let_go() -> None:
    answer = Answer(EventStream(endless()), request())
    answer.let_go()
    await answer.aclose()


async def test_what_fails_while_it_is_closed_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    answer = await Answer(
        Fake(START, piece(b"a"), piece(b"b"), raises=LookupError("late")), request()
    ).begin()
    assert await anext(answer) == b"a"
    with caplog.at_level(logging.ERROR, "sseware"):
        await answer.aclose()
    assert "the answer failed while it was closed" in caplog.text


async def test_the_client_does_not_wait_for_the_clean_up() -> None:
    closed: list[str] = []

    async def slow() -> AsyncIterator[object]:
        try:
            yield "a"
            yield Finish()
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(3)
            closed.append("closed")

    answer = await Answer(EventStream(slow()), request()).begin()
    assert [chunk.count(b"data: a") async for chunk in answer] == [1]
    await answer.aclose()
    assert closed == []
    await anyio.sleep(4)
    await until(lambda: closed)
