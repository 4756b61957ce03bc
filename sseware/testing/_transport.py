"""An application behind an HTTP client, in process: httpx2 or httpx streams from it as from a server."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable
from importlib import import_module
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self

from .._types import ASGIApp
from ._exchange import Exchange, check_seconds
from ._personalities import Personality, Server, get_personality
from ._request import Body, RequestBody, raw_scope
from ._tracebacks import is_failure
from .errors import AppFlooded, AppRaised, SSETimeout

if TYPE_CHECKING:
    # A transport of either library, and no subclass of the other's: which one it serves, a request tells.
    _Transport: Any
else:
    _Transport = object

__all__ = ["StreamingTransport"]

__tracebackhide__ = is_failure

_MOST_CHUNKS: Final = 100_000
"""Chunks that one response may have: a client that collects an endless stream would never end."""


class StreamingTransport(_Transport):  # type: ignore[misc]  # see there
    """A transport for ``httpx2.AsyncClient`` and ``httpx.AsyncClient`` that runs an application in process.

    ::

        async with httpx2.AsyncClient(transport=StreamingTransport(app), base_url="http://test") as client:
            async with client.stream("GET", "/ticks") as response:
                async for line in response.aiter_lines():
                    ...

    Each chunk is there when the application has sent it, an endless stream is left as one leaves it, the client's
    read timeout holds, and an application that does not end when the client has left is reported.

    Args:
        app: Any ASGI application.
        server: The personality of the server, or its name: see `Personality`.
        timeout: How many seconds a chunk is awaited where the client has no read timeout, and the application's end
            when the client has left.
        longest: How many seconds a response may take in all.
        raise_app_exceptions: Whether what the application raises is raised in the client. Otherwise it is what a
            server makes of it: a status 500, or a body that is cut off.

    Attributes:
        exchanges: The requests that were made.

    Raises:
        UnknownServer: There is no personality of that name.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        server: Server = "uvicorn",
        timeout: float = 5.0,
        longest: float = 60.0,
        raise_app_exceptions: bool = True,
    ) -> None:
        self._app = app
        self._personality = get_personality(server)
        self._timeout = check_seconds("timeout", timeout)
        self._longest = check_seconds("longest", longest)
        self._raises = raise_app_exceptions
        self.exchanges: list[Exchange] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Ends the applications of all responses that were not closed.

        Raises:
            AppLeaked: One did not end.
        """
        for exchange in self.exchanges:
            await exchange.finish(self._timeout)
        for exchange in self.exchanges:
            if exchange.leaked is not None and not exchange.told:
                raise exchange.leaked

    async def handle_async_request(self, request: Any) -> Any:
        """Sends a request of either library, and returns a response of the same.

        Raises:
            SSETimeout: Status and headers did not come in time, and the client has no timeout of its own.
        """
        library = import_module(type(request).__module__.partition(".")[0])
        exchange = _begin(self._app, request, await _body_of(request), self._personality)
        self.exchanges.append(exchange)
        reader = _Reader(exchange, request, library, self._timeout, self._longest, raises=self._raises)
        try:
            await reader.wait(lambda: exchange.client.status is not None, "status and headers did not come")
            if exchange.server.state == "request":
                reader.raise_problem()
        except BaseException:
            await exchange.finish(self._timeout)
            raise
        return library.Response(
            exchange.client.status,
            headers=list(exchange.client.headers.raw),
            stream=_stream_class(library)(reader),
            request=request,
            extensions={"http_version": f"HTTP/{self._personality.http_version}".encode()},
        )


async def _body_of(request: Any) -> Body:
    """Returns the request body; whole, where its length is known."""
    if "transfer-encoding" in request.headers:
        stream: Body = request.stream
        return stream
    return bytes(await request.aread())


def _begin(app: ASGIApp, request: Any, body: Body, personality: Personality) -> Exchange:
    raw_path, _, query = request.url.raw_path.partition(b"?")
    headers = [(name.lower(), value) for name, value in request.headers.raw]
    server = request.url.host, request.url.port or 80
    scope = raw_scope(personality, request.method, (raw_path, query), headers, server)
    return Exchange(app, scope, RequestBody(body, personality), personality, eager=False, parses=False)


@functools.cache
def _stream_class(library: ModuleType) -> Callable[[_Reader], Any]:
    """Makes the class of a body: the libraries want one of their own."""

    class Stream(library.AsyncByteStream):  # type: ignore[misc, name-defined]  # of whichever library it is
        def __init__(self, reader: _Reader) -> None:
            self._reader = reader

        def __aiter__(self) -> AsyncIterator[bytes]:
            return self._reader

        async def aclose(self) -> None:
            await self._reader.close()

    return Stream


class _Reader:
    """Reads one response as its client does: as far as it asks."""

    def __init__(
        self,
        exchange: Exchange,
        request: Any,
        library: ModuleType,
        timeout: float,
        longest: float,
        *,
        raises: bool,
    ) -> None:
        self._exchange = exchange
        self._request = request
        self._library = library
        self._timeout = timeout
        self._longest = longest
        self._raises = raises
        self._read = 0

    async def wait(self, is_met: Callable[[], bool], what: str) -> None:
        """Waits as long as the client is ready to."""
        exchange = self._exchange
        asked = self._request.extensions.get("timeout", {}).get("read")
        seconds = self._timeout if asked is None else asked
        left = self._longest - exchange.now()
        if await exchange.wait(is_met, max(min(seconds, left), 0)):
            return
        if left <= seconds:
            raise exchange.failure(
                SSETimeout,
                f"the response took more than {self._longest:g} s; pass a larger `longest` if it may",
            )
        failure = exchange.failure(SSETimeout, f"{what} within {seconds:g} s")
        if asked is None:
            raise failure
        raise self._library.ReadTimeout(str(failure), request=self._request)

    def __aiter__(self) -> Self:
        return self

    # An iterator and no generator: those who leave in the middle leave nothing behind to be closed.
    async def __anext__(self) -> bytes:
        client = self._exchange.client
        await self.wait(self._has_next, "no chunk came")
        if self._read == len(client.chunks):
            self._end()
        chunk = client.chunks[self._read].data
        self._read += 1
        if self._read >= _MOST_CHUNKS:
            raise self._exchange.failure(
                AppFlooded, f"the client read {self._read} chunks of one response, which seems to have no end"
            )
        return chunk

    def _end(self) -> NoReturn:
        if self._exchange.client.ending == "complete":
            raise StopAsyncIteration
        self.raise_problem()
        why = "the server closed the connection in the middle of the body"
        raise self._library.RemoteProtocolError(why, request=self._request)

    def _has_next(self) -> bool:
        client = self._exchange.client
        return self._read < len(client.chunks) or client.ending is not None

    def raise_problem(self) -> None:
        """Raises what the application did wrong, unless the client is to see what a server makes of it."""
        problem, self._exchange.told = self._exchange.problem(), True
        if problem is None or not self._raises:
            return
        if isinstance(problem, AppRaised) and problem.__cause__ is not None:
            raise problem.__cause__
        raise problem

    async def close(self) -> None:
        """Leaves, and waits for the application's end."""
        exchange = self._exchange
        await exchange.finish(self._timeout)
        told, exchange.told = exchange.told, True
        if exchange.leaked is not None:
            raise exchange.leaked
        if not told:
            self.raise_problem()
