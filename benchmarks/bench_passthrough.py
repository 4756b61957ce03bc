"""What does a middleware cost a request that is none of its business, in process?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any

import msgspec

from sseware import SSEMiddleware

from .exchange import Application, exchange
from .report import Report, Table, installed
from .timing import in_turns, short_turns

__all__ = ["SCENES", "Scene", "run", "wrappers"]

DISTRIBUTIONS = ("starlette",)
BARE = "no middleware"
REQUESTS = 100
# The fastest turn counts: these are times, no ratios, and a machine that is busy, or turns its clock down for a while,
# only adds to them.
_IN_A_ROUND = 20


class Scene(msgspec.Struct, frozen=True):
    """One kind of answer.

    Attributes:
        name: What it is called.
        messages: What the application sends.
    """

    name: str
    messages: tuple[dict[str, Any], ...]


def _start(*headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return {"type": "http.response.start", "status": 200, "headers": [*headers]}


def _body(data: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": more}


SCENES = (
    Scene(
        "a JSON answer",
        (_start((b"content-type", b"application/json"), (b"content-length", b"2")), _body(b"{}")),
    ),
    Scene(
        "HTML in eight pieces",
        (
            _start((b"content-type", b"text/html; charset=utf-8"), (b"set-cookie", b"a=1")),
            *[_body(b"<p>hello</p>", more=True)] * 8,
            _body(b""),
        ),
    ),
)


def wrappers() -> Mapping[str, Callable[[Application], Application]]:
    """Returns what is put around an application, by name."""
    found: dict[str, Callable[[Application], Application]] = {
        BARE: lambda app: app,
        "SSEMiddleware": SSEMiddleware,
        "SSEMiddleware, adapting": partial(SSEMiddleware, adapt=True),
    }
    if installed("starlette"):
        cors = import_module("starlette.middleware.cors").CORSMiddleware
        base = import_module("starlette.middleware.base").BaseHTTPMiddleware
        found["Starlette's CORS"] = partial(cors, allow_origins=["https://a.example"])
        found["Starlette's BaseHTTPMiddleware"] = partial(base, dispatch=_pass_on)
    return found


async def _pass_on(request: Any, call_next: Callable[[Any], Any]) -> Any:
    return await call_next(request)


def _application(scene: Scene) -> Application:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        for message in scene.messages:
            await send(message)

    return app


def run(rounds: int) -> Report:
    """Returns the table."""
    around = wrappers()
    turns = short_turns(rounds, _IN_A_ROUND)
    rows: list[list[str | float]] = []
    with asyncio.Runner() as runner:
        for scene in SCENES:
            works = {name: partial(_run, runner, wrap(_application(scene))) for name, wrap in around.items()}
            seconds = in_turns(works, turns)
            best = {name: min(spent) / REQUESTS * 1e6 for name, spent in seconds.items()}
            over = [best[name] - best[BARE] for name in around if name != BARE]
            rows.append([scene.name, best[BARE], *over])
    table = Table(
        "A request that is none of its business",
        "Microseconds a request, on asyncio, with a server that takes every message at once: the application alone, then what "
        f"each middleware adds to it, each in the fastest of {turns} turns. The client asks for an event stream, and has an "
        "`Origin`; the answer is none.",
        ["scene", *around],
        rows,
    )
    return Report("passthrough", DISTRIBUTIONS, turns, [table])


def _run(runner: asyncio.Runner, app: Application) -> None:
    runner.run(_requests(app))


async def _requests(app: Application) -> None:
    for _ in range(REQUESTS):
        await exchange(app)
