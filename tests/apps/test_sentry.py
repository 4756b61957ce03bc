"""Sentry's own middleware, under and over: it hears of the exceptions of an application that is adapted."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from sseware import SSEMiddleware
from tests.asgi.fakes import FakeServer, answer, request
from tests.asgi.stacks import Seen, app_of

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("place", ["under", "over"])
@pytest.mark.parametrize("path", ["/lines/breaks", "/raises"])
async def test_it_hears_of_an_exception_once_and_the_client_is_told(place: str, path: str) -> None:
    """X3, X9."""
    sentry: Any = pytest.importorskip("sentry_sdk", reason="pip install --group apps")
    around: Any = import_module("sentry_sdk.integrations.asgi").SentryAsgiMiddleware
    told: list[Any] = []
    client = sentry.Client(
        dsn="http://key@localhost/1",
        transport=type("Nowhere", (sentry.transport.Transport,), {"capture_envelope": lambda *_: None}),
        before_send=lambda event, hint: told.append(event),
        default_integrations=False,
        auto_enabling_integrations=False,
    )
    inner: Any = app_of(Seen())
    asked = request(path=path, headers={"host": "localhost", "accept": "text/event-stream"})
    server = FakeServer()
    with sentry.isolation_scope() as scope:
        scope.set_client(client)
        app = (
            SSEMiddleware(around(inner), adapt=True)
            if place == "under"
            else around(SSEMiddleware(inner, adapt=True))
        )
        with pytest.raises(ValueError):
            await answer(app, asked, server=server)
    assert [event["exception"]["values"][-1]["type"] for event in told] == ["ValueError"]
    assert server.status == (500 if path == "/raises" else 200)
    assert (b"event: error" in server.body) is (path == "/lines/breaks")
