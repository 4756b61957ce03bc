"""The stream as it is written: head, chunks, keepalives, the end."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final, Literal, TypeAlias

from ..wire import encode_comment
from ._outbox import Outbox
from ._plan import Plan
from ._relay import Relay
from ._runtime import Runtime, Timer, WakeUp
from ._sending import ClientGone, ClientStalled, Sender
from ._stream_sink import StreamSink

__all__ = ["Outcome", "StreamWriter"]

Outcome: TypeAlias = Literal["finished", "left", "stalled", "expired", "drained", "not started"]
"""How a stream ended, as its writer saw it."""

_KEEPALIVE: Final = encode_comment("")
_AGED: Final = encode_comment("this stream has reached its age; reconnect")

# A timer may ring a little early: no event loop promises more than a millisecond.
_EARLY: Final = 0.001


class StreamWriter:
    """Writes one stream. It waits for one wake-up and then looks at everything that may have happened.

    Args:
        plan: The dialect and the options.
        sink: Where the handler's events and its early failure come from.
        outbox: The bytes that are ready.
        send: Sends; nobody else does.
        runtime: Timers.
        wake: Is called by whoever has news.
        leave: Closes the handler.

    Attributes:
        gone: Whether the client has left.
        seconds: Is set where the stream may take so many seconds from the request on, and no longer.
    """

    def __init__(
        self,
        plan: Plan,
        sink: StreamSink,
        outbox: Outbox,
        send: Sender,
        runtime: Runtime,
        wake: WakeUp,
        leave: Callable[[], None],
    ) -> None:
        self._plan = plan
        self._settings = plan.settings
        self._sink = sink
        self._outbox = outbox
        self._send = send
        self._runtime = runtime
        self._wake = wake
        self._leave = leave
        self._timer: Timer | None = None
        self._keepalive: Timer | None = None
        self._head_is_due = False
        self._silent = b""
        self._relay = Relay(outbox, send, runtime, wake)
        self._cut_short: Literal["expired", "drained"] | None = None
        self.gone = False
        self.seconds: float | None = None

    async def write(self) -> Outcome:
        """Writes the stream to its end."""
        drain = self._settings.drain
        place = None
        if drain is not None:
            place = drain.departures(self._runtime).join(self._runtime, self._take_turn, self._send.break_off)
        self._send.watch(self._leave)
        try:
            if not await self._head():
                return "left" if self.gone else "not started"
            return await self._body()
        except ClientStalled:
            return "stalled"
        except ClientGone:
            return "left"
        finally:
            self._relay.close()
            self._send.give_back()
            self._forget_timers()
            self._send.unwatch()
            if place is not None:
                place.leave()

    async def _head(self) -> bool:
        """Awaits the first event, for a while; returns whether a stream was begun."""
        sink, outbox = self._sink, self._outbox
        timeout = self._settings.head_timeout
        if timeout is None:
            self._head_is_due = True
        else:
            self._timer = self._runtime.call_later(timeout, self._ring_for_head)
        while not (outbox.ready or outbox.closed or self.gone or self._head_is_due):
            await self._wake.wait()
        self._forget_timers()
        if self.gone or sink.error is not None or sink.instead is not None:
            return False
        start = self._plan.stream_start()
        sink.head_sent = True
        await self._send(start)
        return True

    async def _body(self) -> Outcome:
        outbox, send = self._outbox, self._send
        outbox.put_first(self._opening())
        self._await_age()
        send.borrow()
        self._relay.open()
        while not self.gone:
            if outbox.closed:
                await self._last(outbox.take())
                return "finished"
            if self._cut_short is not None:
                return await self._end_early(self._cut_short)
            if chunk := outbox.take() or self._silent:
                self._silent = b""
                # It is nearly always taken at once, and a coroutine costs more than that.
                rest = send.begin({"type": "http.response.body", "body": chunk, "more_body": True})
                if rest is not None:
                    await send.finish(rest)
            if self._keepalive is None:
                self._await_silence()
            # Meanwhile the handler's task may begin a message in this one's name.
            rest = await self._relay.wait()
            if rest is not None:
                await send.finish(rest)
        return "left"

    def client_left(self) -> None:
        """Is called where there is nobody any more to write to."""
        self.gone = True
        self._relay.interrupt()

    async def _end_early(self, why: Literal["expired", "drained"]) -> Outcome:
        """Ends a stream whose handler would go on."""
        self._leave()
        farewell = _AGED
        if why == "drained" and (drain := self._settings.drain) is not None:
            farewell = drain.farewell(self._sink.farewell())
        await self._last(self._outbox.take() + farewell)
        return why

    async def _last(self, chunk: bytes) -> None:
        self._send.give_back()
        await self._send({"type": "http.response.body", "body": chunk, "more_body": False})

    def _await_age(self) -> None:
        left = []
        if (age := self._settings.max_age) is not None:
            # Streams that began together must not all come back together.
            left.append(age * random.uniform(0.8, 1.0))  # noqa: S311  # not a secret
        if self.seconds is not None:
            left.append(max(0.0, self.seconds - self._plan.context.elapsed()))
        if left:
            self._timer = self._runtime.call_later(min(left), self._ring_for_age)

    def _await_silence(self) -> None:
        """Sets the first timer for a keepalive; a stream that never rests needs none."""
        if self._settings.keepalive is not None:
            self._keepalive = self._runtime.call_later(self._settings.keepalive, self._ring_for_keepalive)

    def _opening(self) -> bytes:
        """Returns what goes before the first event; daphne and granian hold the head back until there is a body."""
        if (retry := self._settings.retry) is not None:
            return b"retry: %d\n\n" % round(retry * 1000)
        return b"" if self._outbox.ready or self._outbox.closed else _KEEPALIVE

    def _ring_for_head(self) -> None:
        self._head_is_due = True
        self._relay.interrupt()

    def _ring_for_keepalive(self) -> None:
        """Sees to a keepalive, if there was silence; one timer an interval serves, however many events there are."""
        interval = self._settings.keepalive or 0.0
        left = max(self._send.last, self._relay.last) + interval - self._runtime.now()
        if left <= _EARLY:
            left = interval
            self._silent = _KEEPALIVE
            self._relay.interrupt()
        self._keepalive = self._runtime.call_later(left, self._ring_for_keepalive)

    def _ring_for_age(self) -> None:
        self._cut_short = self._cut_short or "expired"
        self._relay.interrupt()

    def _take_turn(self) -> None:
        """Is called where the server stops; a head that is awaited still goes out, so that it can be told."""
        self._cut_short = "drained"
        self._head_is_due = True
        self._relay.interrupt()

    def _forget_timers(self) -> None:
        for timer in (self._timer, self._keepalive):
            if timer is not None:
                timer.cancel()
