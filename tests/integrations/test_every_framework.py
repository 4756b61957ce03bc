"""What holds under every framework alike; ``frameworks.py`` has the applications."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, suppress
from typing import Any

import anyio
import pytest

from sseware import EventStreamParser, SSEMiddleware
from sseware.testing._clock import virtual_backend
from tests.asgi.fakes import FakeServer, body, request, until
from tests.asgi.fakes import answer as answered
from tests.asgi.fakes import serving as served
from tests.integrations.frameworks import FRAMEWORKS, ON_TRIO, WhoAsks

pytestmark = [
    pytest.mark.anyio,
    # Django's own, of a loop of its own that asgiref makes where a view is sync.
    pytest.mark.filterwarnings("ignore:unclosed event loop:ResourceWarning"),
]

STREAMED = "text/event-stream"


@pytest.fixture(
    params=[
        *(pytest.param((name, "asyncio"), id=f"{name}-asyncio") for name in FRAMEWORKS),
        *(pytest.param((name, "trio"), id=f"{name}-trio") for name in ON_TRIO),
    ]
)
def where(request: pytest.FixtureRequest) -> Any:
    """A framework, and an event loop that it runs on."""
    return request.param


@pytest.fixture
def anyio_backend(where: Any) -> Any:
    """The event loop; Django has threads of its own, of which a virtual clock does not know."""
    return (where[1], {}) if where[0] == "django" else virtual_backend(where[1])


@pytest.fixture
def virtual(where: Any) -> None:
    """Skips where seconds would be seconds."""
    if where[0] == "django":
        pytest.skip("Django's threads do not go with virtual time")


@pytest.fixture
def seen() -> list[str]:
    """What handlers and background tasks did."""
    return []


@pytest.fixture
def app(where: Any, seen: list[str]) -> Any:
    """The application."""
    return FRAMEWORKS[where[0]](seen)


class Server(FakeServer):
    """A server on which the keys of messages may be left out, as the specification lets them."""

    @property
    def chunks(self) -> list[bytes]:
        return [each.get("body", b"") for each in self.sent if each["type"] == "http.response.body"]

    @property
    def is_complete(self) -> bool:
        ends = [
            not each.get("more_body", False) for each in self.sent if each["type"] == "http.response.body"
        ]
        return ends.count(True) == 1 and ends[-1]


def to(path: str, method: str = "GET", **more: Any) -> Any:
    """Makes a scope as servers make it."""
    return request(method, path, scheme="http", server=("localhost", 80), client=("localhost", 1), **more)


async def answer(app: Any, scope: Any, server: Server | None = None) -> Server:
    server = server or Server()
    await answered(app, scope, server=server)
    return server


def serving(app: Any, scope: Any) -> AbstractAsyncContextManager[FakeServer]:
    return served(app, scope, server=Server())


@pytest.mark.parametrize("path", ["/story/fox", "/by-hand/fox"])
class TestOneHandler:
    async def test_streams_in_two_dialects(self, app: Any, seen: list[str], path: str) -> None:
        server = await answer(app, to(path, accept=STREAMED))
        assert (server.status, server.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        husk = EventStreamParser().feed(server.body)
        assert [(each.event, each.data) for each in husk][:2] == [("stdout", "Once "), ("stdout", "fox")]
        assert husk[-1].json() == {"ok": True, "exitCode": 0}
        server = await answer(app, to(path, accept=f"{STREAMED};dialect=ash"))
        ash = EventStreamParser().feed(server.body)
        assert ash[-1].event == "done"
        assert "Once fox" in ash[-2].data or "fox" in ash[-2].data
        assert seen == ["begun", "closed fox"] * 2

    async def test_answers_buffered(self, app: Any, seen: list[str], path: str) -> None:
        server = await answer(app, to(path))
        assert (server.status, server.body) == (200, b"Once fox")
        assert server.headers["content-type"] == "text/plain; charset=utf-8"
        assert server.headers["content-length"] == "8"
        assert "accept" in server.headers["vary"].lower()
        assert seen == ["begun", "closed fox"]

    async def test_says_what_it_has_where_nothing_is_acceptable(
        self, app: Any, seen: list[str], path: str
    ) -> None:
        server = await answer(app, to(path, accept="image/png"))
        assert server.status == 406
        assert "text/plain" in server.body.decode()
        assert seen == []

    @pytest.mark.parametrize("accept", [STREAMED, "*/*"])
    async def test_is_cleaned_up_when_the_client_leaves(
        self, app: Any, seen: list[str], path: str, accept: str
    ) -> None:
        scope = to(path.replace("fox", "endless"), accept=accept)
        async with serving(app, scope) as server:
            await until(lambda: "begun" in seen)
            if accept == STREAMED:
                await until(lambda: b"Once" in server.body)
            server.disconnect()
            await until(lambda: "closed endless" in seen)
        assert seen == ["begun", "closed endless"]

    async def test_has_fields_for_streams(self, app: Any, seen: list[str], path: str) -> None:
        headers = (await answer(app, to(path, accept=STREAMED))).headers
        assert headers["x-accel-buffering"] == "no"
        assert headers["x-content-type-options"] == "nosniff"
        assert "no-transform" in headers["cache-control"]
        assert "content-length" not in headers

    @pytest.mark.usefixtures("virtual")
    async def test_keeps_alive_in_silence(self, app: Any, seen: list[str], path: str) -> None:
        async with serving(app, to(path.replace("fox", "endless"), accept=STREAMED)) as server:
            await anyio.sleep(31)
            assert server.body.endswith(b"\n\n: \n\n: \n\n")


@pytest.mark.parametrize("accept", [STREAMED, "*/*"])
class TestFailures:
    async def test_the_frameworks_own_exception_keeps_status_and_headers(self, app: Any, accept: str) -> None:
        server = await answer(app, to("/refused/me", accept=accept))
        assert (server.status, server.headers["x-why"]) == (404, "me")

    async def test_an_exception_before_the_first_item_is_a_500(self, app: Any, accept: str) -> None:
        server = Server()
        # Starlette answers, and raises it again for the server to log.
        with suppress(LookupError):
            await answer(app, to("/broken", accept=accept), server)
        assert server.status == 500
        assert b"swordfish" not in server.body

    async def test_an_exception_after_the_first_item_is_told_and_ends_the_answer(
        self, app: Any, accept: str
    ) -> None:
        server = Server()
        if accept == STREAMED:
            await answer(app, to("/breaks", accept=accept), server)
            assert server.status == 200
            assert server.body.endswith(b"event: error\ndata: internal error\n\n")
        else:
            with suppress(LookupError):
                await answer(app, to("/breaks", accept=accept), server)
            assert server.status == 500
        assert server.is_complete
        assert b"swordfish" not in server.body


class TestWhatIsAround:
    @pytest.mark.parametrize("accept", [STREAMED, "*/*"])
    async def test_context_variables_and_the_requests_state_are_seen(self, app: Any, accept: str) -> None:
        server = await answer(WhoAsks(app), to("/context", accept=accept))
        text = server.body.decode().replace("event: stdout\ndata: ", "").replace("\n\n", "")
        assert text.startswith("alicestate")

    async def test_the_request_body_is_read_in_the_handler(self, app: Any) -> None:
        headers = {"content-length": "5", "content-type": "text/plain"}
        for wrapped in (app, SSEMiddleware(app)):
            server = Server(*body(b"hello"))
            await answer(wrapped, to("/shout", "POST", headers=headers), server)
            assert server.body == b"HELLO"
            assert server.overlaps == 0

    async def test_background_work_is_done_after_the_answer(self, app: Any, seen: list[str]) -> None:
        server = await answer(app, to("/background"))
        await until(lambda: seen)
        assert server.is_complete
        assert seen == ["later"]

    async def test_the_dialect_may_be_left_to_the_middleware(self, app: Any) -> None:
        server = await answer(SSEMiddleware(app, dialect="hector"), to("/left", accept=STREAMED))
        assert server.body.endswith(b"data: [DONE]\n\n")
        server = await answer(SSEMiddleware(app, dialect="husk"), to("/left"))
        assert server.body == b"a"

    async def test_a_middleware_around_changes_nothing_else(self, app: Any, seen: list[str]) -> None:
        wrapped = SSEMiddleware(app, dialect="hector")
        async with serving(wrapped, to("/story/endless", accept=STREAMED)) as server:
            await until(lambda: server.body == b"event: stdout\ndata: Once \n\n")
            server.disconnect()
            await until(lambda: "closed endless" in seen)

    @pytest.mark.usefixtures("virtual")
    async def test_a_reader_that_stalls_is_given_up(self, app: Any, seen: list[str]) -> None:
        async def serve(scope: Any, receive: Any, send: Any) -> None:
            # Where the framework sends, it is told, so that it does not end the body as if it were whole.
            with suppress(ConnectionAbortedError):
                await app(scope, receive, send)

        async with serving(serve, to("/story/endless", accept=STREAMED)) as server:
            await until(lambda: b"Once" in server.body)
            server.stall()
            # The keepalive after 15 s is what it does not read; send_timeout is 30 s.
            await anyio.sleep(50)
            assert seen == ["begun", "closed endless"]
        assert not server.is_complete
