"""FAULTS, H9: what HEAD says of an answer's type is what GET says, in every dialect."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from sseware import SSEMiddleware
from sseware.dialects import Plain, StreamContext
from sseware.plugins.husk import Husk
from tests.asgi.fakes import answer, request

pytestmark = pytest.mark.anyio


class Broken(Plain, frozen=True):
    """Cannot fold anything."""

    def fold(self, context: StreamContext) -> Any:
        raise OSError


async def handler() -> AsyncIterator[str]:
    yield "1"


@pytest.mark.parametrize("accept", [None, "text/event-stream", "application/json", "text/*", "image/png"])
@pytest.mark.parametrize(
    "dialect",
    ["plain", "husk", "machpay", "ash", "hector", "chronos", Husk(output="json")],
    ids=lambda dialect: dialect if isinstance(dialect, str) else "husk-json",
)
async def test_head_and_get_name_the_same_type(dialect: Any, accept: str | None) -> None:
    app = SSEMiddleware(handler, dialect=dialect)
    got, head = [await answer(app, request(method, accept=accept)) for method in ("GET", "HEAD")]
    assert (head.status, head.headers["content-type"]) == (got.status, got.headers["content-type"])
    assert head.body == b""


async def test_head_of_a_file_does_not_guess_its_type() -> None:
    head = await answer(SSEMiddleware(handler, dialect=Husk(output="file")), request("HEAD"))
    assert "content-type" not in head.headers


async def test_head_of_a_dialect_that_cannot_answer_says_what_was_offered() -> None:
    head = await answer(
        SSEMiddleware(handler, dialect=Broken(name="broken")), request("HEAD", accept="application/json")
    )
    assert (head.status, head.headers["content-type"]) == (200, "application/json")
