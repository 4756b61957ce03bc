"""Django, under its ASGI handler: `EventStream` is a `StreamingHttpResponse`, and `streaming` makes an async view.

A view that returns an `EventStream` may be async or sync, a function or a class. The stream begins where Django
renders a template response: after the view, and before the response passes through the middleware, so that what a
handler raises before its first item (``Http404``, ``PermissionDenied``) is answered as if the view had raised it.

A middleware that is not async makes Django run the request in a thread; streams are served all the same.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final, Unpack

from ..asgi import EventStream as _EventStream
from ..asgi import Options
from ..asgi._frameworks import Shell
from ..asgi._streaming import Call
from ..errors import ConfigurationError
from ._answer import Answer
from ._decorator import decorator
from ._extras import missing

try:
    from django.http import HttpRequest, StreamingHttpResponse
except ImportError as exc:
    raise missing("Django", "django") from exc

__all__ = ["SHELL", "EventStream", "streaming"]


class EventStream(StreamingHttpResponse):  # type: ignore[misc]  # Django has no types
    """What a handler yields, as a response of Django.

    ``return EventStream(request, words(), dialect="ash")``: the request comes first, as it does for ``render``.
    Header fields and cookies that are set on it, by a view or by its decorators, replace ours.

    Args:
        request: The request that is answered.
        content: An async generator, a sync one (each step runs in a worker thread), an iterable of items, or an
            `sseware.EventStream`.
        options: As `sseware.asgi.Settings` describes them.

    Raises:
        ConfigurationError: The request is not one of Django's ASGI handler.
    """

    def __init__(self, request: HttpRequest, content: Any, **options: Unpack[Options]) -> None:
        self._stream = content if isinstance(content, _EventStream) else _EventStream(content, **options)
        self._scope = _scope_of(request)
        self._answer: Answer | None = None
        super().__init__()
        del self["content-type"]  # Django's own

    async def render(self) -> EventStream:
        """Begins the answer: Django calls this, and awaits it, before the response leaves the view."""
        if self._answer is None:
            own = {name.lower() for name in self.headers}
            self._answer = answer = await Answer(self._stream, self._scope).begin()
            self._loop = asyncio.get_running_loop()
            self.status_code = answer.status
            for name, value in answer.headers:
                if name == "set-cookie":
                    self.cookies.load(value)
                elif name == "vary" and "vary" in own:
                    self[name] = f"{self[name]}, {value}"
                elif name not in own:
                    self[name] = f"{self[name]}, {value}" if name in self else value
            self.streaming_content = answer
        return self

    def close(self) -> None:
        """Lets go of the handler; Django calls this in a worker thread when the answer is over."""
        if self._answer is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._answer.let_go)
        super().close()


def _scope_of(request: HttpRequest) -> Any:
    scope = getattr(request, "scope", None)
    if scope is None:
        raise ConfigurationError(
            f"want a request of Django's ASGI handler, got {request!r}; run get_asgi_application() on an ASGI server"
        )
    if isinstance(scope.get("query_string"), str):
        # Django's AsyncClient has it so; the ASGI specification wants bytes.
        scope = {**scope, "query_string": scope["query_string"].encode("latin-1")}
    return scope


async def _answer(call: Call) -> EventStream:
    return await _begin(call.stream(_EventStream), call.args)


streaming = decorator(_answer)


async def _begin(stream: Any, args: tuple[Any, ...]) -> EventStream:
    request = _request_of(args)
    if request is None:
        raise ConfigurationError(f"want the arguments of a view, the request among them, got {args!r}")
    return EventStream(request, stream)


def _request_of(args: tuple[Any, ...]) -> HttpRequest | None:
    """Returns the request: the first argument of a view, the second of a view class's method."""
    return next((each for each in args[:2] if isinstance(each, HttpRequest)), None)


SHELL: Final = Shell(claims=lambda args: _request_of(args) is not None, answer=_begin)
"""What the front door asks and calls."""
