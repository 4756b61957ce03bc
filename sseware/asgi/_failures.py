"""What a client is told of an exception, and what is left of one that only says that a handler was closed."""

from __future__ import annotations

from http import HTTPStatus

from ..errors import BufferedLimitExceeded, StreamError
from ..items import Failure

__all__ = ["failure_of", "without"]


def failure_of(exc: BaseException, *, debug: bool) -> Failure:
    """Returns what a client may know of an exception.

    A `StreamError` tells its own text. An exception that has a ``status_code``, as the HTTP exceptions of the
    frameworks do, keeps its status, and its ``detail`` where the client is to blame (4xx). Everything else is an
    internal error whose text stays in the log, unless ``debug`` is on.
    """
    try:
        return _told(exc, debug=debug)
    except Exception:  # an exception may fail to tell even its own text
        return Failure("internal error")


def _told(exc: BaseException, *, debug: bool) -> Failure:
    if isinstance(exc, StreamError):
        return Failure(str(exc), exc.code, exc.status, exc.retry_after)
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


def without(exc: BaseException, *kinds: type[BaseException]) -> BaseException | None:
    """Returns what is left of an exception when some kinds are taken out of it; a group of one is that one.

    A task group in a handler wraps the cancellation or the ``GeneratorExit`` that ended it together with what
    else went wrong, and wraps a lone error, too; whoever handles errors above us wants the bare one.
    """
    left: BaseException | None = exc
    if isinstance(exc, BaseExceptionGroup):
        left = exc.split(kinds)[1]
    elif isinstance(exc, kinds):
        return None
    while isinstance(left, BaseExceptionGroup) and len(left.exceptions) == 1:
        left = left.exceptions[0]
    return left
