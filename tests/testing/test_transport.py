"""A real client streams from an application in process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import ModuleType
from typing import Any

import anyio
import pytest

from sseware import SSEMiddleware
from sseware.testing import StreamingTransport
from sseware.testing import _transport as transport
from sseware.testing.errors import AppFlooded, AppLeaked, ASGIViolation, SSETimeout, UnknownServer
from tests.testing.apps import START, body, echo, endless, says, ticks

pytestmark = pytest.mark.anyio

EVENT = b"data: x\n\n"


@pytest.fixture(params=["httpx2", "httpx"])
def library(request: pytest.FixtureRequest) -> Any:
    return pytest.importorskip(request.param)


def client(library: ModuleType, app: Any, *, client_timeout: Any = None, **options: Any) -> Any:
    transport = StreamingTransport(app, **options)
    return library.AsyncClient(transport=transport, base_url="http://test:81", timeout=client_timeout)


# Whoever leaves a stream of httpx in the middle leaves its generators to Trio, which warns of them.
@pytest.mark.filterwarnings("ignore:.*ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
async def test_an_endless_stream_is_read_as_it_comes(library: ModuleType) -> None:
    times: list[float] = []
    start = anyio.current_time()
    async with client(library, ticks) as http, http.stream("GET", "/") as response:
        assert (response.status_code, response.http_version) == (200, "HTTP/1.1")
        assert response.headers["content-type"] == "text/event-stream"
        async for line in response.aiter_lines():
            if line.startswith("data: "):
                times.append(anyio.current_time() - start)
            if line == "data: 3":
                break
    assert times == [0, 1, 2, 3]


async def test_the_client_sets_the_pace(library: ModuleType) -> None:
    sent = 0

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal sent
        await send(START)
        for sent in range(100):
            await send(body(EVENT * 1000))
        await send(body(b"", more=False))

    async with client(library, app) as http, http.stream("GET", "/") as response:
        await anyio.sleep(1)
        assert sent == 65536 // (len(EVENT) * 1000)
        assert len(await response.aread()) == len(EVENT) * 1000 * 100


async def test_the_request_arrives(library: ModuleType) -> None:
    async with client(library, echo) as http:
        answer = await http.post("/a%20b?c=d", content=b"hello", headers={"X-Mine": "ü".encode()})
        lines = answer.text.split("\n")
    assert lines[0] == "POST /a b /a%20b c=d"
    assert {"host: test:81", "x-mine: ü", "content-length: 5"} <= set(lines)
    assert lines[-1] == "hello"


async def test_a_body_is_streamed_upwards(library: ModuleType) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"a"
        await anyio.sleep(1)
        yield b"b"

    async with client(library, echo) as http:
        assert (await http.post("/", content=pieces())).text.endswith("\na|b|")


async def test_the_clients_own_timeout_holds(library: ModuleType) -> None:
    start = anyio.current_time()
    async with client(library, says(EVENT, then="wait"), client_timeout=3) as http:
        with pytest.raises(library.ReadTimeout, match="no chunk came within 3 s"):
            await http.get("/")
        assert anyio.current_time() - start == 3


async def test_one_that_never_answers(library: ModuleType) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await anyio.sleep(20)
        await says()(scope, receive, send)

    async with client(library, app, client_timeout=15, timeout=60) as http:
        with pytest.raises(library.ReadTimeout, match="status and headers did not come within 15 s"):
            await http.get("/")
    async with client(library, app, timeout=15) as http:
        with pytest.raises(SSETimeout, match="status and headers did not come within 15 s"):
            await http.get("/")


async def test_a_response_that_is_collected_and_has_no_end(
    library: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with client(library, ticks) as http:
        with pytest.raises(SSETimeout, match="the response took more than 60 s; pass a larger `longest`"):
            await http.get("/")
    monkeypatch.setattr(transport, "_MOST_CHUNKS", 100)
    async with client(library, endless) as http:
        with pytest.raises(AppFlooded, match="the client read 100 chunks of one response"):
            await http.get("/")


async def test_an_application_that_does_not_end_is_reported_when_its_response_is_closed(
    library: ModuleType,
) -> None:
    async with client(library, says(EVENT, then="hang")) as http:
        with pytest.raises(AppLeaked, match=r"says\.<locals>\.app"):
            async with http.stream("GET", "/"):
                pass


async def test_a_response_that_is_not_closed_ends_with_the_client(library: ModuleType) -> None:
    transport = StreamingTransport(ticks)
    async with library.AsyncClient(transport=transport, base_url="http://test") as http:
        request = http.build_request("GET", "/")
        await http.send(request, stream=True)
        (exchange,) = transport.exchanges
        assert not exchange.task.done
    assert exchange.task.finished


async def test_a_leak_of_a_response_that_is_not_closed_is_reported_when_the_client_is(
    library: ModuleType,
) -> None:
    http = client(library, says(EVENT, then="hang"))
    await http.send(http.build_request("GET", "/"), stream=True)
    with pytest.raises(AppLeaked):
        await http.aclose()
    async with StreamingTransport(ticks) as transport:
        assert transport.exchanges == []


class TestWhatTheApplicationRaises:
    @staticmethod
    async def at_once(scope: Any, receive: Any, send: Any) -> None:
        raise ValueError("boom")

    @staticmethod
    async def later(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await send(body(EVENT))
        raise ValueError("boom")

    @staticmethod
    async def in_the_end(scope: Any, receive: Any, send: Any) -> None:
        await says(EVENT)(scope, receive, send)
        raise ValueError("boom")

    async def test_is_raised_in_the_client(self, library: ModuleType) -> None:
        for app in (self.at_once, self.later, self.in_the_end):
            async with client(library, app) as http:
                with pytest.raises(ValueError, match="boom"):
                    await http.get("/")

    async def test_or_is_what_a_server_makes_of_it(self, library: ModuleType) -> None:
        async with client(library, self.at_once, raise_app_exceptions=False) as http:
            assert (await http.get("/")).status_code == 500
        async with client(library, self.in_the_end, raise_app_exceptions=False) as http:
            assert (await http.get("/")).content == EVENT
        async with client(library, self.later, raise_app_exceptions=False) as http:
            with pytest.raises(library.RemoteProtocolError, match="in the middle of the body"):
                await http.get("/")

    async def test_a_violation_is_one_too(self, library: ModuleType) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send(START)

        async with client(library, app) as http:
            with pytest.raises(ASGIViolation, match="without its last body message"):
                await http.get("/")


async def test_the_personality_is_chosen(library: ModuleType) -> None:
    async def handler() -> AsyncIterator[str]:
        yield "x"

    app = SSEMiddleware(handler, dialect="plain")
    async with client(library, app, server="uvicorn-h2") as http:
        answer = await http.get("/", headers={"accept": "text/event-stream"})
        assert (answer.http_version, answer.content) == ("HTTP/2", EVENT)
    with pytest.raises(UnknownServer):
        StreamingTransport(app, server="apache")
