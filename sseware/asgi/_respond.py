"""From a request to its answer: negotiate, then stream, buffer, or refuse."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from .._types import Scope, Send
from ..dialects import BufferedAnswer, StreamContext, default_registry, offer_of
from ..errors import BufferedLimitExceeded, StreamError
from ..negotiation import Decision, Offer, Request, not_acceptable
from ._driver import answer, run_buffered, run_stream
from ._failures import failure_of
from ._plan import Plan
from ._receive import ReceivePump
from ._runtime import current_runtime
from ._settings import Settings
from ._source import Source

__all__ = ["request_of", "respond"]

_log = logging.getLogger("sseware")


async def respond(
    scope: Scope,
    pump: ReceivePump,
    send: Send,
    settings: Settings,
    open_handler: Callable[[], Source],
    *,
    own_errors: bool,
) -> None:
    """Answers one request.

    Args:
        scope: The ASGI scope, of type ``http``.
        pump: Receives.
        send: Sends.
        settings: The options.
        open_handler: Makes the source of the handler; is called once at most, and never for HEAD.
        own_errors: Whether an exception that comes before the head is answered by the dialect. If not, it is
            raised, for a framework to answer; but a `StreamError` is ours in either case.
    """
    dialects = settings.dialects_for(scope)
    offers = [offer_of(dialect) for dialect in dialects.values()]
    request = request_of(scope)
    registry = settings.registry or default_registry()
    decision = registry.negotiate(request, offers)
    dialect = dialects[decision.dialect]
    plan = Plan(settings, dialect, registry.item_encoders(dialect), _context(scope, request, settings))
    if decision.representation == "none":
        await _refuse(plan, decision, offers, send, body=request.method != "HEAD")
    elif request.method == "HEAD":
        await _answer_head(plan, decision, send)
    else:
        await _run(plan, decision, pump, send, open_handler, own_errors=own_errors)


async def _run(
    plan: Plan,
    decision: Decision,
    pump: ReceivePump,
    send: Send,
    open_handler: Callable[[], Source],
    *,
    own_errors: bool,
) -> None:
    run = run_stream if decision.representation == "stream" else run_buffered
    try:
        await run(plan, open_handler(), pump, send)
    except (StreamError, BufferedLimitExceeded) as exc:
        await _answer_failure(plan, exc, send)
    except Exception as exc:
        if not own_errors:
            raise
        _log.exception("the handler failed before it had sent anything")
        await _answer_failure(plan, exc, send)


async def _answer_failure(plan: Plan, exc: Exception, send: Send) -> None:
    await answer(plan, plan.failed(failure_of(exc, debug=plan.settings.debug)), send)


async def _answer_head(plan: Plan, decision: Decision, send: Send) -> None:
    """Answers HEAD: the header fields of the answer, but those that only its body could tell."""
    if decision.representation == "stream":
        start = plan.stream_start()
    else:
        start = plan.buffered_start(decision.media_type)
    await send(start)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _refuse(plan: Plan, decision: Decision, offers: Sequence[Offer], send: Send, *, body: bool) -> None:
    headers = (("content-type", "application/json"),)
    await answer(plan, BufferedAnswer(406, headers, not_acceptable(decision, offers)), send, body=body)


def request_of(scope: Scope) -> Request:
    """Returns what a negotiation may know of a request."""
    accept = [value for name, value in scope["headers"] if name == b"accept"]
    return Request(
        method=scope["method"],
        path=scope["path"],
        query=scope.get("query_string", b"").decode("latin-1"),
        accept=b", ".join(accept).decode("latin-1") if accept else None,
    )


def _context(scope: Scope, request: Request, settings: Settings) -> StreamContext:
    runtime = current_runtime()
    return StreamContext(
        method=request.method,
        path=request.path,
        query=request.query,
        accept=request.accept,
        http_version=scope.get("http_version", "1.1"),
        debug=settings.debug,
        clock=runtime.now,
        started=runtime.now(),
    )
