"""From a request to its answer: negotiate, then stream, buffer, or refuse."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from .._types import Scope, Send
from ..dialects import BufferedAnswer, StreamContext
from ..errors import BufferedLimitExceeded, StreamError
from ..negotiation import Decision, Offer, Request, not_acceptable
from ._access import Access
from ._cors import PREFLIGHT
from ._driver import Driver
from ._failures import failure_of
from ._menu import Menu
from ._plan import Plan
from ._receive import ReceivePump
from ._runtime import Runtime, current_runtime
from ._sending import Lender
from ._source import Source

__all__ = ["context_of", "request_of", "respond"]

_log = logging.getLogger("sseware")


async def respond(
    scope: Scope,
    pump: ReceivePump,
    send: Send,
    menu: Menu,
    open_handler: Callable[[], Source],
    *,
    own_errors: bool,
    lender: Lender | None = None,
) -> None:
    """Answers one request.

    Args:
        scope: The ASGI scope, of type ``http``.
        pump: Receives.
        send: Sends.
        menu: What can be answered.
        open_handler: Makes the source of the handler; is called once at most, and never for HEAD.
        own_errors: Whether an exception that comes before the head is answered by the dialect. If not, it is
            raised, for a framework to answer; but a `StreamError` is ours in either case.
        lender: What ``send`` is of, where that may be passed by in mid-stream.
    """
    access = menu.settings.access
    if access is not None:
        send, lender = access.answering(scope, send), None
    request = request_of(scope)
    decision, dish, offers = menu.choose(request, scope)
    runtime = current_runtime()
    plan = Plan(dish, context_of(scope, request, runtime, debug=menu.settings.debug))
    driver = Driver(plan, pump, send, runtime, lender)
    refusal = None if access is None else access.refusal(scope)
    if refusal is not None:
        await _turn_away(driver, plan, refusal, body=request.method != "HEAD")
    elif access is not None and access.is_preflight(scope):
        await _answer_preflight(send)
    elif decision.representation == "none":
        await _refuse(driver, decision, offers, body=request.method != "HEAD")
    elif plan.settings.drain is not None and plan.settings.drain.departures(runtime).begun:
        await _turn_away(driver, plan, plan.settings.drain.refusal(), body=request.method != "HEAD")
    elif request.method == "HEAD":
        await _answer_head(plan, decision, send)
    else:
        failure = await _run(driver, decision, open_handler, access, scope)
        if failure is not None:
            if not own_errors and not isinstance(failure, StreamError | BufferedLimitExceeded):
                raise failure
            await _answer_failure(driver, plan, failure)


async def _run(
    driver: Driver,
    decision: Decision,
    open_handler: Callable[[], Source],
    access: Access | None,
    scope: Scope,
) -> Exception | None:
    """Runs the handler; returns its exception, or why it must not run, where nothing was sent because of it."""
    streamed = decision.representation == "stream"
    slot = seconds = None
    try:
        if access is not None:
            seconds = access.seconds_left(scope)
            slot = access.enter(scope) if streamed else None
        source = open_handler()
    except Exception as exc:  # it is answered, or raised, like any other of the handler's
        if slot is not None:
            slot.free()
        return exc
    try:
        return await (driver.stream(source, seconds) if streamed else driver.buffer(source))
    finally:
        if slot is not None:
            slot.free()


async def _answer_failure(driver: Driver, plan: Plan, failure: Exception) -> None:
    if not isinstance(failure, StreamError):
        # What a StreamError has to tell it tells the client.
        _log.error("the handler failed before anything was sent", exc_info=failure)
    await driver.answer(plan.failed(failure_of(failure, debug=plan.settings.debug)))


async def _answer_head(plan: Plan, decision: Decision, send: Send) -> None:
    """Answers HEAD: the header fields of the answer, but those that only its body could tell."""
    streamed = decision.representation == "stream"
    await send(plan.stream_start() if streamed else plan.buffered_start(decision.media_type))
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _refuse(driver: Driver, decision: Decision, offers: Sequence[Offer], *, body: bool) -> None:
    headers = (("content-type", "application/json"),)
    await driver.answer(BufferedAnswer(406, headers, not_acceptable(decision, offers)), body=body)


async def _turn_away(driver: Driver, plan: Plan, refusal: StreamError, *, body: bool) -> None:
    """Answers who may not come, or comes while the others leave."""
    await driver.answer(plan.failed(failure_of(refusal, debug=False)), body=body)


async def _answer_preflight(send: Send) -> None:
    """Answers a browser that asks whether a page may ask; that it may is added by `Access.answering`."""
    await send({"type": "http.response.start", "status": 204, "headers": [*PREFLIGHT]})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def request_of(scope: Scope) -> Request:
    """Returns what a negotiation may know of a request."""
    accept = [value for name, value in scope["headers"] if name == b"accept"]
    return Request(
        method=scope["method"],
        path=scope["path"],
        query=scope.get("query_string", b"").decode("latin-1"),
        accept=b", ".join(accept).decode("latin-1") if accept else None,
    )


def context_of(scope: Scope, request: Request, runtime: Runtime, *, debug: bool) -> StreamContext:
    """Returns what a dialect may know of a request."""
    return StreamContext(
        method=request.method,
        path=request.path,
        query=request.query,
        accept=request.accept,
        http_version=scope.get("http_version", "1.1"),
        debug=debug,
        clock=runtime.now,
        started=runtime.now(),
    )
