"""FAULTS, section 5: an error is told as what it is, once, and never taken for a success."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

import anyio
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sseware import EventStream, ServerSentEvent, SSEMiddleware, StreamError
from sseware.dialects import AnItem, DialectEncoder, DialectFold, Plain, StreamContext
from sseware.items import Failure, Finish, Text
from tests.asgi.fakes import FakeServer, answer, request, serving, turns

pytestmark = pytest.mark.anyio

SECRET = "the password is swordfish"
STREAM, BUFFERED = request(accept="text/event-stream"), request(accept="application/json, text/plain")


def raising(exc: BaseException, *first: object, pause: float = 0.0) -> Callable[[], AsyncIterator[object]]:
    """Makes a handler that yields, pauses and raises."""

    async def handler() -> AsyncIterator[object]:
        for item in first:
            yield item
        await anyio.sleep(pause)
        raise exc

    return handler


# -- before anything was sent -------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", [STREAM, BUFFERED], ids=["stream", "buffered"])
@pytest.mark.parametrize(
    ("exc", "status", "told"),
    [
        pytest.param(ValueError(SECRET), 500, "internal error", id="any-exception"),
        pytest.param(
            StreamError("too fast", code="rate_limit", status=429), 429, "too fast", id="a-StreamError"
        ),
        pytest.param(HTTPException(404, "no such skill"), 404, "no such skill", id="an-HTTPException"),
        pytest.param(
            ExceptionGroup("g", [StreamError("busy", status=503)]), 503, "busy", id="in-a-group-of-one"
        ),
    ],
)
async def test_an_exception_before_the_first_event_is_a_real_error(
    exc: Exception, status: int, told: str, scope: Any
) -> None:
    """X1, X9: never a 200 and a dropped socket."""
    server = await answer(SSEMiddleware(raising(exc)), scope)
    assert server.status == status
    assert server.headers["content-type"] == "application/json; charset=utf-8"
    assert server.headers["vary"] == "Accept"
    assert f'"message":"{told}"'.encode() in server.body
    assert SECRET.encode() not in server.body
    assert server.is_complete


async def test_such_an_exception_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """X1, X4."""
    await answer(SSEMiddleware(raising(ValueError(SECRET))))
    assert caplog.messages == ["the handler failed before anything was sent"]
    assert SECRET in caplog.text


async def test_what_a_StreamError_has_to_tell_is_not_worth_a_line(caplog: pytest.LogCaptureFixture) -> None:
    await answer(SSEMiddleware(raising(StreamError("no"))))
    assert caplog.messages == []


async def test_an_exception_after_the_head_timeout_is_told_in_the_stream() -> None:
    """X2, X3."""
    server = await answer(SSEMiddleware(raising(ValueError(SECRET), pause=6)))
    assert server.status == 200
    assert server.chunks[0] == b": \n\n"
    assert b"event: error\n" in server.body
    assert server.is_complete


async def test_a_framework_answers_such_an_exception_as_it_answers_any_other() -> None:
    """X1, X9, H2."""

    async def endpoint(request: Request) -> Any:
        return EventStream(raising(HTTPException(418, "short and stout", {"x-teapot": "yes"}))())

    app = SSEMiddleware(Starlette(routes=[Route("/", endpoint)]))
    server = await answer(app)
    assert (server.status, server.body) == (418, b"short and stout")
    assert server.headers["x-teapot"] == "yes"
    assert server.headers["vary"] == "Accept", "it depends on Accept, whoever answered"


async def test_a_frameworks_own_handler_gets_the_bare_exception() -> None:
    """X9: not wrapped in a group."""
    seen: list[BaseException] = []

    async def on_value_error(request: Request, exc: Exception) -> Response:
        seen.append(exc)
        return JSONResponse({"oops": True}, 422)

    async def endpoint(request: Request) -> Any:
        return EventStream(raising(exc)())

    exc = ValueError(SECRET)
    app = Starlette(routes=[Route("/", endpoint)], exception_handlers={ValueError: on_value_error})
    server = await answer(app)
    assert (server.status, seen) == (422, [exc])


async def test_a_frameworks_handler_may_answer_with_another_stream() -> None:
    async def on_value_error(request: Request, exc: Exception) -> Any:
        return EventStream(["sorry"])

    async def endpoint(request: Request) -> Any:
        return EventStream(raising(ValueError())())

    app = Starlette(routes=[Route("/", endpoint)], exception_handlers={ValueError: on_value_error})
    for each in (app, SSEMiddleware(app)):
        server = await answer(each)
        assert server.body == b"data: sorry\n\n"


async def test_the_servers_own_500_is_what_is_left_of_any_other() -> None:
    """X1: the exception leaves as it is."""
    exc = ValueError(SECRET)
    server = FakeServer()
    with pytest.raises(ValueError, match="swordfish") as caught:
        await EventStream(raising(exc)())(request(), server.receive, server.send)
    assert caught.value is exc
    assert server.sent == []


async def test_a_StreamError_is_answered_by_the_dialect_in_a_framework_too() -> None:
    server = await answer(EventStream(raising(StreamError("busy", status=503))()))
    assert server.status == 503


async def test_an_item_that_cannot_be_sent_is_an_error_before_the_head() -> None:
    """X1, E11."""
    server = await answer(SSEMiddleware(lambda: [object()]))
    assert server.status == 500


async def test_a_handler_that_cannot_even_be_called_is_an_error_before_the_head() -> None:
    def handler(scope: Any) -> Any:
        raise ValueError(SECRET)

    assert (await answer(SSEMiddleware(handler))).status == 500
    assert (await answer(SSEMiddleware(lambda: "text"))).status == 500


async def test_a_client_that_left_before_the_head_is_told_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """X1: what the handler raises on its way out is logged, and nobody is asked to answer it."""

    async def handler() -> AsyncIterator[str]:
        try:
            await anyio.sleep_forever()
            yield "a"
        finally:
            raise ValueError(SECRET)

    for make in (SSEMiddleware, lambda handler: EventStream(handler())):
        for scope in (STREAM, BUFFERED):
            caplog.clear()
            async with serving(make(handler), scope) as server:
                await turns()
            assert server.sent == []
            assert caplog.messages == ["the handler failed while it was closed"]


# -- in mid-stream ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dialect", "failure"),
    [
        pytest.param("plain", b"event: error\n", id="plain"),
        pytest.param("husk", b"event: error\ndata: internal error\n\n", id="husk"),
    ],
)
async def test_an_exception_in_mid_stream_is_the_dialects_failure_and_a_clean_end(
    dialect: str, failure: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """X3, X4, X6: no terminator of success."""
    server = await answer(SSEMiddleware(raising(ValueError(SECRET), "a", pause=1), dialect=dialect), STREAM)
    assert server.status == 200
    assert failure in server.body
    assert SECRET.encode() not in server.body
    assert b"finish" not in server.body
    assert b"done" not in server.body
    assert server.is_complete
    assert caplog.messages == ["the handler failed in mid-stream"]
    assert SECRET in caplog.text


async def test_an_exception_right_after_the_first_event_is_one_in_mid_stream() -> None:
    """X3: whether or not the writer has had its turn."""
    server = await answer(SSEMiddleware(raising(ValueError(SECRET), "a")))
    assert server.status == 200
    assert server.body.startswith(b"data: a\n\nevent: error\n")


async def test_a_StreamError_in_mid_stream_tells_its_text() -> None:
    """X4."""
    server = await answer(SSEMiddleware(raising(StreamError("out of tokens", code="quota"), "a")))
    assert b'{"message":"out of tokens","code":"quota"' in server.body


async def test_debug_tells_the_text_of_any() -> None:
    """X4."""
    server = await answer(SSEMiddleware(raising(ValueError(SECRET), "a"), debug=True))
    assert SECRET.encode() in server.body


@pytest.mark.parametrize("end", [Finish(), Failure("no")])
async def test_nothing_that_comes_after_an_end_is_sent(end: object) -> None:
    """X6, D1."""
    server = await answer(SSEMiddleware(lambda: ["a", end, "b", Finish(), Failure("again")]))
    assert server.body.count(b"event: ") == 1
    assert b"data: b" not in server.body


# -- a dialect that raises -----------------------------------------------------------------------------------------


class Faulty(Plain, frozen=True):
    """A dialect that raises where it is told to.

    Attributes:
        where: The methods that raise.
    """

    where: tuple[str, ...] = ()

    def open(self, context: StreamContext) -> Any:
        self.check("open")
        return _FaultyEncoder(self, super().open(context))

    def fold(self, context: StreamContext) -> Any:
        self.check("fold")
        return _FaultyFold(self, super().fold(context))

    def check(self, where: str) -> None:
        if where in self.where:
            raise ZeroDivisionError(f"{SECRET} in {where}")


class _FaultyEncoder:
    def __init__(self, dialect: Faulty, encoder: DialectEncoder) -> None:
        self._dialect = dialect
        self._encoder = encoder

    def start(self) -> Iterable[Any]:
        self._dialect.check("start")
        return [ServerSentEvent("opened")]

    def encode(self, item: AnItem) -> Iterable[Any]:
        self._dialect.check("encode")
        if item == Text("b"):
            self._dialect.check("encode b")
        return self._encoder.encode(item)

    def finish(self) -> Iterable[Any]:
        self._dialect.check("finish")
        return self._encoder.finish()

    def fail(self, failure: Failure) -> Iterable[Any]:
        self._dialect.check("fail")
        return self._encoder.fail(failure)


class _FaultyFold:
    def __init__(self, dialect: Faulty, fold: DialectFold) -> None:
        self._dialect = dialect
        self._fold = fold

    @property
    def size(self) -> int:
        return self._fold.size

    def add(self, item: AnItem) -> None:
        self._dialect.check("add")
        self._fold.add(item)

    def finish(self) -> Any:
        self._dialect.check("fold finish")
        return self._fold.finish()

    def fail(self, failure: Failure) -> Any:
        self._dialect.check("fold fail")
        return self._fold.fail(failure)


@pytest.mark.parametrize("where", ["open", "start", "encode"])
async def test_a_dialect_that_raises_before_anything_was_sent_is_a_real_error(where: str) -> None:
    """X5, X1."""
    server = await answer(SSEMiddleware(lambda: ["a"], dialect=Faulty(where=(where,))))
    assert server.status == 500
    assert b"internal error" in server.body
    assert SECRET.encode() not in server.body


async def test_a_dialect_that_raises_in_mid_stream_is_a_failure() -> None:
    """X5."""
    server = await answer(SSEMiddleware(lambda: ["a", "b"], dialect=Faulty(where=("encode b",))))
    assert server.body.startswith(b"data: opened\n\ndata: a\n\nevent: error\n")
    assert server.is_complete


async def test_a_dialect_that_cannot_end_well_ends_badly() -> None:
    """X5, X6."""
    for handler in (lambda: ["a"], lambda: ["a", Finish()]):
        server = await answer(SSEMiddleware(handler, dialect=Faulty(where=("finish",))))
        assert b"event: error\n" in server.body
        assert b"finish" not in server.body
        assert server.is_complete


async def test_a_dialect_that_cannot_even_end_badly_ends_with_a_minimal_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """X5: both are logged."""
    dialect = Faulty(where=("fail",))
    server = await answer(SSEMiddleware(raising(ValueError("first"), "a"), dialect=dialect))
    assert server.body.endswith(b"event: error\ndata: internal error\n\n")
    assert server.is_complete
    assert caplog.messages == ["the handler failed in mid-stream", "the dialect could not encode its failure"]


async def test_a_dialect_that_can_do_nothing_after_the_head_ends_with_a_minimal_error() -> None:
    """X5, X2."""
    dialect = Faulty(where=("start", "encode", "finish", "fail"))
    server = await answer(SSEMiddleware(lambda: ["a"], dialect=dialect, head_timeout=None))
    assert server.body.endswith(b"event: error\ndata: internal error\n\n")
    assert server.is_complete


@pytest.mark.parametrize("where", ["fold", "add", "fold finish"])
@pytest.mark.parametrize("tells", [True, False])
async def test_a_dialect_that_cannot_fold_is_a_real_error(
    where: str, tells: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """X5, X7."""
    dialect = Faulty(where=(where,) if tells else (where, "fold fail"))
    with caplog.at_level(logging.ERROR, "sseware"):
        server = await answer(SSEMiddleware(lambda: ["a"], dialect=dialect), BUFFERED)
    assert server.status == 500
    assert b"internal error" in server.body
    assert server.headers["vary"] == "Accept"
    assert caplog.messages[0] == "the handler failed before anything was sent"
    assert ("the dialect could not tell its failure" in caplog.messages) is (not tells or where == "fold")


async def test_a_dialect_that_raises_in_a_framework_is_the_frameworks_to_answer() -> None:
    server = FakeServer()
    response = EventStream(["a"], dialect=Faulty(where=("open",)))
    with pytest.raises(ZeroDivisionError):
        await response(request(), server.receive, server.send)


# -- buffered ------------------------------------------------------------------------------------------------------


async def test_an_exception_half_way_through_a_buffered_answer_leaves_nothing_of_it() -> None:
    """X7."""
    server = await answer(SSEMiddleware(raising(ValueError(SECRET), "partial", pause=1)), BUFFERED)
    assert server.status == 500
    assert b"partial" not in server.body
    assert SECRET.encode() not in server.body
    assert server.is_complete


async def test_a_buffered_answer_that_grows_too_large_is_an_error(caplog: pytest.LogCaptureFixture) -> None:
    """X8."""
    closed: list[str] = []

    async def endless() -> AsyncIterator[str]:
        try:
            while True:
                yield "x" * 1000
        finally:
            closed.append("closed")

    for make in (
        lambda: SSEMiddleware(endless, buffer=(10_000, 60.0)),
        lambda: EventStream(endless(), buffer=(10_000, 60.0)),
    ):
        server = await answer(make(), BUFFERED)
        assert server.status == 500
        assert b"passed its limit of 10000 bytes; ask for a stream" in server.body
    assert closed == ["closed"] * 2
    assert caplog.messages == ["the handler failed before anything was sent"] * 2


async def test_a_buffered_answer_that_takes_too_long_is_an_error() -> None:
    """X8."""
    closed: list[float] = []
    start = anyio.current_time()

    async def endless() -> AsyncIterator[str]:
        try:
            while True:
                yield "x"
                await anyio.sleep(7)
        finally:
            closed.append(anyio.current_time() - start)

    server = await answer(SSEMiddleware(endless), BUFFERED)
    assert server.status == 504
    assert b"passed its limit of 60 seconds" in server.body
    assert closed == [60]
    assert anyio.current_time() - start == 60


async def test_what_no_exception_is_reaches_the_server_as_it_is() -> None:
    """X9."""
    for exc in (KeyboardInterrupt(), SystemExit(3)):
        for scope in (STREAM, BUFFERED):
            server = FakeServer()
            with pytest.raises(type(exc)) as caught:
                await SSEMiddleware(raising(exc, "a"))(scope, server.receive, server.send)
            assert caught.value is exc
