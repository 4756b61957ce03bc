"""The same handler under seven frameworks: one application each, with the same paths.

- ``/story/{name}``: the handler, unchanged; it is cleaned up after;
- ``/by-hand/{name}``: the same as a response that is made by hand;
- ``/refused/{name}``: the framework's own exception before the first item, 404 with ``x-why: name``;
- ``/broken``: an exception that nobody knows, before the first item; ``/breaks``: after it;
- ``/context``: a context variable from outside, and what the framework keeps of a request;
- ``/shout``: the body of the request, in capitals;
- ``/background``: work that is done after the answer;
- ``/left``: the dialect is left to the middleware.

Each is made by a function of the list in which handlers and background tasks write down what they did.
"""

from __future__ import annotations

import contextvars
import functools
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio

from sseware import streaming
from sseware.integrations import asgi as bare_shell
from sseware.items import Start

__all__ = ["FRAMEWORKS", "ON_TRIO", "WhoAsks", "user"]

user = contextvars.ContextVar("user", default="nobody")
OPTIONS: Any = {"dialect": "husk", "dialects": ["ash", "plain"]}
Seen = list[str]


async def tell(name: str, seen: Seen) -> AsyncIterator[object]:
    """The handler; no framework is known to it."""
    seen.append("begun")
    try:
        yield Start(name=name)
        yield "Once "
        if name == "endless":
            await anyio.sleep_forever()
        yield name
    finally:
        # On Trio a handler that was cancelled stays so.
        with anyio.CancelScope(shield=True):
            await anyio.sleep(0)
        seen.append(f"closed {name}")


async def fail(first: str) -> AsyncIterator[str]:
    if first:
        yield first
    raise LookupError("the password is swordfish")


class WhoAsks:
    """A middleware that sets a context variable."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        token = user.set("alice")
        try:
            await self.app(scope, receive, send)
        finally:
            user.reset(token)


def starlette(seen: Seen) -> Any:
    from starlette.applications import Starlette
    from starlette.background import BackgroundTask
    from starlette.exceptions import HTTPException
    from starlette.requests import Request
    from starlette.routing import Route

    from sseware.integrations.starlette import EventStream

    @streaming(**OPTIONS)
    async def story(request: Request) -> AsyncIterator[object]:
        async for item in tell(request.path_params["name"], seen):
            yield item

    async def by_hand(request: Request) -> EventStream:
        return EventStream(tell(request.path_params["name"], seen), **OPTIONS)

    @streaming(**OPTIONS)
    async def refused(request: Request) -> AsyncIterator[str]:
        raise HTTPException(404, "none", headers={"x-why": request.path_params["name"]})
        yield ""

    @streaming(**OPTIONS)
    async def context(request: Request) -> AsyncIterator[str]:
        request.state.mine = "state"
        yield user.get()
        yield str(request.state.mine)

    @streaming(**OPTIONS)
    async def shout(request: Request) -> AsyncIterator[str]:
        yield (await request.body()).decode().upper()

    async def background(request: Request) -> EventStream:
        return EventStream(["a"], background=BackgroundTask(seen.append, "later"), **OPTIONS)

    async def left(request: Request) -> EventStream:
        return EventStream(["a"])

    async def broken(request: Request) -> EventStream:
        return EventStream(fail(""), **OPTIONS)

    async def breaks(request: Request) -> EventStream:
        return EventStream(fail("one"), **OPTIONS)

    paths = {
        "/story/{name}": story,
        "/by-hand/{name}": by_hand,
        "/refused/{name}": refused,
        "/context": context,
        "/shout": shout,
        "/background": background,
        "/left": left,
        "/broken": broken,
        "/breaks": breaks,
    }
    return Starlette(routes=[Route(path, each, methods=["GET", "POST"]) for path, each in paths.items()])


def fastapi(seen: Seen) -> Any:
    from fastapi import BackgroundTasks, FastAPI, HTTPException, Request

    from sseware.integrations.fastapi import EventStream

    async def story(name: str) -> AsyncIterator[object]:
        async for item in tell(name, seen):
            yield item

    async def by_hand(name: str) -> EventStream:
        return EventStream(tell(name, seen), **OPTIONS)

    async def refused(name: str) -> AsyncIterator[str]:
        raise HTTPException(404, "none", headers={"x-why": name})
        yield ""

    async def context(request: Any) -> AsyncIterator[str]:
        request.state.mine = "state"
        yield user.get()
        yield str(request.state.mine)

    async def shout(request: Any) -> AsyncIterator[str]:
        yield (await request.body()).decode().upper()

    async def background(tasks: Any) -> AsyncIterator[str]:
        tasks.add_task(seen.append, "later")
        yield "a"

    async def left() -> AsyncIterator[str]:
        yield "a"

    async def broken() -> AsyncIterator[str]:
        async for each in fail(""):
            yield each

    async def breaks() -> AsyncIterator[str]:
        async for each in fail("one"):
            yield each

    # Annotations of a function within a function are texts that nobody can look up.
    context.__annotations__["request"] = shout.__annotations__["request"] = Request
    background.__annotations__["tasks"] = BackgroundTasks
    app = FastAPI()
    app.add_api_route("/by-hand/{name}", by_hand, methods=["GET", "POST"], response_model=None)
    app.add_api_route("/left", streaming(left))
    for path, each in {
        "/story/{name}": story,
        "/refused/{name}": refused,
        "/context": context,
        "/shout": shout,
        "/background": background,
        "/broken": broken,
        "/breaks": breaks,
    }.items():
        endpoint: Any = each
        app.add_api_route(path, streaming(**OPTIONS)(endpoint), methods=["GET", "POST"])
    return app


def litestar(seen: Seen) -> Any:
    from litestar import Litestar, Request, route
    from litestar.background_tasks import BackgroundTask
    from litestar.exceptions import HTTPException
    from litestar.params import FromPath

    from sseware.integrations.litestar import EventStream
    from sseware.integrations.litestar import streaming as typed

    async def story(name: str) -> AsyncIterator[object]:
        async for item in tell(name, seen):
            yield item

    async def by_hand(name: str) -> EventStream:
        return EventStream(tell(name, seen), **OPTIONS)

    async def refused(name: str) -> AsyncIterator[str]:
        raise HTTPException("none", status_code=404, headers={"x-why": name})
        yield ""

    async def context(request: Request[Any, Any, Any]) -> AsyncIterator[str]:
        request.state.mine = "state"
        yield user.get()
        yield str(request.state.mine)

    async def shout(request: Request[Any, Any, Any]) -> AsyncIterator[str]:
        yield (await request.body()).decode().upper()

    async def background() -> AsyncIterator[str]:
        yield "a"

    async def left() -> AsyncIterator[str]:
        yield "a"

    async def broken() -> AsyncIterator[str]:
        async for each in fail(""):
            yield each

    async def breaks() -> AsyncIterator[str]:
        async for each in fail("one"):
            yield each

    for each in (story, by_hand, refused):
        each.__annotations__["name"] = FromPath[str]

    def at(path: str, endpoint: Any, **more: Any) -> Any:
        return route(path, http_method=["GET", "POST"], **more)(endpoint)

    names = {"Request": Request, "EventStream": EventStream}
    return Litestar(
        [
            at("/story/{name:str}", streaming(**OPTIONS)(story)),
            at("/by-hand/{name:str}", by_hand),
            at("/refused/{name:str}", typed(**OPTIONS)(refused)),
            at("/context", streaming(**OPTIONS)(context)),
            at("/shout", streaming(**OPTIONS)(shout)),
            at("/background", typed(**OPTIONS)(background), background=BackgroundTask(_note, seen)),
            at("/left", streaming(left)),
            at("/broken", streaming(**OPTIONS)(broken)),
            at("/breaks", streaming(**OPTIONS)(breaks)),
        ],
        signature_namespace=names,
        openapi_config=None,
        logging_config=None,
    )


async def _note(seen: Seen) -> None:
    seen.append("later")


def quart(seen: Seen) -> Any:
    import quart

    from sseware.integrations.quart import EventStream

    app = quart.Quart("stories")

    async def story(name: str) -> AsyncIterator[object]:
        async for item in tell(name, seen):
            yield item

    async def by_hand(name: str) -> EventStream:
        return EventStream(tell(name, seen), **OPTIONS)

    async def refused(name: str) -> AsyncIterator[str]:
        quart.abort(quart.Response("none", status=404, headers={"x-why": name}))
        yield ""

    async def context() -> AsyncIterator[str]:
        quart.g.mine = "state"
        yield user.get()
        yield f"{quart.g.mine}" if quart.request.path == "/context" else ""

    async def shout() -> AsyncIterator[str]:
        yield str(await quart.request.get_data(as_text=True)).upper()

    async def background() -> AsyncIterator[str]:
        app.add_background_task(_note, seen)
        yield "a"

    async def left() -> AsyncIterator[str]:
        yield "a"

    async def broken() -> AsyncIterator[str]:
        async for each in fail(""):
            yield each

    async def breaks() -> AsyncIterator[str]:
        async for each in fail("one"):
            yield each

    views: dict[str, Any] = {
        "/story/<name>": streaming(**OPTIONS)(story),
        "/by-hand/<name>": by_hand,
        "/refused/<name>": streaming(**OPTIONS)(refused),
        "/context": streaming(**OPTIONS)(context),
        "/shout": streaming(**OPTIONS)(shout),
        "/background": streaming(**OPTIONS)(background),
        "/left": streaming(left),
        "/broken": streaming(**OPTIONS)(broken),
        "/breaks": streaming(**OPTIONS)(breaks),
    }
    for path, view in views.items():
        app.add_url_rule(path, view_func=view, methods=["GET", "POST"])
    return app


def django(seen: Seen) -> Any:
    from django.core.handlers.asgi import ASGIHandler
    from django.http import Http404, HttpRequest, HttpResponse
    from django.urls import path

    from sseware.integrations.django import EventStream
    from tests.integrations.django_settings import configure

    @streaming(**OPTIONS)
    async def story(request: HttpRequest, name: str) -> AsyncIterator[object]:
        async for item in tell(name, seen):
            yield item

    async def by_hand(request: HttpRequest, name: str) -> EventStream:
        return EventStream(request, tell(name, seen), **OPTIONS)

    @streaming(**OPTIONS)
    async def refused(request: HttpRequest, name: str) -> AsyncIterator[str]:
        raise Http404(name)
        yield ""

    @streaming(**OPTIONS)
    async def context(request: Any) -> AsyncIterator[str]:
        request.mine = "state"
        yield user.get()
        yield request.mine

    @streaming(**OPTIONS)
    async def shout(request: HttpRequest) -> AsyncIterator[str]:
        yield request.body.decode().upper()

    def background(request: HttpRequest) -> EventStream:
        response = EventStream(request, ["a"], **OPTIONS)
        # Django has no tasks of its own; this is what it calls when a response is over.
        response._resource_closers.append(functools.partial(seen.append, "later"))
        return response

    @streaming
    async def left(request: HttpRequest) -> AsyncIterator[str]:
        yield "a"

    def broken(request: HttpRequest) -> EventStream:
        return EventStream(request, fail(""), **OPTIONS)

    def breaks(request: HttpRequest) -> EventStream:
        return EventStream(request, fail("one"), **OPTIONS)

    def missing(request: HttpRequest, exception: Exception) -> HttpResponse:
        return HttpResponse(b"none", status=404, headers={"x-why": str(exception)})

    urls = configure()
    urls.handler404 = missing  # type: ignore[attr-defined]  # Django looks these up by name
    urls.urlpatterns = [  # type: ignore[attr-defined]
        path("story/<name>", story),
        path("by-hand/<name>", by_hand),
        path("refused/<name>", refused),
        path("context", context),
        path("shout", shout),
        path("background", background),
        path("left", left),
        path("broken", broken),
        path("breaks", breaks),
    ]
    return ASGIHandler()


def falcon(seen: Seen) -> Any:
    import falcon
    from falcon.asgi import App, Request, Response

    from sseware.integrations.falcon import EventStream

    class Story:
        @streaming(**OPTIONS)
        async def on_get(self, req: Request, resp: Response, name: str) -> AsyncIterator[object]:
            async for item in tell(name, seen):
                yield item

        on_post = on_get

    class ByHand:
        async def on_get(self, req: Request, resp: Response, name: str) -> None:
            await EventStream(tell(name, seen), **OPTIONS).respond(req, resp)

        on_post = on_get

    class Refused:
        @streaming(**OPTIONS)
        async def on_get(self, req: Request, resp: Response, name: str) -> AsyncIterator[str]:
            raise falcon.HTTPNotFound(headers={"x-why": name})
            yield ""

        on_post = on_get

    class Context:
        @streaming(**OPTIONS)
        async def on_get(self, req: Request, resp: Response) -> AsyncIterator[str]:
            req.context.mine = "state"
            yield user.get()
            yield req.context.mine

    class Shout:
        @streaming(**OPTIONS)
        async def on_post(self, req: Request, resp: Response) -> AsyncIterator[str]:
            yield (await req.stream.read()).decode().upper()

    class Background:
        @streaming(**OPTIONS)
        async def on_get(self, req: Request, resp: Response) -> AsyncIterator[str]:
            resp.schedule(functools.partial(_note, seen))
            yield "a"

    class Left:
        @streaming
        async def on_get(self, req: Request, resp: Response) -> AsyncIterator[str]:
            yield "a"

    class Fails:
        def __init__(self, first: str) -> None:
            self.first = first

        async def on_get(self, req: Request, resp: Response) -> None:
            await EventStream(fail(self.first), **OPTIONS).respond(req, resp)

    app = App()
    app.add_route("/story/{name}", Story())
    app.add_route("/by-hand/{name}", ByHand())
    app.add_route("/refused/{name}", Refused())
    app.add_route("/context", Context())
    app.add_route("/shout", Shout())
    app.add_route("/background", Background())
    app.add_route("/left", Left())
    app.add_route("/broken", Fails(""))
    app.add_route("/breaks", Fails("one"))
    return app


def bare(seen: Seen) -> Any:
    from sseware import EventStream, StreamError

    @bare_shell.streaming(**OPTIONS)
    async def story(scope: Any) -> AsyncIterator[object]:
        async for item in tell(name_of(scope), seen):
            yield item

    async def by_hand(scope: Any, receive: Any, send: Any) -> None:
        await EventStream(tell(name_of(scope), seen), **OPTIONS)(scope, receive, send)

    async def background(scope: Any, receive: Any, send: Any) -> None:
        await EventStream(["a"], **OPTIONS)(scope, receive, send)
        await _note(seen)

    async def refused(scope: Any, receive: Any, send: Any) -> None:
        async def refuse() -> AsyncIterator[str]:
            raise StreamError("none", code="not_found", status=404)
            yield ""

        await EventStream(refuse(), headers={"x-why": name_of(scope)}, **OPTIONS)(scope, receive, send)

    @bare_shell.streaming(**OPTIONS)
    async def context(scope: Any) -> AsyncIterator[str]:
        yield user.get()
        yield scope["state"]["mine"]

    @streaming(**OPTIONS)
    async def shout(scope: Any, receive: Any) -> AsyncIterator[str]:
        yield (await receive())["body"].decode().upper()

    async def left(scope: Any, receive: Any, send: Any) -> None:
        await EventStream(["a"])(scope, receive, send)

    @streaming(**OPTIONS)
    async def broken() -> AsyncIterator[str]:
        async for each in fail(""):
            yield each

    @streaming(**OPTIONS)
    async def breaks() -> AsyncIterator[str]:
        async for each in fail("one"):
            yield each

    apps: dict[str, Any] = {
        "story": story,
        "by-hand": by_hand,
        "refused": refused,
        "context": context,
        "shout": shout,
        "background": background,
        "left": left,
        "broken": broken,
        "breaks": breaks,
    }

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await story(scope, receive, send)
            return
        scope.setdefault("state", {})["mine"] = "state"
        await apps[scope["path"].split("/")[1]](scope, receive, send)

    return app


def name_of(scope: Any) -> str:
    return str(scope["path"]).rpartition("/")[2]


FRAMEWORKS: dict[str, Callable[[Seen], Any]] = {
    "starlette": starlette,
    "fastapi": fastapi,
    "litestar": litestar,
    "quart": quart,
    "django": django,
    "falcon": falcon,
    "bare": bare,
}
ON_TRIO = ("starlette", "fastapi", "litestar", "bare")
