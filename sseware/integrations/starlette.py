"""Starlette: `EventStream` is a `starlette.responses.Response`, and `streaming` makes an endpoint that returns one.

It differs from Starlette's `StreamingResponse` in this:

1. Nothing is sent before the handler's first event, so that an ``HTTPException`` that it raises is answered as one.
2. ``status_code`` and ``headers`` may be changed until the response is called. The status is that of a stream; a
   buffered answer has its dialect's.
3. The background task runs when the answer is over, also where the client has left before its end. It does not run
   where the handler's exception was raised for Starlette to answer.
"""

from __future__ import annotations

from typing import Any, Unpack

from .._types import RawHeaders, Receive, Scope, Send
from ..asgi import EventStream as _EventStream
from ..asgi import Options
from ..asgi._streaming import Call
from ._decorator import decorator
from ._extras import missing

try:
    from starlette.background import BackgroundTask
    from starlette.responses import Response
except ImportError as exc:
    raise missing("Starlette", "starlette") from exc

__all__ = ["EventStream", "streaming"]


class EventStream(_EventStream, Response):
    """What a handler yields, as a response of Starlette.

    >>> async def words():
    ...     yield "Once "
    >>> response = EventStream(words(), dialect="plain")
    >>> response.headers["x-story"] = "1"
    >>> response.set_cookie("seen", "1")

    Args:
        content: An async generator, a sync one (each step runs in a worker thread), or an iterable of items.
        background: Is run when the answer is over.
        options: As `sseware.asgi.Settings` describes them.
    """

    body = b""

    def __init__(
        self, content: Any, *, background: BackgroundTask | None = None, **options: Unpack[Options]
    ) -> None:
        super().__init__(content, **options)
        self.background = background
        self.status_code = self._given_status = self._menu.settings.status_code
        self._fields: RawHeaders | None = None

    @property
    def raw_headers(self) -> RawHeaders:
        """The header fields that were given; `headers` and `set_cookie` read and write this list."""
        if self._fields is None:
            given = self._menu.settings.headers
            self._fields = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in given]
        return self._fields

    @raw_headers.setter
    def raw_headers(self, fields: RawHeaders) -> None:
        self._fields = fields

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, and runs the background task."""
        self._take_in_changes()
        await super().__call__(scope, receive, send)
        if self.background is not None:
            await self.background()

    def _take_in_changes(self) -> None:
        """Makes options of what was set on the response since it was made."""
        if self.status_code != self._given_status:
            self._change(Options(status_code=self.status_code))
        if self._fields or (self._fields is not None and self._menu.settings.headers):
            fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self._fields]
            self._change(Options(headers=tuple(fields)))


async def _answer(call: Call) -> EventStream:
    return call.stream(EventStream)


streaming = decorator(_answer)
