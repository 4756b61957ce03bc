"""A real server for the length of a ``with`` statement.

A fixture wraps it as it is: ``return sse_server`` from a sync fixture, entered in the test's body by ``with`` or
``async with``. Where a test is async, use ``async with``: starting and stopping then wait in a worker thread, and
the event loop of the test goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from importlib.util import find_spec
from types import TracebackType
from typing import Any, Final

from ._either_with import EitherWith
from ._endpoint import Endpoint
from ._engine import Engine
from ._exchange import check_seconds
from ._live_calls import LeakedCall, wait_for
from ._live_engines import Daphne, Granian, Hypercorn, HypercornOnTrio, Uvicorn
from ._live_hosts import Host, InProcess, InThread
from .errors import AppLeaked, SSETimeout, UnknownServer

__all__ = ["LIVE_SERVERS", "LiveServer", "ServerContext", "sse_server"]

_TO_START: Final = 20.0
"""Seconds that a server has to start, at the least: it may have to be imported."""

_KINDS: Final[Mapping[str, tuple[tuple[str, ...], Callable[..., Engine]]]] = {
    "uvicorn": (("uvicorn",), Uvicorn),
    "uvicorn-h11": (("uvicorn", "h11"), partial(Uvicorn, http="h11")),
    "uvicorn-httptools": (("uvicorn", "httptools"), partial(Uvicorn, http="httptools")),
    "uvicorn-uvloop": (
        ("uvicorn", "httptools", "uvloop"),
        partial(Uvicorn, http="httptools", loop="uvloop"),
    ),
    "uvicorn-h2": (("uvicorn", "zttp"), partial(Uvicorn, http="zttp", http2=True)),
    "hypercorn": (("hypercorn",), Hypercorn),
    "hypercorn-trio": (("hypercorn", "trio"), HypercornOnTrio),
    "granian": (("granian",), Granian),
    "daphne": (("daphne",), Daphne),
}

LIVE_SERVERS: Final = tuple(_KINDS)
"""The names of the servers that ``sse_server`` can start, where they are installed."""


class LiveServer(Endpoint):
    """A server that runs.

    Attributes:
        name: Which one.
        host: The address that it listens on.
        port: The port.
        pid: The process that it runs in: this one, but for ``daphne``.
    """

    def __init__(self, name: str, host: Host) -> None:
        self._host = host
        self.name = name
        self.host = "127.0.0.1"
        self.port = host.port
        self.pid = host.pid

    @property
    def calls(self) -> int:
        """How many requests are being answered."""
        return self._host.calls()

    def wait_idle(self, seconds: float = 5.0) -> None:
        """Waits until no request is being answered; blocks its thread.

        Args:
            seconds: How long it waits.

        Raises:
            SSETimeout: Some still are.
        """
        if not wait_for(lambda: not self.calls, check_seconds("seconds", seconds)):
            raise SSETimeout(f"{self.name} still answers {self.calls} requests after {seconds:g} s")


class ServerContext(EitherWith[LiveServer]):
    """What ``sse_server`` returns: a context manager, for ``with`` and for ``async with``."""

    def __init__(self, name: str, host: Host, timeout: float) -> None:
        self._name = name
        self._host = host
        self._timeout = timeout

    def __enter__(self) -> LiveServer:
        self._host.start(max(self._timeout, _TO_START))
        return LiveServer(self._name, self._host)

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        leaked = self._host.stop(self._timeout)
        if not leaked:
            return
        report = self._report(leaked)
        if exc is None:
            raise report
        # What the test says comes first.
        exc.add_note(str(report))

    def _report(self, leaked: list[LeakedCall]) -> AppLeaked:
        name, places = leaked[0]
        others = f", and {len(leaked) - 1} more" if len(leaked) > 1 else ""
        where = f", in {places[-1]}" if places else ""
        after = f"{self._timeout:g} s after its client had left"
        reason = f"{name} on {self._name}{others} was still running {after}{where}"
        lines = [f"    {name}\n" + "\n".join(f"{'':8}{place}" for place in places) for name, places in leaked]
        return AppLeaked(reason, "\n".join(lines))


def sse_server(app: Any, server: str = "uvicorn", *, timeout: float = 5.0, **options: Any) -> ServerContext:
    r"""Runs an application on a real server, on a port of its own, for the length of a ``with`` statement.

    It runs in a thread of this process; ``daphne``, which a process can run once, in a forked one. Leaving shuts down
    whatever connections there are, as clients do that leave, and waits for the application. One that goes on is
    reported by the place where it waits, and the server is killed: cancelled, stopped, and where it blocks its
    event loop, interrupted.

    >>> import urllib.request
    >>> async def app(scope, receive, send):
    ...     headers = [(b"content-type", b"text/event-stream")]
    ...     await send({"type": "http.response.start", "status": 200, "headers": headers})
    ...     await send({"type": "http.response.body", "body": b"data: hello\n\n"})
    >>> with sse_server(app) as server, urllib.request.urlopen(server.url) as answer:
    ...     print(answer.read().decode().strip())
    data: hello

    Args:
        app: The application; any object, not its name.
        server: ``uvicorn``, or ``-h11``, ``-httptools``, ``-uvloop``, ``-h2`` after it; ``hypercorn``,
            ``hypercorn-trio``, ``granian``, ``daphne``.
        timeout: Seconds that the application has to end after the last client has left.
        **options: What the server is configured with: keyword arguments of ``uvicorn.Config``, attributes of
            hypercorn's ``Config``, keyword arguments of granian's and daphne's ``Server``.

    Returns:
        A context manager, sync and async, of a `LiveServer`. Entering raises `ServerFailed`, leaving `AppLeaked`.

    Raises:
        UnknownServer: There is none of that name, or it is not installed; the message lists those that there are.
    """
    seconds = check_seconds("timeout", timeout)
    if server not in _KINDS:
        raise UnknownServer(server, LIVE_SERVERS)
    modules, kind = _KINDS[server]
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        installed = [name for name, (needed, _) in _KINDS.items() if all(map(find_spec, needed))]
        raise UnknownServer(server, installed, f"install {', '.join(missing)} to have it")
    isolated = kind is Daphne

    def make(tracked: Any) -> Engine:
        return kind(tracked, options)

    host: Host = InProcess(server, make, app) if isolated else InThread(server, make, app)
    return ServerContext(server, host, seconds)
