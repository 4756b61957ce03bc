"""What servers do to an application, as values: measured ones, and three that no server has.

``tests/testing/test_real_servers.py`` measures the installed servers again and holds them against these.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final, Literal, TypeAlias

import msgspec

from ..errors import ConfigurationError
from ._tracebacks import is_failure
from .errors import UnknownServer

__all__ = ["PERSONALITIES", "Personality", "Server", "get_personality"]

__tracebackhide__ = is_failure


class Personality(msgspec.Struct, frozen=True, kw_only=True, repr_omit_defaults=True):
    """How a server treats an application.

    >>> get_personality("daphne").high_water is None
    True

    Attributes:
        name: By which it is chosen.
        spec_version: What ``scope["asgi"]["spec_version"]`` says; ``None`` where it is missing.
        http_version: What ``scope["http_version"]`` says.
        high_water: How many bytes an application may run ahead of a reader that has stopped, before ``send``
            blocks. 0: it waits until each chunk is read. ``None``: it never blocks.
        send_suspends: Whether each ``send`` lets the event loop turn.
        after_disconnect: What ``send`` does once the client has left.
        disconnect: Whether ``receive`` tells that the client has left once, always, always and, falsely, to whoever
            awaited a request body that another call has read, or never.
        cancels_after: How many seconds after the client has left the application is cancelled, or ``None``.
        holds_head: Whether status and headers wait for the first body message.
        empty_request: Whether a request without a body has its ``http.request`` message.
        separate_end: Whether the end of a request body is a message of its own.
        keeps_body: Whether what is unread of a request body still comes after the client has left.
        unread_limit: How many unread messages of a request body let the last ``send`` block for ever, or ``None``.
    """

    name: str
    spec_version: str | None = "2.3"
    http_version: str = "1.1"
    high_water: int | None = 65536
    send_suspends: bool = False
    after_disconnect: Literal["nothing", "OSError"] = "nothing"
    disconnect: Literal["once", "always", "falsely", "never"] = "always"
    cancels_after: float | None = None
    holds_head: bool = False
    empty_request: bool = True
    separate_end: bool = False
    keeps_body: bool = True
    unread_limit: int | None = None


Server: TypeAlias = str | Personality
"""The name of a server personality, or one of one's own."""

PERSONALITIES: Final = MappingProxyType(
    {
        each.name: each
        for each in (
            # The mark is asyncio's: uvicorn sets 64 KiB, and its send waits for the transport.
            Personality(name="uvicorn", keeps_body=False),
            # Its writes know the connection's transport, and no stream's window.
            Personality(
                name="uvicorn-h2", http_version="2", high_water=None, empty_request=False, keeps_body=False
            ),
            # The last send puts a disconnect into the queue that nobody empties.
            Personality(
                name="hypercorn",
                spec_version="2.1",
                disconnect="once",
                separate_end=True,
                unread_limit=10,
            ),
            # Its HTTP library buffers six chunks of 64 KiB; send is a call into another thread.
            Personality(
                name="granian",
                high_water=393_216,
                send_suspends=True,
                disconnect="falsely",
                separate_end=True,
            ),
            # Ten seconds are its application_close_timeout; it looks once a second.
            Personality(
                name="daphne",
                spec_version=None,
                high_water=None,
                disconnect="once",
                cancels_after=10.0,
                holds_head=True,
            ),
            # What the specification allows, and no server does.
            Personality(name="asgi-2.4", spec_version="2.4", after_disconnect="OSError"),
            # No server either: the handler never runs ahead of the test.
            Personality(name="lockstep", high_water=0, send_suspends=True),
            # Starlette's TestClient. It cancels at once, which no server does, and so hides leaks.
            Personality(
                name="testclient",
                spec_version=None,
                high_water=0,
                send_suspends=True,
                disconnect="never",
                cancels_after=0.0,
            ),
        )
    }
)
"""The server personalities by name."""


def get_personality(server: Server) -> Personality:
    """Returns a server personality by its name; one of one's own is returned as it is.

    Raises:
        UnknownServer: There is none of that name; the message lists those that there are.
    """
    if isinstance(server, Personality):
        return server
    if not isinstance(server, str):
        raise ConfigurationError(f"server must be a name or a Personality, got {server!r}")
    try:
        return PERSONALITIES[server]
    except KeyError:
        raise UnknownServer(server, tuple(PERSONALITIES)) from None
