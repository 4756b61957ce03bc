"""A handler's answer over a WebSocket that was accepted: a message for each event, and a code for each end."""

from __future__ import annotations

import logging
from typing import Final

from .._types import Message
from ..dialects import Dialect, Outcome
from ..errors import StreamError
from ..wire import EventStreamParser
from ._driver import Driver, broken_off
from ._fold_sink import FoldSink
from ._observation import MessageOf, observe
from ._outbox import Outbox
from ._paced_sink import open_sink
from ._producer import Producer
from ._runtime import WakeUp
from ._sending import ClientGone, ClientStalled
from ._source import Source, discard
from ._stream_sink import StreamSink

__all__ = ["NOT_HERE", "STOPPING", "SocketDriver", "closing", "code_of"]

_log = logging.getLogger("sseware")

# RFC 6455, section 7.4.1.
_GOOD: Final = 1000
_AWAY: Final = 1001
NOT_HERE: Final = 1003
_FORBIDDEN: Final = 1008
_BAD: Final = 1011
_LATER: Final = 1013

STOPPING: Final = "the server is stopping; reconnect"
_EXPIRED: Final = "what allowed this connection has expired"


def closing(code: int, reason: str) -> Message:
    """Returns the message that closes a connection."""
    return {"type": "websocket.close", "code": code, "reason": reason}


def code_of(refusal: StreamError) -> int:
    """Returns the code with which a connection that may not be is closed."""
    return _LATER if refusal.status == 503 else _FORBIDDEN


class _Talk:
    """One conversation: what there is to say, and what has happened meanwhile."""

    def __init__(self, sink: StreamSink, outbox: Outbox, producer: Producer, wake: WakeUp) -> None:
        self.sink = sink
        self.outbox = outbox
        self.producer = producer
        self.gone = False
        self.drained = False
        self.expired = False
        self.wake = wake

    def client_left(self) -> None:
        self.gone = True
        self.producer.leave()
        self.wake()

    def take_turn(self) -> None:
        self.drained = True
        self.wake()

    def expire(self) -> None:
        self.expired = True
        self.wake()


class SocketDriver(Driver):
    """Answers over a connection that has been accepted."""

    async def converse(self, source: Source, message_of: MessageOf, seconds: float | None = None) -> None:
        """Sends what a handler yields, event by event, and closes the connection; it may take so many seconds."""
        plan, runtime = self._plan, self._runtime
        wake = runtime.wake_up()
        observation = observe(plan, "websocket")
        observation.open()
        try:
            sink, outbox = open_sink(plan, runtime, wake, lambda: FoldSink(plan, runtime, wake))
        except Exception as exc:  # a stranger's dialect may raise anything
            _log.exception("the dialect could not open a stream")
            observation.refused(exc)
            await discard(source)
            await self._close(_BAD, "internal error")
            return
        # No status can be told any more: every failure is told in the stream.
        sink.head_sent = True
        producer = Producer(source, observation.watch_sink(sink), runtime)
        message_of = observation.watch_messages(message_of)
        talk = _Talk(sink, outbox, producer, wake)
        outcome = Outcome.LEFT
        timer = None if seconds is None else runtime.call_later(seconds, talk.expire)
        try:
            self._pump.start(runtime, talk.client_left)
            producer.start()
            with self._draining(lambda _: self._send.break_off(), talk.take_turn):
                outcome = await self._say_all(talk, message_of)
        except ClientStalled:
            outcome = Outcome.STALLED
        except ClientGone:
            pass
        except BaseException as exc:
            outcome = broken_off(exc)
            raise
        finally:
            if timer is not None:
                timer.cancel()
            try:
                await self._wind_up(producer)
            finally:
                observation.close(outcome if producer.crash is None else Outcome.FAILED)

    async def _say_all(self, talk: _Talk, message_of: MessageOf) -> Outcome:
        """Sends events as they come, until there is an end to them, and tells which one."""
        parser = EventStreamParser(max_event_size=None)

        async def say(chunk: bytes) -> None:
            for event in parser.feed(chunk):
                text = message_of(event)
                if text is not None:
                    await self._send({"type": "websocket.send", "text": text})

        while not talk.gone:
            ended, chunk = talk.outbox.closed, talk.outbox.take()
            await say(chunk)
            if ended:
                await self._close(_BAD if talk.sink.failed else _GOOD)
                return Outcome.FAILED if talk.sink.failed else Outcome.FINISHED
            if talk.drained:
                talk.producer.leave()
                farewell = talk.sink.farewell() or b""
                await say(talk.outbox.take() + farewell)
                await self._close(_AWAY, STOPPING)
                return Outcome.DRAINED
            if talk.expired:
                talk.producer.leave()
                await self._close(_FORBIDDEN, _EXPIRED)
                return Outcome.EXPIRED
            if not chunk:
                await talk.wake.wait()
        return Outcome.LEFT

    async def _close(self, code: int, reason: str = "") -> None:
        try:
            await self._send(closing(code, reason))
        except ClientGone:
            return

    async def turn_away(self, refusal: StreamError | None = None) -> None:
        """Closes a connection that may not be, or came while the others leave."""
        if refusal is None:
            await self._close(_AWAY, STOPPING)
        else:
            await self._close(code_of(refusal), str(refusal))

    async def refuse(self, dialect: Dialect) -> None:
        """Closes the connection, for a dialect that is not carried."""
        await self._close(NOT_HERE, f"the dialect {dialect.name} is not carried over WebSocket")
