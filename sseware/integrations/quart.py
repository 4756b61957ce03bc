"""Quart: `EventStream` is a `quart.Response`, and `streaming` makes a view that returns one.

A stream begins with its first event, after the view has returned and before Quart's ``after_request`` functions run;
what a handler raises before it (``abort(404)``) is answered as if the view had raised it. Within the handler
``quart.request``, ``quart.session`` and ``quart.g`` are there for the whole stream. Quart's ``RESPONSE_TIMEOUT`` does
not hold for a stream.
"""

from __future__ import annotations

from typing import Any, Final, Unpack

from ..asgi import EventStream as _EventStream
from ..asgi import Options
from ..asgi._frameworks import Shell
from ..asgi._streaming import Call
from ._answer import Answer
from ._decorator import decorator
from ._extras import missing

try:
    from quart import Response, after_this_request, current_app, has_request_context
    from quart import request as _request
    from werkzeug.datastructures import Headers
except ImportError as exc:
    raise missing("Quart", "quart") from exc

__all__ = ["SHELL", "EventStream", "streaming"]


class EventStream(Response):
    """What a handler yields, as a response of Quart; it is made within a request, and returned from the view.

    Header fields and cookies may be set on it, and replace ours.

    Args:
        content: An async generator, a sync one (each step runs in a worker thread), an iterable of items, or an
            `sseware.EventStream`.
        options: As `sseware.asgi.Settings` describes them.

    Raises:
        RuntimeError: There is no request.
    """

    def __init__(self, content: Any, **options: Unpack[Options]) -> None:
        super().__init__()
        self._stream = content if isinstance(content, _EventStream) else _EventStream(content, **options)
        self.headers.clear()  # a content type of Quart's own
        after_this_request(self._begin)

    async def _begin(self, response: Any) -> Any:
        """Takes this response's own place, if it is what the view returned."""
        if response is not self:
            return response
        try:
            answer = await _begun(self._stream)
        except Exception as exc:
            # As Quart does with what a view raises; this is called too late for it to do so.
            return await current_app.make_response(await current_app.handle_user_exception(exc))
        own = {name.lower() for name in self.headers.keys()}  # noqa: SIM118  # these are no dict
        for name in own - {"vary"}:
            answer.headers.remove(name)
        answer.headers.extend(self.headers)
        return answer


async def _answer(call: Call) -> Response:
    return await _begun(call.stream(_EventStream))


streaming = decorator(_answer)


async def _begun(stream: _EventStream) -> Response:
    answer = await Answer(stream, _request.scope).begin()
    make: Any = current_app.response_class  # its type says that it is werkzeug's, which takes no body
    response: Response = make(answer, status=answer.status, headers=Headers(answer.headers))
    response.timeout = None
    return response


SHELL: Final = Shell(claims=lambda args: has_request_context(), answer=lambda stream, args: _begun(stream))
"""What the front door asks and calls."""
