"""Quart: a response that begins when the view has returned, and what is around it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest
import quart

from sseware import EventStream as FrontDoor
from sseware.errors import HandlerTypeError
from sseware.integrations.quart import EventStream, streaming
from sseware.testing._clock import virtual_backend
from tests.asgi.fakes import FakeServer, answer, request

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> Any:
    """Quart runs on asyncio."""
    return virtual_backend("asyncio")


class Server(FakeServer):
    @property
    def chunks(self) -> list[bytes]:
        return [each.get("body", b"") for each in self.sent if each["type"] == "http.response.body"]


async def asked(view: Any, app: quart.Quart | None = None, **more: Any) -> Server:
    app = app or quart.Quart("stories")
    app.add_url_rule("/", view_func=view)
    server = Server()
    await answer(app, request(scheme="http", **more), server=server)
    return server


async def words() -> AsyncIterator[str]:
    yield "Once "
    yield "upon "


STREAM = b"data: Once \n\ndata: upon \n\n"


async def test_what_is_set_on_it_replaces_ours() -> None:
    async def view() -> EventStream:
        response = EventStream(words(), headers={"x-a": "option", "vary": "Cookie"})
        response.headers["x-a"] = "set"
        response.headers["cache-control"] = "no-cache"
        response.set_cookie("a", "1")
        response.set_cookie("b", "2")
        return response

    server = await asked(view)
    assert server.body == STREAM
    assert (server.headers["x-a"], server.headers["cache-control"]) == ("set", "no-cache")
    assert server.headers["set-cookie"].count("Path=/") == 2
    assert server.headers["vary"] == "Cookie, Accept"
    assert server.headers["content-type"] == "text/event-stream; charset=utf-8"


async def test_a_stream_that_a_view_does_not_return_never_begins() -> None:
    ran: list[str] = []

    async def never() -> AsyncIterator[str]:
        ran.append("ran")
        yield ""

    async def view() -> str:
        EventStream(never())
        return "text"

    assert ((await asked(view)).body, ran) == (b"text", [])


async def test_an_error_handler_answers_what_a_handler_raises_first() -> None:
    async def broken() -> AsyncIterator[str]:
        raise LookupError("no such story")
        yield ""

    async def by_hand() -> EventStream:
        return EventStream(broken())

    for view in (by_hand, streaming(broken), streaming(dialect="plain")(broken)):
        app = quart.Quart("stories")

        @app.errorhandler(LookupError)
        async def missing(exc: Exception) -> tuple[str, int]:
            return str(exc), 410

        server = await asked(view, app)
        assert (server.status, server.body) == (410, b"no such story")


async def test_after_request_functions_see_the_begun_response() -> None:
    app = quart.Quart("stories")
    seen: list[Any] = []

    @app.after_request
    async def note(response: Any) -> Any:
        seen.append((response.status_code, response.content_type))
        response.headers["x-after"] = "1"
        return response

    async def view() -> EventStream:
        return EventStream(FrontDoor(words(), status_code=201))

    server = await asked(view, app)
    assert (server.status, server.headers["x-after"], server.body) == (201, "1", STREAM)
    assert seen == [(201, "text/event-stream; charset=utf-8")]


async def test_the_sessions_and_gs_of_the_request_are_there_for_the_whole_stream() -> None:
    app = quart.Quart("stories")
    app.secret_key = "not a secret"

    @streaming(dialect="plain")
    async def view() -> AsyncIterator[str]:
        quart.g.n = 1
        yield quart.request.path
        await anyio.sleep(100)
        quart.g.n += 1
        yield f"{quart.g.n} {quart.session.get('user')} {quart.current_app.name}"

    server = await asked(view, app)
    assert server.body.startswith(b"data: /\n\n")
    assert server.body.endswith(b"data: 2 None stories\n\n")


async def test_quarts_response_timeout_does_not_end_it() -> None:
    @streaming(dialect="plain")
    async def view() -> AsyncIterator[str]:
        yield "a"
        await anyio.sleep(1000)
        yield "b"

    assert (await asked(view)).body.endswith(b"data: b\n\n")


async def test_a_view_that_yields_nothing_that_yields_is_a_typed_error() -> None:
    app = quart.Quart("stories")
    app.config["PROPAGATE_EXCEPTIONS"] = True

    @streaming(dialect="plain")
    async def view() -> Any:
        return "text"

    with pytest.raises(HandlerTypeError, match="want an async generator"):
        await asked(view, app)


def test_a_stream_wants_a_request() -> None:
    with pytest.raises(RuntimeError):
        EventStream(words())
