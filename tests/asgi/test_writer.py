"""The stream as it is written: head, chunks, keepalives, the end; each at its time."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import pytest

from sseware import SSEMiddleware
from tests.asgi.fakes import FakeServer, answer, request, serving, turns, until

pytestmark = pytest.mark.anyio

KEEPALIVE = b": \n\n"


def pausing(*seconds: float) -> Callable[[], AsyncIterator[str]]:
    """Makes a handler that yields a letter after each pause."""

    async def handler() -> AsyncIterator[str]:
        for i, pause in enumerate(seconds):
            await anyio.sleep(pause)
            yield "abcdef"[i]

    return handler


def timeline(server: FakeServer) -> list[tuple[float, bytes]]:
    """What was sent and when; the head is ``HEAD``."""
    began = server.began  # type: ignore[attr-defined]  # set below
    return [
        (time - began, message.get("body", b"HEAD"))
        for time, message in zip(server.times, server.sent, strict=True)
    ]


async def stream(handler: Any, seconds: float | None = None, **options: Any) -> FakeServer:
    """Streams to the end, or for some seconds."""
    server = FakeServer()
    server.began = anyio.current_time()  # type: ignore[attr-defined]
    app = SSEMiddleware(handler, **options)
    if seconds is None:
        return await answer(app, server=server)
    async with serving(app, server=server):
        await anyio.sleep(seconds)
    return server


async def test_the_head_waits_for_the_first_event_and_no_longer() -> None:
    server = await stream(pausing(3, 1))
    assert timeline(server) == [(3, b"HEAD"), (3, b"data: a\n\n"), (4, b"data: b\n\n")]
    assert server.is_complete


async def test_the_head_does_not_wait_for_ever() -> None:
    """X2: daphne and granian hold the head back until there is a body."""
    server = await stream(pausing(8))
    assert timeline(server) == [(5, b"HEAD"), (5, KEEPALIVE), (8, b"data: a\n\n")]


async def test_without_a_head_timeout_the_head_goes_out_at_once() -> None:
    server = await stream(pausing(3), head_timeout=None)
    assert timeline(server)[:2] == [(0, b"HEAD"), (0, KEEPALIVE)]


async def test_a_handler_that_says_nothing_at_all_gives_an_empty_stream() -> None:
    server = await stream(pausing())
    assert timeline(server) == [(0, b"HEAD"), (0, b"")]


async def test_what_is_ready_leaves_in_one_message() -> None:
    async def burst() -> AsyncIterator[str]:
        for letter in "abc":
            yield letter

    server = await stream(burst)
    assert timeline(server) == [(0, b"HEAD"), (0, b"data: a\n\ndata: b\n\ndata: c\n\n")]
    assert server.is_complete


async def test_nothing_is_held_back_to_wait_for_more() -> None:
    server = await stream(pausing(1, 0.001, 0.001))
    assert [chunk for _, chunk in timeline(server)[1:4]] == [b"data: a\n\n", b"data: b\n\n", b"data: c\n\n"]


async def test_keepalives_come_at_exactly_15_30_and_45_seconds_of_silence() -> None:
    server = await stream(pausing(0, 1000), 50)
    assert timeline(server)[1:] == [(0, b"data: a\n\n"), (15, KEEPALIVE), (30, KEEPALIVE), (45, KEEPALIVE)]


async def test_a_keepalive_comes_in_silence_only() -> None:
    """C1."""
    server = await stream(pausing(*[10] * 5), keepalive=15)
    assert KEEPALIVE not in [chunk for time, chunk in timeline(server) if time > 5]


async def test_a_keepalive_counts_from_the_last_event() -> None:
    """C1."""
    server = await stream(pausing(0, 10, 100), 41)
    assert timeline(server)[1:] == [
        (0, b"data: a\n\n"),
        (10, b"data: b\n\n"),
        (25, KEEPALIVE),
        (40, KEEPALIVE),
    ]


async def test_keepalives_can_be_switched_off() -> None:
    server = await stream(pausing(0, 1000), 900, keepalive=None)
    assert timeline(server)[1:] == [(0, b"data: a\n\n")]


async def test_no_keepalive_comes_after_the_end() -> None:
    """C1."""
    server = await stream(pausing(0))
    await anyio.sleep(100)
    assert timeline(server) == [(0, b"HEAD"), (0, b"data: a\n\n")]


@pytest.mark.parametrize("sends", [0, 3])
async def test_keepalives_and_events_never_overlap(sends: int) -> None:
    """C1."""
    server = FakeServer(turns=sends)
    async with serving(SSEMiddleware(pausing(*[0.15] * 6), keepalive=0.01), server=server):
        await anyio.sleep(1)
    assert server.overlaps == 0
    frames = server.body.split(b"\n\n")
    assert frames.pop() == b""
    assert {frame for frame in frames if frame != b": "} == {b"data: " + b"%c" % c for c in b"abcdef"}
    assert frames.count(b": ") > 20


async def test_an_event_that_comes_with_a_due_keepalive_replaces_it() -> None:
    """C1."""
    server = await stream(pausing(0, 15, 3))
    assert [chunk for time, chunk in timeline(server) if time == 15] in (
        [b"data: b\n\n"],
        [KEEPALIVE, b"data: b\n\n"],
    )
    assert [chunk for time, chunk in timeline(server) if time > 15] == [b"data: c\n\n"]


async def test_a_reader_that_stalls_is_closed_and_its_handler_too(caplog: pytest.LogCaptureFixture) -> None:
    """C3."""
    closed: list[float] = []

    async def handler() -> AsyncIterator[str]:
        try:
            while True:
                yield "a" * 1000
                await anyio.sleep(1)
        finally:
            closed.append(anyio.current_time() - began)

    server, began = FakeServer(), anyio.current_time()
    async with anyio.create_task_group() as group:
        group.start_soon(SSEMiddleware(handler), request(), server.receive, server.send)
        await anyio.sleep(2.5)
        server.stall()
    assert closed == [33]
    assert caplog.messages == ["the client has not read for 30 s; its answer is broken off"]
    assert not server.is_complete


async def test_a_stalled_reader_holds_no_more_than_the_outbox() -> None:
    """C7."""
    yielded = 0

    async def handler() -> AsyncIterator[str]:
        nonlocal yielded
        while True:
            yielded += 1
            yield "x" * 100

    server = FakeServer()
    async with serving(SSEMiddleware(handler, outbox=(10, 65536), send_timeout=None), server=server):
        await until(lambda: server.chunks)
        server.stall()
        await turns(50)
        taken = server.body.count(b"\n\n")
        # What send holds, what is in the outbox, and the one that is being made.
        assert yielded - taken <= 21
    async with serving(SSEMiddleware(handler, outbox=(10**6, 1000), send_timeout=None)) as server:
        await until(lambda: server.chunks)
        assert max(map(len, server.chunks)) <= 1000 + 108


async def test_a_client_that_send_reports_gone_is_gone() -> None:
    """C2: ASGI 2.4."""
    closed: list[str] = []

    async def handler() -> AsyncIterator[str]:
        try:
            while True:
                yield "a"
                await anyio.sleep(1)
        finally:
            closed.append("closed")

    server = FakeServer()
    async with anyio.create_task_group() as group:
        group.start_soon(SSEMiddleware(handler), request(), server.receive, server.send)
        await anyio.sleep(2.5)
        server.fails = OSError("gone")
    assert closed == ["closed"]
    assert not server.is_complete


async def test_a_client_that_leaves_during_send_is_noticed() -> None:
    """C4: nothing else is sent."""
    server = FakeServer()
    async with serving(SSEMiddleware(pausing(0, 1, 1)), server=server):
        await anyio.sleep(0.5)
        server.stall()
        await anyio.sleep(1)
        sent = len(server.sent)
        server.disconnect()
        await turns()
        assert len(server.sent) == sent
    # The one that was under way is taken; servers do not break it off.
    assert len(server.sent) == sent + 1


async def test_a_reconnection_time_is_sent_first() -> None:
    server = await stream(pausing(0), retry=2.5)
    assert timeline(server)[1] == (0, b"retry: 2500\n\ndata: a\n\n")
    server = await stream(pausing(9), retry=0)
    assert timeline(server)[1] == (5, b"retry: 0\n\n")


async def test_a_stream_that_reaches_its_age_ends_cleanly_and_its_handler_is_closed() -> None:
    closed: list[float] = []

    async def handler() -> AsyncIterator[str]:
        try:
            yield "a"
            await anyio.sleep_forever()
        finally:
            closed.append(anyio.current_time())

    start = anyio.current_time()
    server = await stream(handler, max_age=100, keepalive=None)
    ((age, farewell),) = timeline(server)[2:]
    assert 80 <= age <= 100
    assert farewell == b": this stream has reached its age; reconnect\n\n"
    assert server.is_complete
    assert closed == [start + age]


async def test_ages_are_spread() -> None:
    ages = set()
    for _ in range(10):
        server = await stream(pausing(0, 1000), max_age=100, keepalive=None)
        ages.add(timeline(server)[-1][0])
    assert len(ages) == 10


async def test_a_stream_that_is_never_silent_reaches_its_age_too() -> None:
    async def busy() -> AsyncIterator[str]:
        while True:
            yield "a"
            await anyio.sleep(0.01)

    server = await stream(busy, max_age=10)
    assert 8 <= timeline(server)[-1][0] <= 10.01
    assert server.is_complete


async def test_a_stream_at_rest_wakes_up_for_nothing_but_keepalives() -> None:
    """Section 'Performance': none but the keepalives."""
    server = FakeServer()
    app = SSEMiddleware(pausing(0, 10**6), send_timeout=30)
    async with serving(app, server=server):
        await anyio.sleep(1)
        before = anyio.current_time()
        await anyio.sleep(150)
        assert [t - before for t in server.times if t > before] == [14.0 + 15 * i for i in range(10)]


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)  # Trio keeps cycles of its own
async def test_a_stream_that_ends_leaves_no_cycle_behind() -> None:
    """G2, G16: nothing waits for the garbage collector."""

    async def receive() -> Any:
        await anyio.sleep_forever()

    async def send(message: Any) -> None:
        sent.append(message["type"])

    app, sent = SSEMiddleware(pausing(0, 1)), list[str]()
    await app(request(), receive, send)
    gc.collect()
    gc.disable()
    try:
        await app(request(), receive, send)
        left = gc.collect()
    finally:
        gc.enable()
    assert len(sent) == 6
    assert left == 0
