"""The laws of applications on odd ones: what is no stream, what leaks, what answers nothing at all."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from sseware.testing import laws
from sseware.testing.errors import LawBroken, LawSkipped
from tests.testing.apps import START, body, endless, says, ticks, until_disconnect

App = Callable[[Any, Any, Any], Any]


def started(kind: str = "text/event-stream", status: int = 200, **fields: str) -> dict[str, Any]:
    headers = [(b"content-type", kind.encode())]
    headers += [(name.replace("_", "-").encode(), value.encode()) for name, value in fields.items()]
    return {"type": "http.response.start", "status": status, "headers": headers}


async def not_found(scope: Any, receive: Any, send: Any) -> None:
    await send(started("application/json", 404))
    await send(body(b"{}", more=False))


async def leaks(scope: Any, receive: Any, send: Any) -> None:
    await send(started(cache_control="no-cache, no-transform", x_accel_buffering="no"))
    await send(
        body(
            b"id: 1\ndata: a\n\nid: 2\ndata: b\n\n" if b"id" not in scope["query_string"] else b"data: a\n\n"
        )
    )
    with anyio.CancelScope(shield=True):
        await anyio.sleep(100)
    await send(body(b"", more=False))


async def raises(scope: Any, receive: Any, send: Any) -> None:
    raise LookupError("nothing here")


async def never_answers(scope: Any, receive: Any, send: Any) -> None:
    await until_disconnect(receive)


def by_method(head: App) -> App:
    """Answers GET with a stream, and HEAD in another way."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await (head if scope["method"] == "HEAD" else ticks)(scope, receive, send)

    return app


async def refused(scope: Any, receive: Any, send: Any) -> None:
    await send(started("text/plain", 405))
    await send(body(b"", more=False))


def test_what_is_no_stream_is_told_by_one_law_and_skipped_by_the_others() -> None:
    with pytest.raises(LawBroken, match="the status is 404, not 200"):
        laws.check("app/head-of-stream", not_found)
    laws.check("app/messages", not_found)
    for law in ("caching", "proxies", "first-byte", "head", "cleanup-idle", "cleanup-busy", "backpressure"):
        with pytest.raises(LawSkipped, match="no event stream: status 404, content type application/json"):
            laws.check(f"app/{law}", not_found)
    with pytest.raises(LawBroken, match="LookupError"):
        laws.check("app/head-of-stream", raises)


LEAKY = ("messages", "head-of-stream", "caching", "proxies", "first-byte", "two-loops", "vary", "resume")


@pytest.mark.parametrize("law", [f"app/{name}" for name in LEAKY])
def test_a_leak_is_told_by_the_laws_of_cleanup_alone(law: str) -> None:
    (verdict,) = laws.judge([laws.get(law)], leaks)
    # It does not look at Last-Event-ID either.
    assert verdict.grade == ("FAILED" if law == "app/resume" else "OK")
    assert "still running" not in verdict.reason
    with pytest.raises(LawBroken, match="was still running 10 s after its client had left"):
        laws.check("app/cleanup-idle", leaks, "uvicorn")


def test_a_leak_is_no_injection_and_no_compression() -> None:
    laws.check("app/injection", laws.AppTarget(app=leaks, path="/?id=x"))
    laws.check("app/compression", leaks)


def test_an_application_that_never_answers_is_told_with_a_transcript() -> None:
    with pytest.raises(LawBroken, match="status and headers did not come within 10 s") as caught:
        laws.check("app/messages", never_answers)
    assert "GET / on uvicorn: no answer" in str(caught.value)


@pytest.mark.parametrize(
    ("head", "told"),
    [
        pytest.param(ticks, "goes on", id="it-streams-slowly"),
        pytest.param(endless, "goes on", id="it-streams-without-rest"),
        pytest.param(not_found, "HEAD has another content type than GET", id="another-type"),
    ],
)
def test_head_is_told(head: App, told: str) -> None:
    with pytest.raises(LawBroken, match=told):
        laws.check("app/head", by_method(head))


def test_head_may_be_refused_and_belongs_to_get() -> None:
    with pytest.raises(LawSkipped, match="HEAD is refused with 405"):
        laws.check("app/head", by_method(refused))
    with pytest.raises(LawSkipped, match="asked for with POST"):
        laws.check("app/head", laws.AppTarget(app=ticks, method="POST"))


def failing(*chunks: bytes, end: bool = True) -> laws.AppTarget:
    """An application that says something, and ends, or goes on for ever."""
    return laws.AppTarget(
        app=says(*chunks, then="end" if end else "wait"), failing_before="/", failing_after="/"
    )


@pytest.mark.parametrize(
    ("target", "dialect"),
    [
        pytest.param(failing(b"event: error\ndata: no\n\n"), None, id="an-event-error"),
        pytest.param(failing(b'data: {"error": "no"}\n\n'), None, id="a-payload-with-an-error"),
        pytest.param(failing(b'data: {"chunk": "a"}\n\n'), "hector", id="no-terminator"),
        pytest.param(
            failing(b'event: error\ndata: {"error":{"message":"no"}}\n\n'), "hector", id="a-failure"
        ),
    ],
)
def test_an_error_in_mid_stream_may_be_told_in_many_ways(target: laws.AppTarget, dialect: str | None) -> None:
    given = laws.AppTarget(app=target.app, failing_after="/", dialect=dialect)
    laws.check("app/error-after-start", given)


@pytest.mark.parametrize(
    ("target", "dialect", "told"),
    [
        pytest.param(failing(b"data: a\n\n"), None, "ends as one that is complete", id="a-clean-end"),
        pytest.param(
            failing(b"data: [DONE]\n\n"), "hector", "ends as one that is complete", id="a-terminator"
        ),
        pytest.param(
            failing(b"data: a\n\n"), "hector", "the stream is not of the dialect hector", id="another-dialect"
        ),
        pytest.param(failing(b"data: a\n\n", end=False), None, "the stream goes on for 30 s", id="no-end"),
    ],
)
def test_an_error_in_mid_stream_that_nobody_sees_is_told(
    target: laws.AppTarget, dialect: str | None, told: str
) -> None:
    given = laws.AppTarget(app=target.app, failing_after="/", dialect=dialect)
    with pytest.raises(LawBroken, match=told):
        laws.check("app/error-after-start", given)


def gzipped(coding: str, *chunks: bytes, hold: bool = False) -> App:
    """Answers with a content coding where gzip is taken."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if dict(scope["headers"]).get(b"accept-encoding") != b"gzip":
            await says(b"data: a\n\n", then="wait")(scope, receive, send)
        elif not hold:
            await send(started(content_encoding=coding))
            for chunk in chunks:
                await send(body(chunk))
        await until_disconnect(receive)

    return app


def packed() -> bytes:
    packer = zlib.compressobj(wbits=31)
    return packer.compress(b"data: a\n\n") + packer.flush(zlib.Z_SYNC_FLUSH)


def test_compression_that_flushes_is_good() -> None:
    laws.check("app/compression", gzipped("gzip", packed()))


@pytest.mark.parametrize(
    ("app", "told"),
    [
        pytest.param(gzipped("gzip", b"data: a\n\n"), "is gzip, and the body is not", id="no-gzip"),
        pytest.param(gzipped("gzip"), "came not within 30 s: a GZip middleware holds events back", id="held"),
        pytest.param(gzipped("", hold=True), "not even the head comes", id="head-held"),
    ],
)
def test_compression_that_gathers_is_told(app: App, told: str) -> None:
    with pytest.raises(LawBroken, match=told):
        laws.check("app/compression", app)


def test_compression_is_not_judged_of_silence_or_of_what_cannot_be_undone() -> None:
    with pytest.raises(LawSkipped, match="no event came within 30 s"):
        laws.check("app/compression", says(b": nothing\n\n", then="wait"))
    with pytest.raises(LawSkipped, match="content coding 'br'"):
        laws.check("app/compression", gzipped("br", b"x"))


def test_a_stream_that_is_another_one_each_time_cannot_be_resumed_by_a_law() -> None:
    count = 0

    async def counts(scope: Any, receive: Any, send: Any) -> None:
        nonlocal count
        count += 1
        await says(b"id: 1\ndata: %d\n\nid: 2\ndata: b\n\n" % count, then="wait")(scope, receive, send)

    with pytest.raises(LawSkipped, match="not the same twice"):
        laws.check("app/resume", counts)


def test_events_before_the_first_id_are_no_place_to_resume_at() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        resumed = b"last-event-id" in dict(scope["headers"])
        first = b"" if resumed else b"data: hello\n\nid: 1\ndata: a\n\n"
        await says(first + b"id: 2\ndata: b\n\n", then="wait")(scope, receive, send)

    laws.check("app/resume", app)


def test_a_stream_that_says_less_on_a_second_loop_is_told() -> None:
    told: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        told.append(1)
        await says(b"data: a\n\n" * (3 - len(told)), then="wait")(scope, receive, send)

    with pytest.raises(LawBroken, match="it told 1 events, and 2 on the first"):
        laws.check("app/two-loops", app)


def test_wrong_parts_of_a_response_are_told_with_a_transcript() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await send(START)

    with pytest.raises(LawBroken, match=r"sent 'http.response.start' where 'http.response.body' is due"):
        laws.check("app/messages", app, "uvicorn")


def test_a_header_that_another_charset_stands_in_is_told() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(started("text/event-stream; charset=latin-1"))
        await send(body(b"", more=False))

    with pytest.raises(LawBroken, match="the charset is 'latin-1'"):
        laws.check("app/head-of-stream", app)


def test_a_long_silence_is_told_and_a_short_stream_is_not_judged() -> None:
    with pytest.raises(LawBroken, match="it was silent for 200 s"):
        laws.check("app/keepalive", says(b"data: a\n\n", then="wait"))
    with pytest.raises(LawSkipped, match="it was never silent: 1 chunks in 0 s"):
        laws.check("app/keepalive", says(b"data: a\n\n"))


def test_an_application_that_nobody_told_how_to_fail_is_not_judged_for_it() -> None:
    for law, told in (
        ("app/error-before-start", "failing_before"),
        ("app/error-after-start", "failing_after"),
    ):
        with pytest.raises(LawSkipped, match=told):
            laws.check(law, ticks)


def test_a_reproducer_names_how_an_application_was_asked_and_breaks_long_lines() -> None:
    options = {"path": "/events?" + "x" * 60, "method": "POST"}
    (verdict,) = laws.judge([laws.get("app/caching")], ticks, name="mine.web:api.app", options=options)
    assert verdict.grade == "SHOULD"
    assert verdict.reproducer.startswith("from mine.web import api\nfrom sseware.testing import laws\n")
    assert (
        "    laws.check(\n        'app/caching',\n        laws.AppTarget(app=api.app, path='/events?"
        in verdict.reproducer
    )
