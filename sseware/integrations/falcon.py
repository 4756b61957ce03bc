"""Falcon's ASGI applications: a responder is decorated by `streaming`, or calls `EventStream.respond`.

What a handler raises before its first item (``falcon.HTTPNotFound``) is answered as if the responder had raised it.
Falcon itself does not notice that a client leaves a ``resp.stream``; here that closes the handler.

Falcon's ``simulate_get`` leaves as soon as it has asked, and is then a client that has left: tests read with
``simulate_get_stream``, as they do where a response has events of Falcon's own.

A responder is decorated inside its class, and keeps its parameters: ``async def on_get(self, req, resp, name)``.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final, Self

from ..asgi import EventStream as _EventStream
from ..asgi._frameworks import Shell
from ..asgi._streaming import Call
from ..errors import ConfigurationError
from ._answer import Answer
from ._decorator import decorator
from ._extras import missing

try:
    from falcon.asgi import Request, Response
except ImportError as exc:
    raise missing("Falcon", "falcon") from exc

__all__ = ["SHELL", "EventStream", "streaming"]


class EventStream(_EventStream):
    """What a handler yields, for a responder that gives it to its response by hand.

    ``await EventStream(words(), dialect="ash").respond(req, resp)``. Header fields and cookies that are set on the
    response replace ours.

    Args:
        content: An async generator, a sync one (each step runs in a worker thread), or an iterable of items.
        options: As `sseware.asgi.Settings` describes them.
    """

    async def respond(self, req: Request, resp: Response) -> None:
        """Waits for the first event, and gives the response its status, its header fields and its stream."""
        await _respond(self, req, resp)


class _Body:
    """The body, closed as Falcon closes one."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        return await anext(self._answer)

    async def close(self) -> None:
        await self._answer.aclose()


async def _respond(stream: _EventStream, req: Request, resp: Response) -> None:
    # Falcon watches for a disconnect where a response has events of its own, and nowhere else; what a request
    # receives is private to it.
    answer = await Answer(stream, _scope_of(req), req._receive).begin()
    resp.status = answer.status
    own = {name.lower() for name in resp.headers}
    for name, value in answer.headers:
        if name in ("vary", "set-cookie"):
            resp.append_header(name, value)
        elif name not in own:
            resp.set_header(name, value)
    resp.stream = _Body(answer)


def _scope_of(req: Request) -> Any:
    if isinstance(req.scope["headers"], list | tuple):
        return req.scope
    # The specification wants an iterable, and Falcon has been through it.
    fields = [
        (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in req.headers.items()
    ]
    return {**req.scope, "headers": fields}


async def _answer(call: Call) -> None:
    await _begin(call.stream(_EventStream), call.args)


streaming = decorator(_answer)


async def _begin(stream: Any, args: tuple[Any, ...]) -> None:
    found = _pair_of(args)
    if found is None:
        raise ConfigurationError(f"want the arguments of a responder, req and resp among them, got {args!r}")
    await _respond(stream, *found)


def _pair_of(args: tuple[Any, ...]) -> tuple[Request, Response] | None:
    """Returns request and response: the second and third argument of a method, the first two of a function."""
    for req, resp in pairwise(args[:3]):
        if isinstance(req, Request) and isinstance(resp, Response):
            return req, resp
    return None


SHELL: Final = Shell(claims=lambda args: _pair_of(args) is not None, answer=_begin)
"""What the front door asks and calls."""
