"""Each framework's own test client reads a stream, and a buffered answer; as its users' tests do."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from tests.integrations.frameworks import FRAMEWORKS

STREAM = b'event: stdout\ndata: Once \n\nevent: stdout\ndata: fox\n\nevent: done\ndata: {"ok":true,"exitCode":0}\n\n'
ASKS = {"accept": "text/event-stream"}
PATHS = ["/story/fox", "/by-hand/fox"]


@pytest.fixture
def seen() -> list[str]:
    """What the handlers did."""
    return []


def has_run_twice(seen: list[str]) -> bool:
    return seen == ["begun", "closed fox"] * 2


@pytest.mark.parametrize("name", ["starlette", "fastapi"])
@pytest.mark.parametrize("path", PATHS)
def test_starlettes(name: str, path: str, seen: list[str]) -> None:
    from starlette.testclient import TestClient

    with TestClient(FRAMEWORKS[name](seen)) as client:
        assert client.get(path, headers=ASKS).content == STREAM
        assert client.get(path).text == "Once fox"
    assert has_run_twice(seen)


@pytest.mark.parametrize("path", PATHS)
def test_litestars(path: str, seen: list[str]) -> None:
    from litestar.testing import TestClient

    app: Any = FRAMEWORKS["litestar"](seen)
    with TestClient(app) as client:
        assert client.get(path, headers=ASKS).content == STREAM
        assert client.get(path).text == "Once fox"
    assert has_run_twice(seen)


@pytest.mark.parametrize("path", PATHS)
def test_quarts(path: str, seen: list[str]) -> None:
    async def ask() -> None:
        client = FRAMEWORKS["quart"](seen).test_client()
        assert await (await client.get(path, headers=ASKS)).get_data() == STREAM
        assert await (await client.get(path)).get_data() == b"Once fox"

    anyio.run(ask)
    assert has_run_twice(seen)


@pytest.mark.parametrize("path", PATHS)
def test_falcons(path: str, seen: list[str]) -> None:
    from falcon.testing import ASGIConductor

    async def ask() -> None:
        async with ASGIConductor(FRAMEWORKS["falcon"](seen)) as client:
            # simulate_get leaves as soon as it has asked.
            for headers, want in ((ASKS, STREAM), ({}, b"Once fox")):
                async with client.simulate_get_stream(path, headers=headers) as answer:
                    body = b""
                    while len(body) < len(want):
                        body += await answer.stream.read()
                    assert body == want

    anyio.run(ask)
    assert has_run_twice(seen)


@pytest.mark.parametrize("path", PATHS)
def test_djangos(path: str, seen: list[str]) -> None:
    from asgiref.sync import ThreadSensitiveContext
    from django.test import AsyncClient

    async def ask() -> None:
        FRAMEWORKS["django"](seen)
        client = AsyncClient()
        async with ThreadSensitiveContext():
            for headers, want in ((ASKS, STREAM), ({}, b"Once fox")):
                response = await client.get(path, headers=headers)
                assert b"".join([chunk async for chunk in response.streaming_content]) == want
                response.close()

    anyio.run(ask)
    assert has_run_twice(seen)
