"""One request to an application in process: the application's task and both ends of the connection."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, TypeVar

import anyio
import anyio.lowlevel

from .._types import ASGIApp, Scope
from ..asgi._runtime import Timer, current_runtime
from ..errors import ConfigurationError
from ._app_task import AppTask
from ._client_side import ClientSide
from ._personalities import Personality
from ._request import RequestBody
from ._server_side import ClientHasLeft, ServerSide
from ._tracebacks import is_failure
from ._transcript import transcript_lines
from .errors import AppLeaked, AppRaised, ASGIViolation, SSETimeout, TranscriptError

__all__ = ["Exchange", "check_seconds"]

__tracebackhide__ = is_failure

_Failure = TypeVar("_Failure", bound=TranscriptError)

_TIES: Final = 25
"""Turns of the event loop that what is due at a deadline may take: in virtual time there are ties."""


def check_seconds(name: str, value: float) -> float:
    """Returns a positive and finite number of seconds.

    Raises:
        ConfigurationError: It is none.
    """
    if type(value) not in (int, float) or not 0 < value < math.inf:
        raise ConfigurationError(f"{name} must be a positive number of seconds, got {value!r}")
    return value


class Exchange:
    """Runs an application for one request, and lets a client wait for what it does.

    Args:
        app: The application.
        scope: The scope of the request.
        body: The request body.
        personality: The server that it runs on.
        eager: Whether the client reads all the time, or only while somebody waits.
        parses: Whether it looks for events.
        last_event_id: The last event ID string of the connection before.

    Attributes:
        client: The client's end.
        server: The server's end.
        task: The application's task.
        leaked: How it was found out that the application does not end, if it was.
        told: Whether somebody has been told what went wrong.
    """

    def __init__(
        self,
        app: ASGIApp,
        scope: Scope,
        body: RequestBody,
        personality: Personality,
        *,
        eager: bool,
        parses: bool = True,
        last_event_id: str = "",
    ) -> None:
        self._app = app
        self._scope = scope
        self._personality = personality
        self._runtime = current_runtime()
        self._began = self._runtime.now()
        self._left: float | None = None
        self._last_failure: TranscriptError | None = None
        self._cancel_timer: Timer | None = None
        self.client = ClientSide(self.now, eager=eager, parses=parses, last_event_id=last_event_id)
        self.server = ServerSide(personality, scope["method"], body, self.client, self.now)
        self.leaked: AppLeaked | None = None
        self.told = False
        self.task = AppTask(self._call, self._ended)

    def now(self) -> float:
        """Tells seconds since the request."""
        return self._runtime.now() - self._began

    async def _call(self) -> None:
        returned = self._app(self._scope, self.server.receive, self.server.send)
        if not hasattr(returned, "__await__"):
            raise ASGIViolation(
                f"the application returned {returned!r} where an awaitable is wanted; "
                "an ASGI application is an async callable of scope, receive, send"
            )
        await returned

    def _ended(self) -> None:
        self.server.app_ended(self.task.exception, by_itself=not self.task.cancelled)

    async def wait(self, is_met: Callable[[], bool], seconds: float) -> bool:
        """Waits until something is so, but not for long; returns whether it is.

        Args:
            is_met: Whether it is so; is asked whenever something has happened.
            seconds: How long it is waited for.
        """
        self._look()
        if is_met():
            return True
        self.client.demand(is_met)
        try:
            with anyio.move_on_after(seconds):
                while not is_met():
                    await self.client.news.wait()
            for _ in range(_TIES):
                if is_met():
                    break
                await anyio.lowlevel.checkpoint()
            return is_met()
        finally:
            self.client.retract(is_met)
            self._look()

    def _look(self) -> None:
        self.server.touched = self.client.arrived

    async def wait_head(self, seconds: float) -> None:
        """Waits for status and headers.

        Raises:
            SSETimeout: They did not come.
        """
        if not await self.wait(lambda: self.client.status is not None, seconds):
            held = self._personality.holds_head and self.server.state == "response"
            why = f"; {self._personality.name} holds them back until there is a body" if held else ""
            raise self.failure(SSETimeout, f"status and headers did not come within {seconds:g} s{why}")

    def leave(self) -> None:
        """Lets the client leave; what that means to the application is the server's business."""
        if self.server.gone:
            return
        self.server.leave()
        self.client.leave()
        after = self._personality.cancels_after
        if self.server.state == "complete" or after is None:
            return
        if after == 0:
            self.task.cancel()
        else:
            self._cancel_timer = self._runtime.call_later(after, self.task.cancel)

    async def finish(self, seconds: float) -> None:
        """Lets the client leave, and ends the application, whatever it does about that.

        Where it does not end by itself in some seconds, ``leaked`` says so.
        """
        self.leave()
        with anyio.CancelScope(shield=True):
            if not await self.task.wait(seconds) and self.leaked is None:
                places = self.task.places()
                name = str(places[-1]) if places else "the application"
                self.leaked = self.failure(
                    AppLeaked, f"{name} was still running {seconds:g} s after its client had left"
                )
            if self._cancel_timer is not None:
                self._cancel_timer.cancel()
            await self.task.get_rid()
        self._left = self.now()

    def problem(self) -> TranscriptError | None:
        """Returns what the application did wrong, as an error that can be raised."""
        server, exception = self.server, self.task.exception
        if server.flood is not None:
            return self.failure(type(server.flood), server.flood.reason, server.flood)
        if server.violations:
            first = server.violations[0]
            return self.failure(type(first), first.reason, first)
        if isinstance(exception, ASGIViolation):
            return self.failure(ASGIViolation, exception.reason, exception)
        if exception is not None and not self._is_disconnect(exception):
            return self.failure(AppRaised, f"the application raised {exception!r}", exception)
        return None

    def _is_disconnect(self, exception: BaseException) -> bool:
        """Tells whether an exception comes from what ``send`` raised because the client had left."""
        seen: set[int] = set()
        pending: list[BaseException | None] = [exception]
        while pending:
            each = pending.pop()
            if each is None or id(each) in seen:
                continue
            seen.add(id(each))
            if isinstance(each, ClientHasLeft):
                return True
            pending += [each.__cause__, each.__context__]
            if isinstance(each, BaseExceptionGroup):
                pending += each.exceptions
        return False

    def failure(self, kind: type[_Failure], reason: str, cause: BaseException | None = None) -> _Failure:
        """Returns an error with the transcript in it."""
        error = kind(reason, self.transcript())
        error.__cause__ = cause
        self._last_failure = error
        return error

    def is_told_by(self, error: BaseException | None) -> bool:
        """Tells whether an error has the transcript of this exchange in it; an HTTP client's may quote it."""
        return error is not None and self._last_failure is not None and str(self._last_failure) in str(error)

    def transcript(self) -> str:
        """Returns what has happened, in lines of text; when all is over, outside of the event loop, too."""
        client, scope = self.client, self._scope
        query = f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else ""
        counts = f"{len(client.events)} events, {len(client.comments)} comments"
        lines = [
            f"    {scope['method']} {scope['path']}{query} on {self._personality.name}: "
            f"{client.status or 'no answer'}, {counts}, {len(client.chunks)} chunks",
            *transcript_lines(self.server.log),
        ]
        if not self.task.done:
            lines.append(f"{self.now():10.3f} now; the application waits in")
            lines += [f"{'':11}{place}" for place in self.task.places()] or [f"{'':11}(nothing: it runs)"]
        elif client.ending == "cut":
            at = self.now() if self._left is None else self._left
            lines.append(f"{at:10.3f} now; the body was cut off")
        return "\n".join(lines)
