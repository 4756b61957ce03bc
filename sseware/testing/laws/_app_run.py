"""An application as its laws see it: in process, in virtual time, on a server personality."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, TypeAlias

import anyio
import anyio.lowlevel
import msgspec

from ...wire import content_type_essence
from .._clock import virtual_backend
from .._connect import connect
from .._personalities import PERSONALITIES
from .._stream import SSEStream
from ..errors import LawSkipped, SSETimeout, StreamEnded, TranscriptError
from ._law import Broken

__all__ = [
    "SERVERS",
    "AppTarget",
    "as_target",
    "asked",
    "listen",
    "never_rests",
    "opened",
    "pass_time",
    "run",
    "settled",
]

SERVERS: Final = tuple(PERSONALITIES)
"""The names of the personalities, an example each."""

PATIENCE: Final = 10.0
"""Virtual seconds that an application has to answer, and to end when its client has left."""

_ENOUGH: Final = 2**20
_MESSAGES: Final = 50
_TURNS: Final = 200

_Main: TypeAlias = Callable[[], Awaitable[None]]


class AppTarget(msgspec.Struct, frozen=True, kw_only=True):
    """An ASGI application, and how it is asked for a stream.

    Attributes:
        app: The application.
        path: The path, with a query or without.
        method: The request method.
        headers: Header fields beside ``Accept: text/event-stream``.
        content: A request body.
        dialect: By what its stream is decoded, where a law has to know how it ended.
        failing_before: A path at which it fails before anything was sent, or ``None``.
        failing_after: A path at which it fails in the middle of a stream, or ``None``.
    """

    app: Any
    path: str = "/"
    method: str = "GET"
    headers: Mapping[str, str] = {}
    content: bytes | None = None
    dialect: str | None = None
    failing_before: str | None = None
    failing_after: str | None = None


def as_target(target: Any) -> AppTarget:
    """Returns how an application is asked; one that is given alone is asked at ``/``."""
    return target if isinstance(target, AppTarget) else AppTarget(app=target)


def run(main: _Main) -> None:
    """Runs a law in virtual time; what the application did wrong breaks it.

    Raises:
        Broken: It did something wrong, which the transcript shows.
    """
    backend, options = virtual_backend("asyncio")
    try:
        anyio.run(main, backend=backend, backend_options=options)
    except TranscriptError as error:
        raise Broken(error.reason, transcript=f"\n{error.transcript}") from error


@asynccontextmanager
async def asked(target: AppTarget, server: str = "uvicorn", **changes: Any) -> AsyncIterator[SSEStream]:
    """Asks an application; whatever it answers will do.

    Args:
        target: The application.
        server: The name of a personality.
        changes: Arguments of `connect` that are to be other ones; ``headers`` come in addition.
    """
    headers = {**target.headers, **changes.pop("headers", {})}
    given: dict[str, Any] = {
        "method": target.method,
        "headers": headers,
        "content": target.content,
        "server": server,
        "timeout": PATIENCE,
        **changes,
    }
    async with connect(target.app, given.pop("path", target.path), **given) as stream:
        yield stream


@asynccontextmanager
async def opened(target: AppTarget, server: str = "uvicorn", **changes: Any) -> AsyncIterator[SSEStream]:
    """Asks an application for a stream.

    Raises:
        LawSkipped: It answers with something else, which another law tells.
    """
    async with asked(target, server, **changes) as stream:
        kind = stream.headers.get("content-type")
        if stream.status != 200 or content_type_essence(kind) != "text/event-stream":
            _ = stream.app_exception, stream.violations  # told: the other law shows it
            raise LawSkipped(f"the answer is no event stream: status {stream.status}, content type {kind}")
        yield stream


async def listen(stream: SSEStream, *, most: int = 20, seconds: float = 10.0) -> None:
    """Reads some events, but not for long; a stream may end before."""
    with suppress(SSETimeout, StreamEnded), anyio.move_on_after(seconds):
        for _ in range(most):
            await stream.next(timeout=seconds)


async def settled(stream: SSEStream, seconds: float, *, chunks: int = 500) -> None:
    """Reads for some time, or until the stream has ended or has told enough."""
    # A wait looks at what has come, so that an endless stream counts as one that is read.
    await stream._exchange.wait(lambda: stream.ending is not None or len(stream.chunks) >= chunks, seconds)


async def never_rests(stream: SSEStream) -> bool:
    """Tells whether an application sends on at each turn of the event loop, so that virtual time stands still."""
    log = stream._exchange.server.log
    had = len(log)
    for _ in range(_TURNS):
        if len(log) > had + _MESSAGES or stream.waiting > _ENOUGH:
            return True
        await anyio.lowlevel.checkpoint()
    return False


async def pass_time(stream: SSEStream, seconds: float) -> None:
    """Lets some time pass, unless the application is never at rest."""
    if not await never_rests(stream):
        had = len(stream.chunks)
        await stream._exchange.wait(lambda: len(stream.chunks) > had + _MESSAGES, seconds)
