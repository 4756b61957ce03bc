"""The lifespan of an application, in process: started before its requests, shut down after them."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Final, Literal, TypeAlias

import anyio

from .._types import ASGIApp, Message, Receive, Scope, Send
from ._app_task import AppTask
from ._exchange import check_seconds
from ._news import News
from ._tracebacks import is_failure
from .errors import AppLeaked, AppRaised, ASGIViolation, ServerFailed, SSETimeout, TranscriptError

__all__ = ["lifespan"]

__tracebackhide__ = is_failure

_Phase: TypeAlias = Literal["startup", "shutdown"]

_SCOPE: Final = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}}


def lifespan(app: ASGIApp, *, timeout: float = 5.0) -> AbstractAsyncContextManager[ASGIApp]:
    r"""Starts an application, as a server does before its first request, and shuts it down at the end.

    >>> import anyio
    >>> from sseware.testing import connect
    >>> async def app(scope, receive, send):
    ...     if scope["type"] == "lifespan":
    ...         await receive()
    ...         scope["state"]["greeting"] = b"data: hello\n\n"
    ...         await send({"type": "lifespan.startup.complete"})
    ...         await receive()
    ...         await send({"type": "lifespan.shutdown.complete"})
    ...         return
    ...     headers = [(b"content-type", b"text/event-stream")]
    ...     await send({"type": "http.response.start", "status": 200, "headers": headers})
    ...     await send({"type": "http.response.body", "body": scope["state"]["greeting"]})
    >>> async def test():
    ...     async with lifespan(app) as started, connect(started) as stream:
    ...         return await stream.drain()
    >>> anyio.run(test)
    [ServerSentEvent(data='hello')]

    Entering gives the application to connect to: each of its requests has a copy of the state of the lifespan, which
    is what servers give it.

    Args:
        app: Any ASGI application that has a lifespan. What has none raises, and does not need this.
        timeout: How many seconds the startup may take, and how many the shutdown.

    Raises:
        ServerFailed: On entering: the startup has failed, or the application has raised.
        SSETimeout: On entering: the startup did not end in time.
        AppLeaked: On leaving: the shutdown did not end in time.
        AppRaised: On leaving: the application has raised, or its shutdown has failed.
        ASGIViolation: On leaving: the application broke the specification.
        ConfigurationError: The timeout is no number of seconds.
    """
    return _Lifespan(app, check_seconds("timeout", timeout))


class _Lifespan(AbstractAsyncContextManager[ASGIApp]):
    """What `lifespan` returns; a class, so that a traceback shows the test and nothing of ours."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds
        self._news = News()
        self._asked: list[_Phase] = []
        self._answers: dict[str, Message] = {}
        self._state: dict[str, Any] = {}
        self._violation: ASGIViolation | None = None

    async def __aenter__(self) -> ASGIApp:
        self._task = AppTask(self._run, self._news.tell)
        try:
            await self._ask("startup")
        except BaseException:
            await self._get_rid()
            raise
        problem = self._problem_of_startup()
        if problem is not None:
            await self._get_rid()
            raise problem
        return self._serve

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        problem: TranscriptError | None = None
        with anyio.CancelScope(shield=True):
            await self._ask("shutdown")
            ended = await self._task.wait(self._seconds)
            problem = self._problem_of_shutdown(ended=ended)
            await self._task.get_rid()
        if problem is None:
            return
        if exc is None:
            raise problem
        # What the test says comes first.
        exc.add_note(f"besides: {problem}")

    def _serve(self, scope: Scope, receive: Receive, send: Send) -> Any:
        return self._app({**scope, "state": {**scope.get("state", {}), **self._state}}, receive, send)

    async def _run(self) -> None:
        await self._app({**_SCOPE, "state": self._state}, self._receive, self._send)

    async def _ask(self, phase: _Phase) -> None:
        """Tells the application of a phase, and waits for its answer, or its end."""
        self._asked.append(phase)
        self._news.tell()
        with anyio.move_on_after(self._seconds):
            while not (phase in self._answers or self._task.done or self._task.finished):
                await self._news.wait()

    async def _receive(self) -> Message:
        while not self._asked:
            await self._news.wait()
        return {"type": f"lifespan.{self._asked.pop(0)}"}

    async def _send(self, message: Message) -> None:
        kind = message.get("type") if isinstance(message, dict) else None
        phase, _, outcome = str(kind).removeprefix("lifespan.").partition(".")
        due = "shutdown" if "startup" in self._answers else "startup"
        if phase != due or outcome not in ("complete", "failed") or due in self._answers:
            self._violation = ASGIViolation(
                f"the application sent {kind!r} where 'lifespan.{due}.complete' is due"
            )
            raise self._violation
        self._answers[phase] = message
        self._news.tell()

    async def _get_rid(self) -> None:
        with anyio.CancelScope(shield=True):
            await self._task.get_rid()

    def _problem_of_startup(self) -> TranscriptError | None:
        answer = self._answers.get("startup")
        if answer is not None and answer["type"].endswith("complete"):
            return None
        if answer is not None:
            return ServerFailed(f"the application's startup failed: {answer.get('message', '')}")
        if self._violation is not None:
            return self._violation
        if not self._task.finished:
            return SSETimeout(
                f"the application's startup did not end within {self._seconds:g} s", self._places()
            )
        exception = self._task.exception
        raised = f"raised {exception!r}" if exception is not None else "returned"
        failed = ServerFailed(
            f"the application has no lifespan: it {raised} before it had answered the startup"
        )
        failed.__cause__ = exception
        return failed

    def _problem_of_shutdown(self, *, ended: bool) -> TranscriptError | None:
        answer, exception = self._answers.get("shutdown"), self._task.exception
        if self._violation is not None:
            return self._violation
        if exception is not None:
            raised = AppRaised(f"the application raised {exception!r} in its lifespan")
            raised.__cause__ = exception
            return raised
        if answer is not None and answer["type"].endswith("failed"):
            return AppRaised(f"the application's shutdown failed: {answer.get('message', '')}")
        if not ended:
            what = "lifespan" if answer is not None else "shutdown"
            return AppLeaked(
                f"the application's {what} did not end within {self._seconds:g} s", self._places()
            )
        return None

    def _places(self) -> str:
        return "\n".join(f"{'':11}{place}" for place in self._task.places())
