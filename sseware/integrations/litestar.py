"""Litestar: `EventStream` is a `litestar.Response`, and `streaming` makes a route handler that returns one.

`streaming` keeps the signature of a function, so that path and query parameters, ``data`` and dependencies are
injected, and validation errors are 400 before anything runs. Header fields, cookies and background tasks that a route
declares are those of the stream.

1. The status of a stream is 200, for a POST, too, where Litestar's own default is 201; one that a route declares, or
   that is given as an option, is taken.
2. Litestar closes a dependency with ``yield`` when the route handler has returned, which is before the stream.
3. `sseware.EventStream` is an ASGI application and no response of Litestar's: it can be returned where the handler is
   annotated with it, and then has what it was given itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Unpack

from .._types import Receive, Scope, Send
from ..asgi import EventStream as _EventStream
from ..asgi import Options
from ..asgi._streaming import Call
from ._decorator import decorator
from ._extras import missing

try:
    from litestar import Response
    from litestar.background_tasks import BackgroundTask, BackgroundTasks
    from litestar.datastructures import Cookie
except ImportError as exc:
    raise missing("Litestar", "litestar") from exc

__all__ = ["EventStream", "streaming"]


_BY_METHOD: Final = frozenset((200, 201, 204))
"""What Litestar gives a route that declares no status."""


class EventStream(Response[Any]):
    """What a handler yields, as a response of Litestar.

    Args:
        content: An async generator, a sync one (each step runs in a worker thread), an iterable of items, or an
            `sseware.EventStream`.
        background: Is run when the answer is over.
        cookies: Are set.
        options: As `sseware.asgi.Settings` describes them.
    """

    def __init__(
        self,
        content: Any,
        *,
        background: BackgroundTask | BackgroundTasks | None = None,
        cookies: Iterable[Cookie] | None = None,
        **options: Unpack[Options],
    ) -> None:
        self._stream = content if isinstance(content, _EventStream) else _EventStream(content, **options)
        # Set-Cookie alone may come twice; Litestar keeps cookies elsewhere.
        fields = dict(self._stream._menu.settings.headers)
        super().__init__(b"", background=background, cookies=list(cookies or ()), headers=fields)

    def to_asgi_response(self, app: Any, request: Any, **route: Any) -> Any:
        """Returns the ASGI application that answers; Litestar calls this with what the route declares."""
        cookies = {cookie.key: cookie for cookie in (*(route.get("cookies") or ()), *self.cookies)}
        fields = {**(route.get("headers") or {}), **self.headers}
        changed: Options = {}
        if fields or cookies:
            changed["headers"] = (
                *((name, str(value)) for name, value in fields.items()),
                *(("set-cookie", cookie.to_header(header="").strip()) for cookie in cookies.values()),
            )
        declared: int = route.get("status_code") or 200
        if "status_code" not in self._stream._options and declared not in _BY_METHOD:
            changed["status_code"] = declared
        if changed:
            self._stream._change(changed)
        return _Answer(self._stream, self.background or route.get("background"))


class _Answer:
    def __init__(self, stream: _EventStream, background: BackgroundTask | BackgroundTasks | None) -> None:
        self._stream = stream
        self._background = background

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._stream(scope, receive, send)
        if self._background is not None:
            await self._background()


async def _answer(call: Call) -> EventStream:
    return EventStream(call.stream(_EventStream))


streaming = decorator(_answer, EventStream)
