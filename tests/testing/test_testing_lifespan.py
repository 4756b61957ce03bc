"""The lifespan in process: what is started before the requests is there in them, and is closed after them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from sseware import SSEMiddleware
from sseware.asgi import Drain
from sseware.errors import ConfigurationError
from sseware.testing import connect, lifespan
from sseware.testing.errors import AppLeaked, AppRaised, ASGIViolation, ServerFailed, SSETimeout
from tests.testing.apps import START, body, says

pytestmark = pytest.mark.anyio


def app_of(*answers: str, then: Any = None, **more: Any) -> Any:
    """An application that answers what it hears in turn, and then does something."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "lifespan"
        for answer in answers:
            await receive()
            await send({"type": f"lifespan.{answer}", **more})
        if then is not None:
            await then(receive)

    return app


async def test_what_is_opened_at_the_startup_is_there_for_each_request_and_closed_at_the_end() -> None:
    told: list[str] = []

    @asynccontextmanager
    async def life(_: Starlette) -> AsyncIterator[dict[str, Any]]:
        told.append("opened")
        yield {"words": ["a", "b"], "seen": 0}
        told.append("closed")

    async def words(request: Request) -> StreamingResponse:
        assert request.state.seen == 0
        request.state.seen = 1  # on a copy: requests do not see each other's
        events = [f"data: {word}\n\n" for word in request.state.words]
        told.append("asked")
        return StreamingResponse(iter(events), media_type="text/event-stream")

    async with lifespan(Starlette(routes=[Route("/", words)], lifespan=life)) as app:
        for server in ("uvicorn", "hypercorn"):
            async with connect(app, server=server) as stream:
                assert [event.data for event in await stream.drain()] == ["a", "b"]
        assert told == ["opened", "asked", "asked"]
    assert told[3:] == ["closed"]


async def test_a_drain_hears_of_the_shutdown() -> None:
    async def endless() -> AsyncIterator[str]:
        yield "a"
        await anyio.sleep_forever()

    app = SSEMiddleware(endless, drain=Drain(grace=1))
    async with connect(app) as stream:
        async with lifespan(app):
            await stream.next()
        await stream.drain()
        assert stream.comments[0].text.startswith("the server is stopping")


async def test_a_startup_that_fails_says_why() -> None:
    with pytest.raises(ServerFailed, match="the application's startup failed: no database"):
        async with lifespan(app_of("startup.failed", message="no database")):
            pytest.fail("it was entered")


async def test_what_has_no_lifespan_says_so() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise NotImplementedError(scope["type"])

    with pytest.raises(ServerFailed, match=r"has no lifespan: it raised NotImplementedError\('lifespan'\)"):
        async with lifespan(app):
            pytest.fail("it was entered")
    with pytest.raises(ServerFailed, match="has no lifespan: it returned before"):
        async with lifespan(app_of()):
            pytest.fail("it was entered")


async def test_a_startup_that_does_not_end_is_named() -> None:
    async def slow(receive: Any) -> None:
        await anyio.sleep(100)

    start = anyio.current_time()
    with pytest.raises(SSETimeout, match=r"startup did not end within 7 s\n +(?s:.)*slow \("):
        async with lifespan(app_of(then=slow), timeout=7):
            pytest.fail("it was entered")
    assert anyio.current_time() - start == 7


async def test_a_shutdown_that_does_not_end_is_named_and_ended() -> None:
    async def deaf(receive: Any) -> None:
        await anyio.sleep(10**6)

    with pytest.raises(AppLeaked, match=r"shutdown did not end within 5 s\n +(?s:.)*deaf \("):
        async with lifespan(app_of("startup.complete", then=deaf)):
            pass
    with pytest.raises(AppLeaked, match="lifespan did not end within 5 s"):
        async with lifespan(app_of("startup.complete", "shutdown.complete", then=deaf)):
            pass


async def test_a_shutdown_that_fails_or_raises_is_told() -> None:
    async def fails(receive: Any) -> None:
        await receive()
        raise LookupError("no such table")

    with pytest.raises(AppRaised, match="shutdown failed: no such table"):
        async with lifespan(app_of("startup.complete", "shutdown.failed", message="no such table")):
            pass
    with pytest.raises(AppRaised, match=r"raised LookupError\('no such table'\) in its lifespan") as caught:
        async with lifespan(app_of("startup.complete", then=fails)):
            pass
    assert isinstance(caught.value.__cause__, LookupError)


async def test_what_the_test_raises_comes_first() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        async with lifespan(app_of("startup.complete", "shutdown.failed")):
            raise ZeroDivisionError
    assert caught.value.__notes__ == ["besides: the application's shutdown failed: "]


@pytest.mark.parametrize("answer", ["shutdown.complete", "startup.done", "startup"])
async def test_an_answer_that_is_not_due_is_a_violation(answer: str) -> None:
    with pytest.raises(ASGIViolation, match=rf"sent 'lifespan\.{answer}' where 'lifespan\.startup"):
        async with lifespan(app_of(answer)):
            pytest.fail("it was entered")


async def test_a_second_answer_is_a_violation() -> None:
    with pytest.raises(ASGIViolation, match=r"sent 'lifespan\.startup\.complete' where 'lifespan\.shutdown"):
        async with lifespan(app_of("startup.complete", "startup.complete")):
            pass


async def test_one_that_returns_after_its_startup_has_nothing_to_shut_down() -> None:
    async with lifespan(app_of("startup.complete")):
        pass


async def test_a_cancellation_lets_it_shut_down() -> None:
    told: list[str] = []

    async def late(receive: Any) -> None:
        await receive()
        await anyio.sleep(1)
        told.append("closed")

    with anyio.CancelScope() as scope:
        async with lifespan(app_of("startup.complete", then=late)):
            scope.cancel()
    assert told == ["closed"]


async def test_a_violation_in_a_request_is_told_by_its_connection() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await app_of("startup.complete", "shutdown.complete")(scope, receive, send)
            return
        assert scope["state"] == {}
        await says(b"data: x\n\n")(scope, receive, send)
        await send(START)
        await send(body(b""))

    async with lifespan(app) as started:
        with pytest.raises(ASGIViolation, match="after the last body message"):
            async with connect(started) as stream:
                await stream.drain()


def test_a_timeout_is_a_number_of_seconds() -> None:
    with pytest.raises(ConfigurationError, match="timeout must be a positive number"):
        lifespan(app_of(), timeout=0)
