"""What a client is told of an exception."""

from __future__ import annotations

from http import HTTPStatus

from ..errors import BufferedLimitExceeded, StreamError
from ..items import Failure

__all__ = ["failure_of"]


def failure_of(exc: BaseException, *, debug: bool) -> Failure:
    """Returns what a client may know of an exception.

    A `StreamError` tells its own text. An exception that has a ``status_code``, as the HTTP exceptions of the
    frameworks do, keeps its status, and its ``detail`` where the client is to blame (4xx). Everything else is an
    internal error whose text stays in the log, unless ``debug`` is on.
    """
    if isinstance(exc, StreamError):
        return Failure(str(exc), exc.code, exc.status)
    if isinstance(exc, BufferedLimitExceeded):
        return Failure(str(exc), "buffer_limit", 504 if exc.what == "seconds" else 500)
    status = getattr(exc, "status_code", None)
    if isinstance(status, int) and 400 <= status <= 599:
        phrase = _phrase(status)
        detail = getattr(exc, "detail", None)
        told = detail if isinstance(detail, str) and detail and status < 500 else phrase
        return Failure(told, phrase.lower().replace(" ", "_"), status)
    if debug:
        return Failure(f"{type(exc).__name__}: {exc}")
    return Failure("internal error")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "error"
