"""A connection to an ASGI application, in process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from .._types import ASGIApp
from ..dialects import Dialect, get_dialect
from ._exchange import Exchange, check_seconds
from ._personalities import Server, get_personality
from ._request import AskedHeaders, Content, Params, RequestBody, make_body, make_scope
from ._stream import SSEStream

__all__ = ["connect"]


@asynccontextmanager
async def connect(
    app: ASGIApp,
    path: str = "/",
    *,
    method: str = "GET",
    headers: AskedHeaders | None = None,
    params: Params | None = None,
    json: object = None,
    content: Content | None = None,
    last_event_id: str | None = None,
    server: Server = "uvicorn",
    dialect: str | Dialect | None = None,
    timeout: float = 5.0,
) -> AsyncIterator[SSEStream]:
    r"""Connects to an ASGI application, in process, as a client does through a server.

    >>> import anyio
    >>> async def app(scope, receive, send):
    ...     headers = [(b"content-type", b"text/event-stream")]
    ...     await send({"type": "http.response.start", "status": 200, "headers": headers})
    ...     for number in range(10**9):
    ...         await send({"type": "http.response.body", "body": b"data: %d\n\n" % number, "more_body": True})
    ...         if (await receive())["type"] == "http.disconnect":
    ...             return
    >>> async def test():
    ...     async with connect(app) as stream:
    ...         return await stream.take(2)
    >>> anyio.run(test)
    [ServerSentEvent(data='0'), ServerSentEvent(data='1')]

    Entering waits for status and headers. Leaving disconnects, as the server would, and waits until the application
    has ended.

    Args:
        app: Any ASGI application.
        path: The path, percent-encoded where it has to be, with a query or without.
        method: The request method.
        headers: Header fields beside ``Accept: text/event-stream``, or in its place; ``None`` leaves it out.
        params: Parameters of the query.
        json: A request body, as JSON.
        content: A request body; in pieces, each is a message.
        last_event_id: The value of ``Last-Event-ID``.
        server: The personality of the server, or its name: see `Personality`.
        dialect: By what `SSEStream.items` decodes; ``"plain"`` where none is given.
        timeout: How many seconds anything is waited for.

    Raises:
        SSETimeout: Status and headers did not come in time.
        AppLeaked: On leaving: the application was still running some time after the client had left.
        AppRaised: On leaving: the application raised, and the test has not been told.
        ASGIViolation: On leaving: the application broke the specification, and the test has not been told.
        ConfigurationError: An argument is not what it must be.
    """
    seconds = check_seconds("timeout", timeout)
    personality = get_personality(server)
    speaks = get_dialect("plain" if dialect is None else dialect)
    body, described = make_body(json, content)
    scope = make_scope(
        personality,
        method,
        path,
        headers=headers,
        params=params,
        described=described,
        last_event_id=last_event_id,
    )
    request: dict[str, Any] = {
        "method": method,
        "headers": headers,
        "params": params,
        "json": json,
        "content": content,
        "server": server,
        "dialect": dialect,
        "timeout": timeout,
    }
    exchange = Exchange(
        app,
        scope,
        RequestBody(body, personality),
        personality,
        eager=personality.high_water != 0,
        last_event_id=last_event_id or "",
    )
    stream = SSEStream(exchange, speaks, seconds, partial(_reconnect, app, path, request))
    try:
        await exchange.wait_head(seconds)
        yield stream
    except BaseException as exc:
        await exchange.finish(seconds)
        problem = stream.unknown_problem()
        if problem is not None and problem is not exc:
            exc.add_note(f"besides: {problem}")
        raise
    await exchange.finish(seconds)
    problem = stream.unknown_problem()
    if problem is not None:
        raise problem


@asynccontextmanager
async def _reconnect(
    app: ASGIApp, path: str, request: dict[str, Any], before: SSEStream, **changes: Any
) -> AsyncIterator[SSEStream]:
    await before.disconnect()
    given = {"last_event_id": before.last_event_id, **request, **changes}
    async with connect(app, path, **given) as stream:
        yield stream
