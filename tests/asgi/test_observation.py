"""Who watches a stream is told what happens on it, in order, and can harm nobody."""

from __future__ import annotations

import contextvars
import gc
import logging
import weakref
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any, Unpack

import anyio
import pytest

from sseware import EventStream, ServerSentEvent, SSEMiddleware, StreamError
from sseware.asgi import Access, Drain
from sseware.asgi._menu import Menu
from sseware.asgi._observation import observe
from sseware.asgi._observers import CommonObservers
from sseware.asgi._plan import Plan
from sseware.asgi._settings import Options, Settings
from sseware.dialects import (
    ObservedStream,
    Outcome,
    Plain,
    Registry,
    StreamContext,
    StreamObserver,
    StreamSummary,
    hookimpl,
)
from sseware.items import Failure, File, Finish
from sseware.negotiation import Request
from sseware.testing import cancel_everywhere
from tests.asgi.fakes import FakeServer, answer, body, request, serving, turns, until

pytestmark = pytest.mark.anyio

VARIABLE = contextvars.ContextVar("variable", default="outside")


class Diary(StreamObserver):
    """Writes down all that it is told, and in which task."""

    def __init__(self) -> None:
        self.entries: list[Any] = []
        self.streams: list[ObservedStream] = []
        self.tasks: list[tuple[str, int]] = []

    def _note(self, stream: ObservedStream, what: str, *entry: Any) -> None:
        self.streams.append(stream)
        self.entries.append((what, *entry) if entry else what)
        self.tasks.append((what, anyio.get_current_task().id))

    def on_open(self, stream: ObservedStream) -> None:
        self._note(stream, "open")

    def on_event(self, stream: ObservedStream, event: ServerSentEvent) -> None:
        self._note(stream, "event", event.event, event.data)

    def on_error(self, stream: ObservedStream, error: Exception) -> None:
        self._note(stream, "error", error)

    def on_close(self, stream: ObservedStream, summary: StreamSummary) -> None:
        self._note(stream, "close", summary)

    @property
    def summary(self) -> StreamSummary:
        """The one with which the one stream was closed."""
        (summary,) = [entry[1] for entry in self.entries if entry[0] == "close"]
        assert isinstance(summary, StreamSummary)
        return summary


class Closings(StreamObserver):
    """Wants to know of the end only."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []

    def on_close(self, stream: ObservedStream, summary: StreamSummary) -> None:
        self.outcomes.append(summary.outcome)


@pytest.fixture
def diary() -> Diary:
    return Diary()


async def test_an_observer_is_told_of_a_stream_from_its_beginning_to_its_end(diary: Diary) -> None:
    async def handler() -> AsyncIterator[Any]:
        await anyio.sleep(2)
        yield "a"
        await anyio.sleep(20)  # a keepalive is no event
        yield ServerSentEvent("b", event="note")
        await anyio.sleep(1)

    server = await answer(SSEMiddleware(handler, observers=[diary]), request("POST", "/x", query="a=b"))
    assert diary.entries[:3] == ["open", ("event", "message", "a"), ("event", "note", "b")]
    summary = diary.summary
    assert (summary.outcome, summary.events, summary.bytes) == (Outcome.FINISHED, 2, len(server.body))
    assert (summary.first_event, summary.duration) == pytest.approx((2.0, 23.0), abs=0.1)
    stream = diary.streams[0]
    assert all(each is stream for each in diary.streams)
    assert (stream.dialect, stream.method, stream.path) == ("plain", "POST", "/x")
    assert (stream.http_version, stream.carrier) == ("1.1", "http")


async def test_a_bare_response_is_observed_as_a_middleware_is(diary: Diary) -> None:
    await answer(EventStream(["a"], observers=[diary]))
    assert diary.entries[:-1] == ["open", ("event", "message", "a")]


async def test_a_response_that_has_observers_of_its_own_has_those_only() -> None:
    outer, inner = Closings(), Closings()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        options: Any = {"observers": (inner,)} if scope["path"] == "/own" else {}
        await EventStream(["a"], **options)(scope, receive, send)

    wrapped = SSEMiddleware(app, observers=[outer])
    for path in ("/", "/own"):
        await answer(wrapped, request(path=path))
    assert (len(outer.outcomes), len(inner.outcomes)) == (1, 1)


async def test_a_buffered_answer_and_a_head_are_no_streams(diary: Diary) -> None:
    async def handler() -> AsyncIterator[str]:
        yield "a"

    app = SSEMiddleware(handler, observers=[diary])
    await answer(app, request(accept="application/json"))
    await answer(app, request("HEAD"))
    await answer(app, request(accept="image/png"))
    assert diary.entries == []


async def test_an_answer_that_became_a_file_was_a_stream_without_events(diary: Diary) -> None:
    async def handler() -> AsyncIterator[File]:
        yield File(b"a\n\nb\n\n", "a.txt", "text/plain")

    await answer(SSEMiddleware(handler, observers=[diary]))
    summary = diary.summary
    assert (summary.outcome, summary.events, summary.first_event) == (Outcome.FINISHED, 0, None)


ERROR = ValueError("broken")


async def raises_first() -> AsyncIterator[str]:
    raise ERROR
    yield


async def raises_then() -> AsyncIterator[str]:
    yield "a"
    raise ERROR


async def yields_a_failure() -> AsyncIterator[Any]:
    yield "a"
    yield Failure("broken")


async def finishes_badly() -> AsyncIterator[Any]:
    yield "a"
    yield Finish(ok=False)


@pytest.mark.parametrize(
    ("handler", "errors"),
    [
        pytest.param(raises_first, [ERROR], id="before-the-head"),
        pytest.param(raises_then, [ERROR], id="in-mid-stream"),
        pytest.param(yields_a_failure, [], id="yielded-and-not-raised"),
        pytest.param(finishes_badly, [], id="finished-but-not-ok"),
    ],
)
async def test_a_stream_that_fails_is_told_as_failed(handler: Any, errors: list[Any], diary: Diary) -> None:
    await answer(SSEMiddleware(handler, observers=[diary]))
    assert [entry[1] for entry in diary.entries if entry[0] == "error"] == errors
    assert diary.summary.outcome == Outcome.FAILED


async def test_a_dialect_that_cannot_open_a_stream_has_failed(diary: Diary) -> None:
    class Closed(Plain, frozen=True):
        def open(self, context: StreamContext) -> Any:
            raise ERROR

    async def handler() -> AsyncIterator[str]:
        yield "a"

    server = await answer(SSEMiddleware(handler, dialect=Closed(name="closed"), observers=[diary]))
    assert server.status == 500
    assert diary.entries[:2] == ["open", ("error", ERROR)]
    assert diary.summary.outcome == Outcome.FAILED


async def endless() -> AsyncIterator[str]:
    while True:
        yield "a" * 1000
        await anyio.sleep(1)


async def test_a_client_that_leaves_has_left(diary: Diary) -> None:
    async with serving(SSEMiddleware(endless, observers=[diary])) as server:
        await until(lambda: server.chunks)
    assert diary.summary.outcome == Outcome.LEFT


async def test_a_client_that_left_before_the_head_has_left(diary: Diary) -> None:
    async def handler() -> AsyncIterator[str]:
        await anyio.sleep_forever()
        yield ""

    async with serving(SSEMiddleware(handler, observers=[diary])):
        await turns()
    assert (diary.summary.outcome, diary.summary.events) == (Outcome.LEFT, 0)


async def test_a_client_that_stops_reading_has_stalled(diary: Diary) -> None:
    server = FakeServer()
    async with serving(SSEMiddleware(endless, observers=[diary], send_timeout=5), server=server):
        await until(lambda: server.chunks)
        server.stall()
        await anyio.sleep(30)
        assert diary.summary.outcome == Outcome.STALLED


async def test_a_stream_that_reached_its_age_has_expired(diary: Diary) -> None:
    await answer(SSEMiddleware(endless, observers=[diary], max_age=10))
    assert diary.summary.outcome == Outcome.EXPIRED


async def test_a_stream_that_ends_because_the_server_stops_is_drained(diary: Diary) -> None:
    app = SSEMiddleware(endless, observers=[diary], drain=Drain(1.0))
    async with serving(app) as server:
        await until(lambda: server.chunks)
        assert app.drain is not None
        app.drain.begin()
        await until(lambda: server.is_complete)
    assert diary.summary.outcome == Outcome.DRAINED
    assert diary.summary.bytes == len(server.body), "the farewell is counted"
    assert diary.summary.events == sum(entry[0] == "event" for entry in diary.entries)


async def test_a_stream_whose_caller_gives_it_up_is_cancelled_wherever_it_stands() -> None:
    """G15: each stream that was opened is closed, exactly once."""
    opened, closings = Diary(), Closings()

    async def handler() -> AsyncIterator[str]:
        for letter in "abc":
            yield letter
            await anyio.sleep(0)

    async def scenario() -> None:
        await SSEMiddleware(handler, observers=[opened, closings])(request(), *io_of(FakeServer(turns=2)))

    seen = set()
    async for _ in cancel_everywhere(scenario, at="turn"):
        assert len(closings.outcomes) == opened.entries.count("open") <= 1
        seen.update(closings.outcomes)
        opened.entries.clear()
        closings.outcomes.clear()
    assert seen == {Outcome.CANCELLED, Outcome.FINISHED}


def io_of(server: FakeServer) -> tuple[Callable[[], Any], Callable[[Any], Any]]:
    return server.receive, server.send


async def test_a_server_that_breaks_leaves_a_failed_stream(diary: Diary) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await EventStream(["a"], observers=(diary,))(scope, receive, send)

    with pytest.raises(RuntimeError, match="twice"):
        await answer(SSEMiddleware(app))
    assert diary.summary.outcome == Outcome.FAILED


async def test_a_handler_that_exits_has_failed(diary: Diary) -> None:
    async def handler() -> AsyncIterator[str]:
        yield "a"
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        await answer(SSEMiddleware(handler, observers=[diary]))
    assert diary.summary.outcome == Outcome.FAILED


async def test_all_but_errors_are_told_in_the_task_and_context_of_the_request() -> None:
    class Sets(Diary):
        def on_open(self, stream: ObservedStream) -> None:
            super().on_open(stream)
            self.token = VARIABLE.set("observed")

        def on_close(self, stream: ObservedStream, summary: StreamSummary) -> None:
            super().on_close(stream, summary)
            VARIABLE.reset(self.token)

    seen, here, sets = [], anyio.get_current_task().id, Sets()

    async def handler() -> AsyncIterator[str]:
        seen.append(VARIABLE.get())
        yield "a"
        raise StreamError("enough")

    server = FakeServer()
    await SSEMiddleware(handler, observers=[sets])(request(), server.receive, server.send)
    assert seen == ["observed"]
    assert VARIABLE.get() == "outside"
    assert {what for what, task in sets.tasks if task == here} == {"open", "event", "close"}
    assert {what for what, task in sets.tasks if task != here} == {"error"}


class Fails(StreamObserver):
    """Raises where it is told to, and counts how often it was called."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.called: list[str] = []

    def _call(self, what: str) -> None:
        self.called.append(what)
        if what == self.where:
            raise OSError("the observer is broken")

    def on_open(self, stream: ObservedStream) -> None:
        self._call("on_open")

    def on_event(self, stream: ObservedStream, event: ServerSentEvent) -> None:
        self._call("on_event")

    def on_error(self, stream: ObservedStream, error: Exception) -> None:
        self._call("on_error")

    def on_close(self, stream: ObservedStream, summary: StreamSummary) -> None:
        self._call("on_close")


@pytest.mark.parametrize("where", ["on_open", "on_event", "on_error", "on_close"])
async def test_an_observer_that_fails_is_logged_once_and_harms_nobody(
    where: str, diary: Diary, caplog: pytest.LogCaptureFixture
) -> None:
    """T1: that stream only, and for that observer only."""

    async def handler() -> AsyncIterator[str]:
        yield "a"
        yield "b"
        raise StreamError("enough")

    fails = Fails(where)
    app = SSEMiddleware(handler, observers=[fails, diary])
    with caplog.at_level(logging.ERROR, "sseware"):
        first = await answer(app)
    broken = [record for record in caplog.records if "hears no more of this stream" in record.message]
    assert len(broken) == 1
    assert broken[0].exc_info
    assert fails.called[-1] == where, "it hears no more"
    assert fails.called.count(where) == 1
    kinds = [entry if isinstance(entry, str) else entry[0] for entry in diary.entries]
    assert (kinds[0], kinds[-1]) == ("open", "close")
    assert sorted(kinds[1:-1]) == ["error", "event", "event", "event"]
    assert (await answer(app)).body == first.body
    assert fails.called.count(where) == 2, "another stream is another matter"


async def test_over_a_websocket_the_messages_are_counted(diary: Diary) -> None:
    async def handler() -> AsyncIterator[str]:
        yield "héllo"

    server = FakeServer({"type": "websocket.connect"}, {"type": "websocket.receive", "text": "?"})
    app = SSEMiddleware(handler, dialect="hector", observers=[diary])
    with anyio.fail_after(100):
        await app(socket_scope(), server.receive, server.send)
    texts = [message["text"] for message in server.sent if message["type"] == "websocket.send"]
    summary = diary.summary
    assert diary.streams[0].carrier == "websocket"
    assert (summary.outcome, summary.events) == (Outcome.FINISHED, len(texts))
    assert summary.bytes == sum(len(text.encode()) for text in texts)
    assert [entry[0] for entry in diary.entries[1:-1]] == ["event"] * len(texts)


def socket_scope() -> dict[str, Any]:
    return {"type": "websocket", "path": "/", "headers": [], "query_string": b"", "http_version": "1.1"}


async def test_over_a_websocket_the_outcomes_are_the_same() -> None:
    closings = Closings()

    async def talk(handler: Any, server: FakeServer, **options: Any) -> None:
        app = SSEMiddleware(handler, dialect="hector", observers=[closings], **options)
        with anyio.fail_after(1000):
            await app(socket_scope(), server.receive, server.send)

    def socket() -> FakeServer:
        return FakeServer({"type": "websocket.connect"}, {"type": "websocket.receive", "text": "?"})

    await talk(raises_then, socket())
    leaving, stalling = socket(), socket()
    async with anyio.create_task_group() as group:
        group.start_soon(talk, endless, leaving)
        await until(lambda: len(leaving.sent) > 1)
        leaving.disconnect()
    async with anyio.create_task_group() as group:
        group.start_soon(lambda: talk(endless, stalling, send_timeout=3))
        await until(lambda: len(stalling.sent) > 1)
        stalling.stall()
    async with anyio.create_task_group() as group:
        cancelled = socket()
        group.start_soon(talk, endless, cancelled)
        await until(lambda: len(cancelled.sent) > 1)
        group.cancel_scope.cancel()
    assert closings.outcomes == [Outcome.FAILED, Outcome.LEFT, Outcome.STALLED, Outcome.CANCELLED]


async def test_a_dialect_that_cannot_open_a_stream_over_a_websocket_has_failed(diary: Diary) -> None:
    class Closed(Plain, frozen=True):
        def open(self, context: StreamContext) -> Any:
            raise ERROR

        def message_of(self, event: ServerSentEvent) -> str:
            return event.data

    async def handler() -> AsyncIterator[str]:
        yield "a"

    server = FakeServer({"type": "websocket.connect"}, {"type": "websocket.receive", "text": "?"})
    app = SSEMiddleware(handler, dialect=Closed(name="closed"), observers=[diary])
    await app(socket_scope(), server.receive, server.send)
    assert [entry if isinstance(entry, str) else entry[0] for entry in diary.entries] == [
        "open",
        "error",
        "close",
    ]


class Asks:
    """A plugin that provides an observer, and remembers for which options it was asked."""

    def __init__(self) -> None:
        self.asked: list[Settings] = []
        self.observer = Closings()

    @hookimpl
    def sseware_stream_observers(self, settings: Settings) -> Iterable[StreamObserver]:
        self.asked.append(settings)
        return [self.observer]


async def test_plugins_are_asked_once_for_an_application_and_all_that_is_in_it() -> None:
    plugin = Asks()
    registry = Registry({"asks": plugin}, installed=False)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await EventStream(["a"], headers={"x-not": "hashable"})(scope, receive, send)

    wrapped = SSEMiddleware(app, registry=registry, debug=True)
    for _ in range(3):
        await answer(wrapped)
    (settings,) = plugin.asked
    assert settings.debug
    assert plugin.observer.outcomes == [Outcome.FINISHED] * 3


async def test_a_response_with_a_registry_of_its_own_asks_the_plugins_in_there() -> None:
    plugin = Asks()
    registry = Registry({"asks": plugin}, installed=False)
    for _ in range(2):
        await answer(EventStream(["a"], registry=registry, debug=True))
    assert len(plugin.asked) == 1
    assert plugin.observer.outcomes == [Outcome.FINISHED] * 2


def plan_of(**options: Unpack[Options]) -> Plan:
    return Plan(Menu(Settings().replace(options)).choose(Request(), {})[1], StreamContext())


def test_where_nobody_overrides_anything_nothing_is_watched() -> None:
    nobody = observe(plan_of(observers=[StreamObserver()]))
    given: Any = object()
    assert nobody is observe(plan_of())
    assert (nobody.watch_sender(given), nobody.watch_sink(given), nobody.watch_messages(given)) == (
        given,
    ) * 3


def test_an_observer_that_is_given_twice_is_told_once() -> None:
    observers = plan_of(observers=[(closings := Closings()), closings]).dish.observers
    assert observers is not None
    assert (len(observers.on_close), observers.on_event) == (1, ())


EVENTS = 10_000


async def test_ten_thousand_events_cost_no_call_where_nobody_wants_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def handler() -> AsyncIterator[str]:
        for _ in range(EVENTS):
            yield "word"

    def forbidden(*args: object) -> None:
        raise AssertionError("an event was told")

    calls: list[str] = []

    class Counts(StreamObserver):
        def on_open(self, stream: ObservedStream) -> None:
            calls.append("open")

        def on_close(self, stream: ObservedStream, summary: StreamSummary) -> None:
            calls.append(f"close after {summary.events}")

    plugin = Asks()
    registry = Registry({"asks": plugin}, installed=False)
    app = SSEMiddleware(handler, observers=[Counts()], registry=registry)
    await answer(app, request("HEAD"))  # starts it up
    monkeypatch.setattr(StreamObserver, "on_event", forbidden)
    server = await answer(app)
    assert calls == ["open", f"close after {EVENTS}"]
    assert server.body.count(b"data: word\n\n") == EVENTS
    assert len(plugin.asked) == 1


async def test_the_request_body_is_still_the_handlers(diary: Diary) -> None:
    async def handler(scope: Any, receive: Any) -> AsyncIterator[bytes]:
        yield (await receive())["body"]

    server = await answer(
        SSEMiddleware(handler, observers=[diary]), request("POST"), server=FakeServer(*body(b"a"))
    )
    assert server.body.startswith(b"data: a\n\n")


class Stubborn:
    """A handler that does not let itself be ended, until it is let go."""

    def __init__(self) -> None:
        self.go = anyio.Event()

    async def __call__(self) -> AsyncIterator[str]:
        yield "a"
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await self.go.wait()
            raise ValueError("too late")


async def test_nothing_is_told_after_the_end_not_even_by_a_handler_that_was_abandoned(diary: Diary) -> None:
    """G6: and its slot is free."""
    access, stubborn = Access(max_streams=1), Stubborn()
    app = SSEMiddleware(stubborn, observers=[diary], cleanup_timeout=2, access=access)
    async with serving(app) as server:
        await until(lambda: server.chunks)
        server.disconnect()
        await anyio.sleep(5)
        assert access.statistics().open == 0
        assert diary.summary.outcome == Outcome.LEFT
        stubborn.go.set()
        await turns()
    assert diary.entries[-1] == ("close", diary.summary)


async def test_plugins_of_another_registry_are_asked_once_however_many_options_there_are() -> None:
    plugin = Asks()
    registry = Registry({"asks": plugin}, installed=False)
    for number in range(1, 60):
        await answer(EventStream(["a"], registry=registry, max_age=number))
    assert len(plugin.asked) == 1
    assert len(plugin.observer.outcomes) == 59


def test_a_registry_is_forgotten_with_its_observers() -> None:
    root, asks = CommonObservers(Settings()), Asks()
    registry = Registry({"asks": asks}, installed=False)
    for number in (1, 2):
        under = root.under(Settings(registry=registry, max_age=number))
        assert under.get() == (asks.observer,)
    assert len(asks.asked) == 1
    gone = weakref.ref(registry)
    asks.asked.clear()  # the settings that it was asked with have the registry
    del registry, under
    gc.collect()
    assert gone() is None
