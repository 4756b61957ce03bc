"""No framework: a decorated handler is an ASGI application, which any server runs and any framework mounts.

>>> @streaming(dialect="plain")
... async def app(scope, receive):
...     message = await receive()
...     yield message["body"].decode().upper()

It is `sseware.SSEMiddleware` as a decorator: its answers negotiate, it answers ``lifespan``, takes any method, and
each message of the request body is the handler's exactly once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Unpack, overload

from ..asgi import EventStream, Options, SSEMiddleware

__all__ = ["EventStream", "streaming"]


@overload
def streaming(handler: Callable[..., Any], /) -> SSEMiddleware: ...
@overload
def streaming(**options: Unpack[Options]) -> Callable[[Callable[..., Any]], SSEMiddleware]: ...
def streaming(handler: Callable[..., Any] | None = None, /, **options: Unpack[Options]) -> Any:
    """Makes an application of a function of ``(scope, receive)``, ``(scope)`` or nothing that yields.

    Args:
        handler: A generator function, async or sync, or a function that returns something that yields.
        options: As `sseware.asgi.Settings` describes them.

    Raises:
        HandlerTypeError: It is no function of these.
        ConfigurationError: An option is not what it must be, or there is no such dialect.
    """

    def decorate(handler: Callable[..., Any]) -> SSEMiddleware:
        return SSEMiddleware(handler, **options)

    return decorate if handler is None else decorate(handler)
