"""Django: async and sync views, classes, decorators, middleware, and the handler's own refusals."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import ThreadSensitiveContext
from django.core.exceptions import PermissionDenied
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.test import AsyncClient, RequestFactory, override_settings
from django.urls import path
from django.utils.decorators import sync_and_async_middleware
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from django.views.decorators.vary import vary_on_cookie

import sseware
from sseware.errors import ConfigurationError
from sseware.integrations.django import EventStream, streaming
from tests.asgi.fakes import FakeServer, answer, request
from tests.integrations.django_settings import configure

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> Any:
    """Django runs on asyncio, and has threads of its own."""
    return "asyncio"


class Server(FakeServer):
    @property
    def chunks(self) -> list[bytes]:
        return [each.get("body", b"") for each in self.sent if each["type"] == "http.response.body"]


async def asked(view: Any, **more: Any) -> Server:
    configure().urlpatterns = [path("", view)]  # type: ignore[attr-defined]  # Django looks it up by name
    server = Server()
    await answer(ASGIHandler(), request(scheme="http", server=("localhost", 80), **more), server=server)
    return server


async def words() -> AsyncIterator[str]:
    yield "Once "
    yield "upon "


STREAM = b"data: Once \n\ndata: upon \n\n"


class Story(View):  # type: ignore[misc]  # Django has no types
    """A view class."""

    @streaming(dialect="plain")
    async def get(self, request: HttpRequest) -> AsyncIterator[str]:
        yield f"{type(self).__name__} {request.method}"

    @sseware.streaming
    async def post(self, request: HttpRequest) -> AsyncIterator[str]:
        yield "posted"


async def test_methods_of_a_view_class_are_decorated() -> None:
    assert (await asked(Story.as_view())).body == b"data: Story GET\n\n"
    assert (await asked(Story.as_view(), method="POST")).body == b"data: posted\n\n"


async def test_what_is_set_on_it_replaces_ours_and_vary_is_merged() -> None:
    def plain(request: HttpRequest) -> EventStream:
        response = EventStream(request, words(), headers={"x-a": "option"})
        response["X-A"] = "set"
        response.set_cookie("a", "1")
        return response

    view = require_GET(vary_on_cookie(never_cache(plain)))
    server = await asked(view)
    assert (server.status, server.body) == (200, STREAM)
    headers = {name.lower(): value for name, value in server.headers.items()}
    assert headers["x-a"] == "set"
    assert headers["vary"] == "Cookie, Accept"
    assert "private" in headers["cache-control"]
    assert headers["set-cookie"] == "a=1; Path=/"
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert (await asked(view, method="POST")).status == 405


async def test_cookies_may_be_options() -> None:
    async def view(request: HttpRequest) -> EventStream:
        return EventStream(request, words(), headers=[("set-cookie", "a=1"), ("set-cookie", "b=2; Path=/x")])

    cookies = (await asked(view)).headers["Set-Cookie"].split(", ")
    assert cookies == ["a=1", "b=2; Path=/x"]


async def test_djangos_own_client_reads_a_stream() -> None:
    @streaming(dialect="plain")
    async def view(request: HttpRequest) -> AsyncIterator[str]:
        async for word in words():
            yield word

    configure().urlpatterns = [path("", view)]  # type: ignore[attr-defined]  # Django looks it up by name
    # As Django's handler does; its client leaves a thread behind.
    async with ThreadSensitiveContext():
        response = await AsyncClient().get("/")
        assert b"".join([chunk async for chunk in response.streaming_content]) == STREAM
        response.close()


def test_one_that_never_began_may_be_closed() -> None:
    configure()
    EventStream(_ASGIRequest(request(scheme="http", server=("localhost", 80))), words()).close()


async def test_several_fields_of_one_name_are_joined() -> None:
    async def view(request: HttpRequest) -> EventStream:
        return EventStream(request, words(), headers=[("x-a", "1"), ("x-a", "2")])

    assert (await asked(view)).headers["x-a"] == "1, 2"


async def test_a_refusal_before_the_first_item_is_djangos() -> None:
    @streaming(dialect="plain")
    async def view(request: HttpRequest) -> AsyncIterator[str]:
        raise PermissionDenied("no")
        yield ""

    assert (await asked(view)).status == 403


async def test_a_stream_of_the_front_door_may_be_given() -> None:
    async def view(request: HttpRequest) -> EventStream:
        return EventStream(request, sseware.EventStream(words(), dialect="husk"))

    assert (await asked(view)).body == b"Once upon "


async def test_it_is_rendered_once() -> None:
    configure()
    scope = request(scheme="http", server=("localhost", 80))
    response = EventStream(_ASGIRequest(scope), words())
    assert await response.render() is response
    assert await response.render() is response
    assert b"".join([chunk async for chunk in response]) == STREAM
    response.close()


def _ASGIRequest(scope: Any) -> Any:
    from io import BytesIO

    from django.core.handlers.asgi import ASGIRequest

    return ASGIRequest(scope, BytesIO())


def around(get_response: Any) -> Any:
    """A middleware that is not async."""

    def middleware(request: Any) -> Any:
        response = get_response(request)
        response["x-around"] = str(response.status_code)
        return response

    return middleware


def _beside(get_response: Any) -> Any:
    """One that is."""

    async def middleware(request: Any) -> Any:
        response = await get_response(request)
        response["x-beside"] = response.get("content-type", "none")
        return response

    return middleware


beside = sync_and_async_middleware(_beside)


@pytest.mark.parametrize("names", [["around"], ["beside"], ["around", "beside"]])
async def test_middleware_sees_the_begun_response(names: list[str]) -> None:
    @streaming(dialect="husk")
    async def view(request: HttpRequest) -> AsyncIterator[str]:
        async for word in words():
            yield word

    with override_settings(MIDDLEWARE=[f"{__name__}.{name}" for name in names]):
        server = await asked(view, query="stream=1")
    assert server.body.startswith(b"event: stdout\ndata: Once \n\n")
    assert server.body.endswith(b'{"ok":true,"exitCode":0}\n\n')
    for name, value in {"around": "200", "beside": "text/event-stream; charset=utf-8"}.items():
        assert server.headers.get(f"x-{name}") == (value if name in names else None)


async def test_a_response_that_is_closed_before_it_was_sent_closes_its_handler() -> None:
    closed: list[str] = []

    @streaming(dialect="plain")
    async def view(request: HttpRequest) -> AsyncIterator[str]:
        try:
            yield "a"
            yield "b"
        finally:
            closed.append("closed")

    configure()
    response = await view(_ASGIRequest(request(scheme="http", server=("localhost", 80))))
    await response.render()
    response.close()
    from tests.asgi.fakes import until

    await until(lambda: closed)


def test_a_request_of_djangos_wsgi_handler_is_refused() -> None:
    configure()
    with pytest.raises(ConfigurationError, match="want a request of Django's ASGI handler"):
        EventStream(RequestFactory().get("/"), words())


async def test_a_call_without_a_request_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="want the arguments of a view"):
        await streaming(words)()
