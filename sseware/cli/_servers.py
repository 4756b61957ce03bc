"""The servers that can run the demo, and the socket that they listen on."""

from __future__ import annotations

import importlib.util
import logging
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from .._types import ASGIApp
from ..errors import SSEError

__all__ = ["SERVERS", "CannotServe", "Serve", "address_of", "find_server", "listen"]

Serve: TypeAlias = Callable[[ASGIApp, socket.socket], None]
"""Runs an application on a listening socket until a signal comes."""

_GRACE: Final = 6
"""Seconds that open streams have to end once the server is told to stop: those that a drain gives them, and one."""


class CannotServe(SSEError):
    """The demo cannot be started; the message says what to do about it."""


def _serve_uvicorn(app: ASGIApp, listener: socket.socket) -> None:
    import uvicorn

    config = uvicorn.Config(
        app, interface="asgi3", ws="none", log_level="warning", timeout_graceful_shutdown=_GRACE
    )
    server = uvicorn.Server(config)

    # Once it is told to stop it cancels the streams that are open, and complains of each with a traceback.
    def is_worth_telling(record: logging.LogRecord) -> bool:
        return not server.should_exit

    log = logging.getLogger("uvicorn.error")
    log.addFilter(is_worth_telling)
    try:
        server.run(sockets=[listener])
    finally:
        log.removeFilter(is_worth_telling)


def _serve_hypercorn(app: ASGIApp, listener: socket.socket) -> None:
    import anyio
    import hypercorn.config
    import hypercorn.trio

    config = hypercorn.config.Config()
    # It closes what it is given.
    config.bind = [f"fd://{listener.dup().detach()}"]
    config.graceful_timeout = _GRACE
    config.loglevel = "WARNING"

    async def main() -> None:
        # Left to itself it has Ctrl+C raised somewhere in the middle. The application's drain hears the signal first,
        # because the application is started after this.
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:

            async def told_to_stop() -> None:
                await anext(signals)

            await hypercorn.trio.serve(app, config, shutdown_trigger=told_to_stop)

    anyio.run(main, backend="trio")


SERVERS: Final[Mapping[str, tuple[Serve, tuple[str, ...], str]]] = MappingProxyType(
    {
        "uvicorn": (_serve_uvicorn, ("uvicorn",), "sseware[demo]"),
        "hypercorn": (_serve_hypercorn, ("hypercorn", "trio"), "hypercorn[trio]"),
    }
)
"""By name: what runs an application, the modules that it needs, and what has to be installed for them."""


def find_server(name: str) -> Serve:
    """Returns what runs an application.

    Raises:
        CannotServe: It is not installed.
    """
    serve, modules, requirement = SERVERS[name]
    for module in modules:
        if importlib.util.find_spec(module) is None:
            raise CannotServe(
                f"{module} is not installed; install it with: {sys.executable} -m pip install '{requirement}'"
            )
    return serve


def listen(host: str, port: int) -> socket.socket:
    """Opens a listening socket before any server is started, so that whoever connects at once is not refused.

    Raises:
        CannotServe: There is no such host, or the port is taken.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as exc:
        # Before it is looked up, a name is encoded for DNS, which some cannot be.
        why = exc.strerror if isinstance(exc, OSError) else "this is no host name"
        raise CannotServe(f"cannot listen on {host!r}: {why}; name another --host") from exc
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except OSError as exc:
        listener.close()
        hint = "name another --port (0 for any that is free) or --host"
        raise CannotServe(f"cannot listen on {host}, port {port}: {exc.strerror}; {hint}") from exc
    return listener


def address_of(listener: socket.socket) -> str:
    """Returns the URL at which a browser on this machine finds a listener."""
    host, port = listener.getsockname()[:2]
    if host in ("127.0.0.1", "::1", "0.0.0.0", "::"):  # noqa: S104  # compared, not bound to
        host = "localhost"
    elif ":" in host:
        host = f"[{host}]"
    return f"http://{host}:{port}"
