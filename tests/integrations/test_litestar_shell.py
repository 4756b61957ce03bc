"""Litestar: what a route declares is the stream's, and an application of ours may be returned, too."""

from __future__ import annotations

import importlib
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

import pytest
from litestar import Litestar, asgi, get, post
from litestar.background_tasks import BackgroundTask
from litestar.datastructures import Cookie, ResponseHeader, State
from litestar.di import NamedDependency, Provide
from litestar.params import Body, FromPath, FromQuery

import sseware
from sseware import SSEMiddleware
from sseware.asgi import _response
from sseware.asgi._frameworks import response_class
from sseware.integrations.litestar import EventStream, streaming
from tests.asgi.fakes import FakeServer, answer, body, request

pytestmark = pytest.mark.anyio


async def words() -> AsyncIterator[str]:
    yield "Once "
    yield "upon "


STREAM = b"data: Once \n\ndata: upon \n\n"


def app_of(*handlers: Any, **options: Any) -> Litestar:
    return Litestar(handlers, logging_config=None, **options)


def to(path: str = "/", method: str = "GET", **more: Any) -> Any:
    return request(method, path, scheme="http", server=("localhost", 80), **more)


async def test_the_example_of_the_design() -> None:
    @post("/skills/{name:str}")
    @sseware.streaming(dialect="machpay")
    async def story(name: FromPath[str]):  # type: ignore[no-untyped-def]  # as it is written there
        yield f"Once {name}"

    app = app_of(story)
    server = await answer(app, to("/skills/fox", "POST"))
    assert json.loads(server.body)["data"]["text"] == "Once fox"
    server = await answer(app, to("/skills/fox", "POST", accept="text/event-stream"))
    assert b"event: chunk" in server.body


async def test_what_is_injected_is_validated_before_anything_runs() -> None:
    ran: list[str] = []

    @post("/")
    @streaming(dialect="plain")
    async def story(
        data: Annotated[dict[str, int], Body()], tenant: NamedDependency[str], n: FromQuery[int] = 1
    ) -> AsyncIterator[str]:
        ran.append("ran")
        yield f"{tenant} {data} {n}"

    async def tenant() -> str:
        return "acme"

    app = app_of(story, dependencies={"tenant": Provide(tenant)})
    fields = {"content-type": "application/json"}
    good, bad = (FakeServer(*body(json.dumps({"a": each}).encode())) for each in (1, "x"))
    await answer(app, to("/", "POST", headers=fields, query="n=2"), server=good)
    assert good.body == b"data: acme {'a': 1} 2\n\n"
    await answer(app, to("/", "POST", headers=fields), server=bad)
    assert (bad.status, ran) == (400, ["ran"])


async def test_fields_and_cookies_of_the_route_are_the_streams() -> None:
    @get(
        "/",
        response_headers=[
            ResponseHeader(name="x-a", value="route"),
            ResponseHeader(name="x-b", value="route"),
        ],
        response_cookies=[Cookie(key="a", value="route"), Cookie(key="b", value="route")],
    )
    async def story() -> EventStream:
        response = EventStream(words(), headers={"x-a": "own"}, cookies=[Cookie(key="a", value="own")])
        response.headers["x-c"] = "set"
        response.set_cookie("c", "set")
        return response

    headers = (await answer(app_of(story), to())).headers
    assert [headers[name] for name in ("x-a", "x-b", "x-c")] == ["own", "route", "set"]
    assert "a=own" in headers["set-cookie"]
    assert "b=route" in headers["set-cookie"]
    assert "c=set" in headers["set-cookie"]
    assert "a=route" not in headers["set-cookie"]


@pytest.mark.parametrize("loaded", [False, True], ids=["alone", "with-starlette"])
@pytest.mark.parametrize(
    ("route", "options", "want"),
    [
        pytest.param({}, {}, 200, id="200-unless-somebody-says-otherwise"),
        pytest.param({"status_code": 202}, {}, 202, id="the-routes"),
        pytest.param({"status_code": 202}, {"status_code": 203}, 203, id="the-options"),
    ],
)
async def test_the_status_is(
    route: Any, options: Any, want: int, loaded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is made by the front door is a response of Starlette's, too, where that is loaded.
    monkeypatch.setattr(_response, "response_class", response_class if loaded else lambda: None)
    importlib.import_module("starlette.responses")

    @post("/", **route)
    async def story() -> EventStream:
        return EventStream(words(), **options)

    server = await answer(app_of(story), to(method="POST"))
    assert (server.status, server.body) == (want, STREAM)


async def test_a_background_task_of_the_response_runs_after_it() -> None:
    ran: list[bool] = []
    server = FakeServer()

    async def later() -> None:
        ran.append(server.is_complete)

    @get("/")
    async def story() -> EventStream:
        return EventStream(sseware.EventStream(words()), background=BackgroundTask(later))

    await answer(app_of(story), to(), server=server)
    assert ran == [True]


async def test_an_application_of_ours_may_be_returned() -> None:
    @get("/")
    async def story() -> sseware.EventStream:
        return sseware.EventStream(words(), headers={"x-a": "1"})

    server = await answer(app_of(story), to())
    assert (server.headers["x-a"], server.body) == ("1", STREAM)


async def test_a_hook_sees_the_response() -> None:
    async def after(response: Any) -> Any:
        response.headers["x-after"] = type(response).__name__
        return response

    @get("/", after_request=after)
    @streaming()
    async def story() -> AsyncIterator[str]:
        yield "a"

    assert (await answer(app_of(story), to())).headers["x-after"] == "EventStream"


async def test_it_needs_no_options() -> None:
    @get("/")
    @streaming
    async def story(state: State) -> AsyncIterator[str]:
        yield state.word

    app = app_of(story, state=State({"word": "fox"}))
    assert (await answer(app, to())).body == b"data: fox\n\n"


async def test_a_handler_may_be_mounted() -> None:
    async def where(scope: Any) -> AsyncIterator[str]:
        yield scope["path"]

    mounted = asgi("/api", is_mount=True, copy_scope=True)(SSEMiddleware(where))
    assert (await answer(app_of(mounted), to("/api/deep"))).body == b"data: /deep/\n\n"
