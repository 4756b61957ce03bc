"""The servers that an application is run on, each with one worker in one process."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any, TypeAlias

import msgspec

from .peers import Peers, tried

__all__ = ["BACKLOG", "ENGINES", "UVICORN", "Engine", "startable"]

BACKLOG = 2048
UVICORN = "uvicorn (httptools, uvloop)"

Serve: TypeAlias = Callable[[Any, socket.socket], None]


class Engine(msgspec.Struct, frozen=True):
    """What runs an application.

    Attributes:
        distributions: What it is made of.
        modules: What it imports.
        serve: Runs an application on a socket, until the process ends.
        listens_itself: Whether it can be told a port only: then the socket is bound, and nothing more.
    """

    distributions: tuple[str, ...]
    modules: tuple[str, ...]
    serve: Serve
    listens_itself: bool = False


def _uvicorn(http: str, loop: str) -> Serve:
    def serve(app: Any, listener: socket.socket) -> None:
        import uvicorn

        config = uvicorn.Config(app, http=http, loop=loop, log_level="critical", access_log=False)
        uvicorn.Server(config).run(sockets=[listener])

    return serve


def _granian(app: Any, bound: socket.socket) -> None:
    from granian.constants import Interfaces
    from granian.server.embed import Server

    async def serve() -> None:
        # As its own command runs it, but for the process: that one starts another for its worker.
        port = bound.getsockname()[1]
        options: dict[str, Any] = {"interface": Interfaces.ASGI, "log_enabled": False, "backlog": BACKLOG}
        await Server(app, "127.0.0.1", port, **options).serve()

    asyncio.run(serve())


def _hypercorn(app: Any, listener: socket.socket) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.backlog = BACKLOG
    config.errorlog = None
    asyncio.run(serve(app, config))


ENGINES: dict[str, Engine] = {
    UVICORN: Engine(
        ("uvicorn", "httptools", "uvloop"),
        ("uvicorn", "httptools", "uvloop"),
        _uvicorn("httptools", "uvloop"),
    ),
    "uvicorn (h11, asyncio)": Engine(("uvicorn", "h11"), ("uvicorn", "h11"), _uvicorn("h11", "asyncio")),
    "granian (asyncio)": Engine(("granian",), ("granian.server.embed",), _granian, listens_itself=True),
    "hypercorn (h11, asyncio)": Engine(("hypercorn", "h11"), ("hypercorn.asyncio",), _hypercorn),
}


@cache
def startable() -> Peers[Engine]:
    """Returns those that are installed, and why the others are not."""
    return tried({name: lambda engine=engine: engine for name, engine in ENGINES.items()}, _try)  # type: ignore[misc]  # bound at once


def _try(engine: Engine) -> None:
    for module in engine.modules:
        import_module(module)
