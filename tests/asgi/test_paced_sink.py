"""What a dialect may want of time: a pause between events, a short lead, an end that an item brings."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any, Literal

import anyio
import msgspec
import pytest

from sseware import SSEMiddleware
from sseware.asgi._fold_sink import FoldSink
from sseware.asgi._menu import Menu
from sseware.asgi._paced_sink import PacedSink, open_sink
from sseware.asgi._plan import Plan
from sseware.asgi._runtime import current_runtime
from sseware.asgi._settings import Settings
from sseware.dialects import AnEvent, Dialect, StreamContext, get_dialect
from sseware.errors import ConfigurationError
from sseware.events import Comment, ServerSentEvent
from sseware.items import Failure, File, Finish, Log, Step, Text
from sseware.negotiation import Request
from sseware.plugins.chronos import Chronos
from sseware.plugins.hector import Hector
from tests.asgi.fakes import FakeServer, answer, request, serving, turns

pytestmark = pytest.mark.anyio

STREAM = request(accept="text/event-stream")


def events(server: FakeServer) -> list[tuple[float, str]]:
    """What was sent at which time, without the comment that opens a stream."""
    sent: dict[float, str] = {}
    for time, message in zip(server.times, server.sent, strict=True):
        if message.get("body", b"").strip(b":\n"):
            time = round(time, 3)
            sent[time] = sent.get(time, "") + message["body"].decode()
    return list(sent.items())


def chunk(text: str) -> str:
    return f'data: {{"chunk": "{text}"}}\n\n'


DONE = "data: [DONE]\n\n"


async def test_half_a_tenth_of_a_second_passes_between_two_chunks_and_none_elsewhere() -> None:
    async def handler() -> AsyncIterator[str]:
        yield "abcdef"
        yield "gh"

    server = await answer(SSEMiddleware(handler, dialect=Hector(chunk_size=2, delay_ms=50)), STREAM)
    assert events(server) == [
        (0.0, chunk("ab")),
        (0.05, chunk("cd")),
        (0.1, chunk("ef")),
        (0.15, chunk("gh") + DONE),
    ]


async def test_a_handler_that_is_slower_than_the_pause_does_not_wait() -> None:
    async def handler() -> AsyncIterator[str]:
        yield "a"
        await anyio.sleep(0.08)
        yield "b"
        yield "c"

    server = await answer(SSEMiddleware(handler, dialect=Hector(delay_ms=50)), STREAM)
    assert events(server) == [(0.0, chunk("a")), (0.08, chunk("b")), (0.13, chunk("c") + DONE)]


async def test_a_handler_in_a_thread_waits_too() -> None:
    def handler() -> Iterator[str]:
        yield "ab"
        yield "c"

    server = await answer(SSEMiddleware(handler, dialect=Hector(chunk_size=1, delay_ms=1000)), STREAM)
    assert events(server) == [(0.0, chunk("a")), (1.0, chunk("b")), (2.0, chunk("c") + DONE)]


async def test_a_comment_and_its_frame_are_not_parted() -> None:
    async def handler() -> AsyncIterator[str]:
        yield "ab"

    scope = request(accept="text/event-stream", query="debug=true")
    server = await answer(SSEMiddleware(handler, dialect=Hector(chunk_size=1, delay_ms=50)), scope)
    assert [(time, body.count("\n\n")) for time, body in events(server)] == [(0.0, 2), (0.05, 3)]
    assert events(server)[1][1].startswith(": chunk=2 ")


async def test_keepalives_go_out_in_a_long_pause() -> None:
    async def handler() -> AsyncIterator[str]:
        yield "ab"

    app = SSEMiddleware(handler, dialect=Hector(chunk_size=1, delay_ms=40_000), keepalive=15)
    server = await answer(app, STREAM)
    silences = [chunk for chunk in server.chunks if chunk.startswith(b":")]
    assert len(silences) == 2, "at 15 and at 30 seconds"


async def test_the_first_event_after_the_pause_takes_no_longer_for_items_without_bytes() -> None:
    async def handler() -> AsyncIterator[object]:
        for _ in range(200):
            yield Log("nothing that Hector shows")
        yield "a"

    server = await answer(SSEMiddleware(handler, dialect=Hector(delay_ms=50)), STREAM)
    assert events(server) == [(0.0, chunk("a") + DONE)]


async def test_whoever_leaves_in_a_pause_has_the_handler_closed_at_its_yield() -> None:
    closed: list[float] = []

    async def handler() -> AsyncIterator[str]:
        try:
            yield "abc"
        finally:
            await anyio.sleep(0)
            closed.append(anyio.current_time())

    app = SSEMiddleware(handler, dialect=Hector(chunk_size=1, delay_ms=60_000))
    async with serving(app, STREAM) as server:
        await anyio.sleep(1)
    assert closed == [1.0]
    assert events(server) == [(0.0, chunk("a"))]


async def test_what_a_deadline_interrupts_is_not_lost() -> None:
    async def handler() -> AsyncIterator[str]:
        with anyio.move_on_after(0.07):
            yield "abcd"
        yield "e"

    server = await answer(SSEMiddleware(handler, dialect=Hector(chunk_size=1, delay_ms=50)), STREAM)
    texts = "".join(body for _, body in events(server))
    assert texts == "".join(map(chunk, "abcde")) + DONE


async def test_an_exception_and_a_failure_come_at_once_after_what_was_yielded() -> None:
    async def raises() -> AsyncIterator[str]:
        with anyio.move_on_after(0.01):
            yield "ab"
        raise ValueError

    server = await answer(SSEMiddleware(raises, dialect=Hector(chunk_size=1, delay_ms=50)), STREAM)
    assert [time for time, _ in events(server)] == [0.0, 0.01]
    assert events(server)[1][1].startswith(chunk("b") + "event: error\n")

    async def fails() -> AsyncIterator[object]:
        yield "a"
        yield Failure("no")

    start = anyio.current_time()
    server = await answer(SSEMiddleware(fails, dialect=Hector(delay_ms=50)), STREAM)
    assert [time for time, _ in events(server)] == [start]


async def test_a_file_that_comes_first_is_still_the_answer() -> None:
    async def handler() -> AsyncIterator[object]:
        yield File(b"bytes")
        for _ in range(100):
            yield Log("more")

    server = await answer(SSEMiddleware(handler, dialect=Hector(delay_ms=50)), STREAM)
    assert server.body == b"bytes"


class _Opens:
    """A dialect's encoder that opens its stream with an event, and ends an item with a comment."""

    def start(self) -> Iterable[AnEvent]:
        return [ServerSentEvent("opened")]

    def encode(self, item: object) -> Iterable[AnEvent]:
        return [ServerSentEvent("a"), ServerSentEvent("b"), Comment("after")]

    def finish(self) -> Iterable[AnEvent]:
        return ()

    def fail(self, failure: Failure) -> Iterable[AnEvent]:
        return ()


class Paced:
    """The plain dialect with other attributes, and maybe an encoder of its own."""

    def __init__(self, encoder: Any = None, **attributes: Any) -> None:
        plain = get_dialect("plain")
        self.name = "paced"
        self.default: Literal["stream", "buffered"] = plain.default
        self.fold, self.decoder = plain.fold, plain.decoder
        self.open = plain.open if encoder is None else lambda context: encoder()
        self.__dict__.update(attributes)


def plan_for(dialect: Dialect) -> Plan:
    menu = Menu(Settings(dialect=dialect, outbox=(100, 1000)))
    return Plan(menu.choose(Request(accept="text/event-stream"), {})[1], StreamContext())


def open_for(dialect: Any) -> Any:
    runtime = current_runtime()
    plan, wake = plan_for(dialect), runtime.wake_up()
    return open_sink(plan, runtime, wake, lambda: FoldSink(plan, runtime, wake))


async def test_what_opens_a_stream_goes_with_its_first_event_and_a_last_comment_comes_alone() -> None:
    sink, outbox = open_for(Paced(_Opens, pause=1.0))
    assert sink.put("x") is False
    assert outbox.take() == b"data: opened\n\ndata: a\n\n"
    for want in (b"data: b\n\n", b": after\n\n"):
        async with anyio.create_task_group() as group:
            group.start_soon(sink.wait_room)
            with anyio.move_on_after(1.5):
                while not outbox.ready:
                    await anyio.sleep(0.1)
            sink.release()
        assert outbox.take() == want


async def test_without_a_pause_the_sink_is_the_plain_one() -> None:
    sink, _ = open_for(Hector())
    assert not isinstance(sink, PacedSink)


async def test_a_handler_runs_ahead_as_far_as_the_dialect_says() -> None:
    sink, _ = open_for(Hector(buffer_size=60))
    assert [sink.put("0123456789") for _ in range(2)] == [True, False]
    sink, _ = open_for(Hector(buffer_size=5000))
    assert [sink.put("0" * 500) for _ in range(3)] == [True, True, True], "it is not the middleware's 1000"


async def test_a_paced_handler_waits_for_its_reader_as_well() -> None:
    sink, outbox = open_for(Hector(chunk_size=1, delay_ms=50, buffer_size=30))
    assert sink.put("abc") is False
    async with anyio.create_task_group() as group:
        group.start_soon(sink.wait_room)
        await anyio.sleep(10)
        assert outbox.take().count(b"\n\n") == 2, "thirty bytes are two chunks"
        await anyio.sleep(10)
        assert outbox.take().count(b"\n\n") == 1


async def test_a_release_that_comes_before_the_wait_is_not_remembered() -> None:
    sink, outbox = open_for(Hector(chunk_size=1, delay_ms=50))
    sink.put("ab")
    sink.release()
    with anyio.fail_after(1):
        await sink.wait_room()
    assert outbox.take().count(b"\n\n") == 2


@pytest.mark.parametrize(
    "attributes",
    [
        {"pause": "1"},
        {"pause": -1.0},
        {"pause": float("inf")},
        {"pause": True},
        {"run_ahead": 0},
        {"run_ahead": 1.5},
    ],
    ids=str,
)
async def test_a_dialect_that_wants_nonsense_of_time_is_refused(attributes: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=f"{next(iter(attributes))} of 'paced' must be"):
        open_for(Paced(**attributes))


class Run:
    """A handler of steps that tells whether it was closed, and what it did after the last one that counts."""

    def __init__(self, *items: object) -> None:
        self.items = items
        self.log: list[str] = []

    async def __call__(self) -> AsyncIterator[object]:
        try:
            for item in self.items:
                yield item
            self.log.append("went on")
            await anyio.sleep_forever()
        finally:
            self.log.append("closed")


FIXED = Chronos(now=lambda: 0)
COMPLETED = Step("completed", state={"n": 1})


@pytest.mark.parametrize("kind", ["completed", "error", "interrupt"])
@pytest.mark.parametrize("pause", [0, 0.5])
async def test_a_step_that_ends_a_run_ends_the_stream_and_closes_the_handler(kind: str, pause: float) -> None:
    run = Run(Step("node_start", "a"), Step(kind, "a"), Text("too late"))
    dialect = FIXED if not pause else _with_pause(FIXED, pause)
    server = await answer(SSEMiddleware(run, dialect=dialect), STREAM)
    assert run.log == ["closed"]
    frames = server.body.decode().split("\n\n")
    assert [msgspec.json.decode(f.removeprefix("data: "))["type"] for f in frames if f] == [
        "node_start",
        kind,
    ]
    assert server.is_complete


def _with_pause(dialect: Chronos, pause: float) -> Any:
    return Paced(open=dialect.open, fold=dialect.fold, pause=pause)


async def test_a_step_that_ends_a_run_ends_the_buffered_answer_too() -> None:
    run = Run(COMPLETED, Text("too late"))
    server = await answer(SSEMiddleware(run, dialect=FIXED), request(accept="application/json"))
    assert run.log == ["closed"]
    assert [event["type"] for event in msgspec.json.decode(server.body)["events"]] == ["completed"]


class _EndsAtOnce(_Opens):
    """Is ended by its first item, and fails to finish."""

    ended = False

    def encode(self, item: object) -> Iterable[AnEvent]:
        self.ended = True
        return [ServerSentEvent("last")]

    def finish(self) -> Iterable[AnEvent]:
        raise ValueError

    def fail(self, failure: Failure) -> Iterable[AnEvent]:
        return [ServerSentEvent("bad", event="error")]


async def test_an_encoder_that_has_ended_may_still_fail_to_finish() -> None:
    run = Run("x")
    server = await answer(SSEMiddleware(run, dialect=Paced(_EndsAtOnce)), STREAM)
    assert run.log == ["closed"]
    assert server.body == b"data: opened\n\ndata: last\n\nevent: error\ndata: bad\n\n"


async def test_a_finish_item_is_not_paced() -> None:
    async def handler() -> AsyncIterator[object]:
        yield "a"
        yield Finish()

    server = await answer(SSEMiddleware(handler, dialect=Hector(delay_ms=50)), STREAM)
    assert events(server) == [(0.0, chunk("a") + DONE)]
    await turns(1)
