"""The one caller of ``send``: head, chunks, keepalives, the end."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from typing import Final, Literal, TypeAlias

from .._types import Message, Send
from ..wire import encode_comment
from ._outbox import Outbox
from ._plan import Plan
from ._runtime import Runtime, Timer, WakeUp
from ._sending import send_within
from ._sinks import StreamSink

__all__ = ["Outcome", "StreamWriter"]

Outcome: TypeAlias = Literal["finished", "left", "stalled", "expired", "not started"]
"""How a stream ended, as its writer saw it."""

_KEEPALIVE: Final = encode_comment("")
_FAREWELL: Final = encode_comment("this stream has reached its age; reconnect")

# A timer may ring a little early: no event loop promises more than a millisecond.
_EARLY: Final = 0.001

_log = logging.getLogger("sseware")


class _ClientGone(Exception):
    """The client cannot be reached any more."""


class _Stalled(Exception):
    """The client has stopped reading."""


class StreamWriter:
    """Writes one stream. It waits for one wake-up and then looks at everything that may have happened.

    Args:
        plan: The dialect and the options.
        sink: Where the handler's events and its early failure come from.
        outbox: The bytes that are ready.
        send: The ASGI callable.
        runtime: Timers.
        wake: Is called by whoever has news.
        leave: Closes the handler.
    """

    def __init__(
        self,
        plan: Plan,
        sink: StreamSink,
        outbox: Outbox,
        send: Send,
        runtime: Runtime,
        wake: WakeUp,
        leave: Callable[[], None],
    ) -> None:
        self._plan = plan
        self._settings = plan.settings
        self._sink = sink
        self._outbox = outbox
        self._send_message = send
        self._runtime = runtime
        self._wake = wake
        self._leave = leave
        self._timers: dict[str, Timer] = {}
        self._due: set[str] = set()
        self._last_sent = 0.0
        self.gone = False

    async def write(self) -> Outcome:
        """Writes the stream to its end."""
        try:
            if not await self._head():
                return "left" if self.gone else "not started"
            return await self._body()
        except _ClientGone:
            return "left"
        except _Stalled:
            return "stalled"
        finally:
            for timer in self._timers.values():
                timer.cancel()

    async def _head(self) -> bool:
        """Awaits the first event, for a while; returns whether a stream was begun."""
        sink, outbox = self._sink, self._outbox
        if (timeout := self._settings.head_timeout) is None:
            self._due.add("head")
        self._ring_in("head", timeout)
        while not (outbox.ready or outbox.closed or self.gone or "head" in self._due):
            await self._wake.wait()
        self._forget("head")
        if self.gone or sink.error is not None or sink.instead is not None:
            return False
        sink.head_sent = True
        await self._send(self._plan.stream_start())
        return True

    async def _body(self) -> Outcome:
        outbox = self._outbox
        self._ring_in("keepalive", self._settings.keepalive)
        if (age := self._settings.max_age) is not None:
            # Streams that began together must not all come back together.
            self._ring_in("age", age * random.uniform(0.8, 1.0))  # noqa: S311  # not a secret
        opening = self._opening()
        while not self.gone:
            ended = outbox.closed
            chunk = opening + outbox.take()
            opening = b""
            if ended:
                await self._send_chunk(chunk, more=False)
                return "finished"
            if chunk:
                await self._send_chunk(chunk)
            elif "age" in self._due:
                self._leave()
                await self._send_chunk(_FAREWELL, more=False)
                return "expired"
            elif "keepalive" in self._due:
                self._due.discard("keepalive")
                await self._send_chunk(_KEEPALIVE)
            else:
                await self._wake.wait()
        return "left"

    def _opening(self) -> bytes:
        """Returns what goes before the first event; daphne and granian hold the head back until there is a body."""
        opening = b""
        if (retry := self._settings.retry) is not None:
            opening = b"retry: %d\n\n" % round(retry * 1000)
        return opening or (b"" if self._outbox.ready else _KEEPALIVE)

    def _ring_in(self, name: str, seconds: float | None) -> None:
        if seconds is not None:
            self._timers[name] = self._runtime.call_later(seconds, lambda: self._ring(name))

    def _ring(self, name: str) -> None:
        if name == "keepalive" and not self._is_silent():
            return
        self._due.add(name)
        self._wake()

    def _is_silent(self) -> bool:
        """Arms the keepalive again; one timer an interval serves, however many events there are."""
        interval = self._settings.keepalive or 0.0
        left = self._last_sent + interval - self._runtime.now()
        silent = left <= _EARLY
        self._ring_in("keepalive", interval if silent else left)
        return silent

    def _forget(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()
        self._due.discard(name)

    async def _send_chunk(self, chunk: bytes, *, more: bool = True) -> None:
        await self._send({"type": "http.response.body", "body": chunk, "more_body": more})

    async def _send(self, message: Message) -> None:
        try:
            await send_within(self._send_message, message, self._settings.send_timeout)
        except TimeoutError as exc:
            _log.warning(
                "the client has not read for %g s; its stream is closed", self._settings.send_timeout
            )
            raise _Stalled from exc
        except OSError as exc:
            raise _ClientGone from exc
        except RuntimeError as exc:
            _log.warning("send() failed (%s); the client counts as gone", exc)
            raise _ClientGone from exc
        self._last_sent = self._runtime.now()
