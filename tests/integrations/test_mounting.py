"""A handler that is an application, mounted in others' applications: paths, methods, bodies, lifespans."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from fastapi import FastAPI
from litestar import Litestar, asgi
from starlette.applications import Starlette
from starlette.routing import Host, Mount

from sseware import SSEMiddleware
from sseware.integrations.asgi import streaming
from tests.asgi.fakes import FakeServer, answer, body, request

pytestmark = pytest.mark.anyio


async def echo(scope: Any, receive: Any) -> AsyncIterator[str]:
    """Says where it was asked, and how, and repeats the body message by message."""
    yield f"{scope['method']} {scope.get('root_path', '')}|{scope['path']} "
    more = scope["method"] != "GET"
    while more:
        message = await receive()
        yield f"[{message['body'].decode()}]"
        more = message.get("more_body", False)


def in_starlette(app: Any) -> Any:
    return Starlette(routes=[Mount("/api", app=app)])


def in_a_mount_in_a_mount(app: Any) -> Any:
    return Starlette(routes=[Host("localhost", app=Starlette(routes=[Mount("/api", app=app)]))])


def in_fastapi(app: Any) -> Any:
    outer = FastAPI()
    outer.mount("/api", app)
    return outer


def in_litestar(app: Any) -> Any:
    return Litestar([asgi("/api", is_mount=True, copy_scope=True)(app)], logging_config=None)


def in_a_middleware_in_starlette(app: Any) -> Any:
    return SSEMiddleware(in_starlette(app), dialect="hector")


def as_middleware(app: Any) -> Any:
    return SSEMiddleware(app, dialect="husk")


def as_decorated(app: Any) -> Any:
    return streaming(dialect="husk")(app)


MOUNTS = [in_starlette, in_a_mount_in_a_mount, in_fastapi, in_litestar, in_a_middleware_in_starlette]


def to(method: str, **more: Any) -> Any:
    headers = {"host": "localhost", **more.pop("headers", {})}
    return request(method, "/api/deep/path", headers=headers, scheme="http", server=("localhost", 80), **more)


@pytest.fixture(params=MOUNTS, ids=lambda mount: mount.__name__)
def mount(request: pytest.FixtureRequest) -> Callable[[Any], Any]:
    """Puts an application below ``/api`` of another."""
    return request.param  # type: ignore[no-any-return]  # it is what stands above


@pytest.fixture(params=[as_middleware, as_decorated], ids=lambda make: make.__name__)
def app(request: pytest.FixtureRequest, mount: Callable[[Any], Any]) -> Any:
    """The handler as an application, mounted."""
    return mount(request.param(echo))


async def test_any_method_is_answered(app: Any) -> None:
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "QUERY"):
        server = await answer(app, to(method), server=FakeServer(*body(b"")))
        assert server.status == 200
        assert server.body.startswith(method.encode())


async def test_a_handler_sees_the_frameworks_path_and_root_path(app: Any, mount: Any) -> None:
    server = await answer(app, to("GET", root_path=""))
    root, _, path = server.body.decode().removeprefix("GET ").strip().partition("|")
    # Litestar takes the mount's path away, as ASGI had it first; Starlette keeps the path whole, as it has it now.
    assert (root + path if mount is in_litestar else path).rstrip("/").endswith("/deep/path")
    assert root == ("" if mount is in_litestar else "/api")


@pytest.mark.parametrize("query", ["", "stream=1"])
async def test_each_message_of_the_body_is_the_handlers_once(app: Any, query: str) -> None:
    server = FakeServer(*body(b"one", b"two", b"three"))
    await answer(app, to("POST", query=query, headers={"content-length": "11"}), server=server)
    text = server.body.decode().replace("event: stdout\ndata: ", "").replace("\n\n", "")
    assert "[one][two][three]" in text
    assert server.overlaps == 0


async def test_head_is_answered_and_runs_nothing(app: Any) -> None:
    server = await answer(app, to("HEAD"))
    assert (server.status, server.body) == (200, b"")


@pytest.mark.parametrize("make", [as_middleware, as_decorated])
async def test_a_lifespan_that_comes_to_it_is_answered(make: Any) -> None:
    server = FakeServer({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})
    await answer(make(echo), {"type": "lifespan", "asgi": {"version": "3.0"}}, server=server)
    assert [each["type"] for each in server.sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]


@pytest.mark.parametrize("mount", MOUNTS, ids=lambda mount: mount.__name__)
async def test_the_outer_applications_lifespan_is_its_own(mount: Any) -> None:
    app = mount(as_middleware(echo))
    server = FakeServer({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})
    await answer(app, {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, server=server)
    assert [each["type"] for each in server.sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]
