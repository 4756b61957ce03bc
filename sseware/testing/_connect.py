"""A connection to an ASGI application, in process."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any

from .._types import ASGIApp
from ..dialects import Dialect, get_dialect
from ._exchange import Exchange, check_seconds
from ._personalities import Server, get_personality
from ._request import AskedHeaders, Content, Params, RequestBody, make_body, make_scope
from ._stream import SSEStream
from ._tracebacks import is_failure

__all__ = ["Connection", "connect"]

__tracebackhide__ = is_failure


def connect(
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
) -> AbstractAsyncContextManager[SSEStream]:
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
    given = {} if last_event_id is None else {"last_event_id": last_event_id}
    return Connection(app, path, request, given)


class Connection(AbstractAsyncContextManager[SSEStream]):
    """What `connect` returns: entering it sends the request.

    It is a class of its own, and no generator, so that a traceback shows the test and nothing of ours.

    Args:
        app: The application.
        path: The path.
        request: The arguments of `connect` that a reconnection has, too.
        given: Those that it has not.
        before: The connection that is left for this one, if any.
    """

    def __init__(
        self,
        app: ASGIApp,
        path: str,
        request: Mapping[str, Any],
        given: Mapping[str, Any],
        before: SSEStream | None = None,
    ) -> None:
        self._app = app
        self._path = path
        self._request = request
        self._given = given
        self._before = before

    async def __aenter__(self) -> SSEStream:
        given = {**self._request, **self._given}
        if self._before is not None:
            await self._before.disconnect()
            given.setdefault("last_event_id", self._before.last_event_id)
        self._seconds = check_seconds("timeout", given["timeout"])
        self._exchange = _start(self._app, self._path, **given)
        speaks = get_dialect("plain" if given["dialect"] is None else given["dialect"])
        self._stream = SSEStream(self._exchange, speaks, self._seconds, self._reconnect)
        if self._before is not None:
            self._before.reconnected(self._stream)
        try:
            await self._exchange.wait_head(self._seconds)
        except BaseException as exc:
            await self.__aexit__(type(exc), exc, None)
            raise
        return self._stream

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._exchange.finish(self._seconds)
        problem = self._stream.unknown_problem()
        if problem is None or problem is exc:
            return
        if exc is None:
            raise problem
        # What the test says comes first.
        exc.add_note(f"besides: {problem}")

    def _reconnect(self, before: SSEStream, **changes: Any) -> Connection:
        return Connection(self._app, self._path, self._request, changes, before)


def _start(
    app: ASGIApp,
    path: str,
    *,
    method: str,
    headers: AskedHeaders | None,
    params: Params | None,
    json: object,
    content: Content | None,
    server: Server,
    last_event_id: str | None = None,
    **_: object,
) -> Exchange:
    personality = get_personality(server)
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
    return Exchange(
        app,
        scope,
        RequestBody(body, personality),
        personality,
        eager=personality.high_water != 0,
        last_event_id=last_event_id or "",
    )
