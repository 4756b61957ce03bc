"""What the pytest fixtures are: ``sse_connect`` is a `ConnectFixture`, and so on.

The names are for annotations of tests: ``async def test_ticks(sse_connect: ConnectFixture) -> None``. The plugin
makes the values, of the options of the command line and of the marker ``sse``; a test that says something else has
its way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from importlib import import_module
from types import TracebackType
from typing import Any, TypeVar

from .._types import ASGIApp
from ..dialects import Dialect
from ..errors import ConfigurationError
from ._choices import Choices
from ._connect import connect
from ._exchange import Exchange
from ._live_server import LIVE_SERVERS, ServerContext, sse_server
from ._personalities import Server
from ._request import AskedHeaders, Content, Params
from ._stream import SSEStream
from ._tracebacks import is_failure
from ._transport import StreamingTransport
from ._wire_server import WireConnection, WireServer, sse_wire_server

__all__ = ["ClientFixture", "ConnectFixture", "ServerFixture", "Trace", "WireServerFixture"]

__tracebackhide__ = is_failure

_T = TypeVar("_T")


class Trace:
    """What one test has opened, for the report where it fails."""

    def __init__(self) -> None:
        self._opened: list[Callable[[], Iterable[Exchange]]] = []

    def opened(self, exchanges: Callable[[], Iterable[Exchange]]) -> None:
        """Is told of something that was opened.

        Args:
            exchanges: Returns the connections that belong to it.
        """
        self._opened.append(exchanges)

    def text(self, error: BaseException | None) -> str:
        """Returns what has happened on all connections.

        Args:
            error: What the test has raised; what it tells itself is left out.
        """
        every = [exchange for exchanges in self._opened for exchange in exchanges()]
        return "\n".join(each.transcript() for each in every if not each.is_told_by(error))


class _Fixture:
    """What the fixtures have in common.

    Args:
        choices: What is taken where a test does not say it.
    """

    def __init__(self, choices: Choices) -> None:
        self._choices = choices

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._choices}>"


class _TracedFixture(_Fixture):
    """What the fixtures have in common that open something in process.

    Args:
        choices: What is taken where a test does not say it.
        trace: Is told of what is opened.
        check: Is called before anything is opened: whether virtual time is virtual.
    """

    def __init__(self, choices: Choices, trace: Trace, check: Callable[[], object]) -> None:
        super().__init__(choices)
        self._trace = trace
        self._check = check


class ConnectFixture(_TracedFixture):
    """``sse_connect``: an application in process, as a client of a server sees it."""

    def __call__(
        self,
        app: ASGIApp,
        path: str = "/",
        *,
        method: str = "GET",
        headers: AskedHeaders | None = None,
        params: Params | None = None,
        json: object = None,
        content: Content | None = None,
        last_event_id: str | None = None,
        server: Server | None = None,
        dialect: str | Dialect | None = None,
        timeout: float | None = None,
    ) -> AbstractAsyncContextManager[SSEStream]:
        """Connects, as `sseware.testing.connect` does; that describes the arguments.

        Server, dialect and timeout are those of the marker or of the command line where they are not given.
        """
        chosen = self._choices.changed(server=server, dialect=dialect, timeout=timeout)
        connection = connect(
            app,
            path,
            method=method,
            headers=headers,
            params=params,
            json=json,
            content=content,
            last_event_id=last_event_id,
            server=chosen.server,
            dialect=chosen.dialect,
            timeout=chosen.timeout,
        )
        return _Opening(connection, self._check, lambda stream: self._trace.opened(stream.exchanges))


class ClientFixture(_TracedFixture):
    """``sse_client``: an HTTP client whose server is an application in process."""

    def __call__(
        self,
        app: ASGIApp,
        *,
        server: Server | None = None,
        timeout: float | None = None,
        raise_app_exceptions: bool = True,
        **client: Any,
    ) -> AbstractAsyncContextManager[Any]:
        """Opens an ``httpx2.AsyncClient``, or one of httpx where httpx2 is not installed.

        Args:
            app: Any ASGI application.
            server: The personality of the server, or its name.
            timeout: How many seconds a chunk is awaited, and the application's end when the client has left.
            raise_app_exceptions: Whether what the application raises is raised in the client.
            client: Arguments of the client; ``base_url`` is ``"http://testserver"`` where it is not given.

        Raises:
            ConfigurationError: Neither library is installed.
        """
        chosen = self._choices.changed(server=server, timeout=timeout)
        transport = StreamingTransport(
            app, server=chosen.server, timeout=chosen.timeout, raise_app_exceptions=raise_app_exceptions
        )
        options = {"base_url": "http://testserver", "timeout": chosen.timeout, **client}
        opened = _http_library().AsyncClient(transport=transport, **options)
        return _Opening(opened, self._check, lambda _: self._trace.opened(lambda: transport.exchanges))


class ServerFixture(_Fixture):
    """``sse_server``: an application on a real server."""

    def __call__(
        self, app: ASGIApp, server: str | None = None, *, timeout: float | None = None, **options: Any
    ) -> ServerContext:
        """Starts a server, as `sseware.testing.sse_server` does; that describes the arguments.

        Server and timeout are those of the marker or of the command line where they are not given; it is uvicorn
        where these name a personality that no real server has.
        """
        chosen = self._choices.changed(timeout=timeout)
        there_is = (
            chosen.server if isinstance(chosen.server, str) and chosen.server in LIVE_SERVERS else "uvicorn"
        )
        return sse_server(app, server or there_is, timeout=chosen.timeout, **options)


class WireServerFixture(_Fixture):
    """``sse_wire_server``: a server that sends bytes as it is told."""

    def __call__(
        self, script: Callable[[WireConnection], object] | None = None, *, timeout: float | None = None
    ) -> WireServer:
        """Listens, as `sseware.testing.sse_wire_server` does; that describes the arguments."""
        return sse_wire_server(script, timeout=self._choices.changed(timeout=timeout).timeout)


class _Opening(AbstractAsyncContextManager[_T]):
    """A context manager, and what is done before and after it is entered.

    Args:
        context: The context manager.
        check: Is called before.
        opened: Is given what it has returned.
    """

    def __init__(
        self,
        context: AbstractAsyncContextManager[_T],
        check: Callable[[], object],
        opened: Callable[[_T], object],
    ) -> None:
        self._context = context
        self._check = check
        self._opened = opened

    async def __aenter__(self) -> _T:
        self._check()
        entered = await self._context.__aenter__()
        self._opened(entered)
        return entered

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return await self._context.__aexit__(kind, exc, trace)


def _http_library() -> Any:
    for name in ("httpx2", "httpx"):
        try:
            return import_module(name)
        except ImportError:
            continue
    raise ConfigurationError("sse_client needs an HTTP client: pip install httpx2, or httpx")
