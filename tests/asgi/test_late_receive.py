"""A handler that reads the request body by itself, with the server's own ``receive``, gets it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from sseware import EventStream
from sseware.asgi._late_receive import may_have_body
from tests.asgi.fakes import FakeServer, answer, body, request, serving

pytestmark = pytest.mark.anyio

LENGTH = {"content-length": "5"}


def endpoint(dialect: str, seen: list[str], **options: Any) -> Any:
    """Answers as an endpoint of a framework does, whose request object has the server's ``receive``."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async def shout() -> AsyncIterator[str]:
            try:
                yield (await read(receive)).upper()
                await anyio.sleep(10)
                yield "!"
            finally:
                seen.append("closed")

        await EventStream(shout(), dialect=dialect, **options)(scope, receive, send)

    return app


async def read(receive: Any) -> str:
    text, more = "", True
    while more:
        await anyio.sleep(1)
        message = await receive()
        more = message.get("more_body", False)
        text += message.get("body", b"").decode()
    return text


@pytest.mark.parametrize(
    ("dialect", "want"),
    [
        pytest.param("plain", b"data: HELLO\n\ndata: !\n\n", id="for-a-stream"),
        pytest.param("husk", b"HELLO!", id="for-a-buffered-answer"),
    ],
)
async def test_the_body_is_the_handlers(dialect: str, want: bytes) -> None:
    server = FakeServer(*body(b"he", b"llo"))
    await answer(endpoint(dialect, []), request("POST", headers=LENGTH), server=server)
    assert server.body == want
    assert server.overlaps == 0


@pytest.mark.parametrize("head_timeout", [5.0, None])
@pytest.mark.parametrize("dialect", ["plain", "husk"])
async def test_the_client_is_missed_all_the_same(dialect: str, head_timeout: float | None) -> None:
    seen: list[str] = []
    app = endpoint(dialect, seen, head_timeout=head_timeout)
    async with serving(
        app, request("POST", headers=LENGTH), server=FakeServer(*body(b"he", b"llo"))
    ) as server:
        await anyio.sleep(8)
        assert seen == []
        server.disconnect()
        await anyio.sleep(0.1)
        assert seen == ["closed"]


@pytest.mark.parametrize(
    ("scope", "may"),
    [
        pytest.param(request("POST", headers={"content-length": "3"}), True, id="a-length"),
        pytest.param(request("POST", headers={"content-length": "0"}), False, id="no-length"),
        pytest.param(request("POST", headers={"transfer-encoding": "chunked"}), True, id="chunks"),
        pytest.param(request("POST", headers={"accept": "*/*"}), False, id="neither"),
        pytest.param(request("POST", http_version="2"), True, id="http-2-does-not-say"),
        pytest.param(request("GET", http_version="2"), False, id="http-2-get"),
    ],
)
def test_a_request_may_have_a_body_where_it_says_so(scope: Any, may: bool) -> None:
    assert may_have_body(scope) is may
