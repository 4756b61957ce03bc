"""One answer, from its plan to its end: who is started, who is waited for."""

from __future__ import annotations

import anyio

from .._types import Send
from ..dialects import BufferedAnswer
from ..errors import BufferedLimitExceeded
from ._outbox import Outbox
from ._plan import Plan
from ._producer import Producer
from ._receive import ReceivePump
from ._runtime import WakeUp, current_runtime
from ._sending import send_within
from ._sinks import FoldSink, StreamSink
from ._source import Source
from ._writer import StreamWriter

__all__ = ["answer", "run_buffered", "run_stream"]


async def run_stream(plan: Plan, source: Source, pump: ReceivePump, send: Send) -> None:
    """Answers with a stream; the caller's task writes, the handler runs in its own.

    Raises:
        Exception: The handler's own, where it raised before the head was sent.
    """
    runtime, wake = current_runtime(), WakeUp()
    outbox = Outbox(wake, *plan.settings.outbox)
    sink = StreamSink(plan.encoder(), outbox, lambda: _fold_sink(plan, wake), debug=plan.settings.debug)
    producer = Producer(source, sink)
    writer = StreamWriter(plan, sink, outbox, send, runtime, wake, producer.leave)

    def client_left() -> None:
        writer.gone = True
        producer.leave()
        wake()

    try:
        producer.start(runtime)
        pump.start(runtime, client_left)
        await writer.write()
        if sink.instead is not None and not pump.gone:
            await _wait_fold(plan, sink.instead, pump, wake, send)
    finally:
        await _wind_up(plan, producer, pump)
    _raise_first(producer.crash, sink.error)


async def run_buffered(plan: Plan, source: Source, pump: ReceivePump, send: Send) -> None:
    """Answers with one body, folded from everything that the handler yields.

    Raises:
        BufferedLimitExceeded: The answer has grown past its limit of bytes or seconds.
        Exception: The handler's own.
    """
    runtime, wake = current_runtime(), WakeUp()
    sink = _fold_sink(plan, wake)
    producer = Producer(source, sink)

    def client_left() -> None:
        producer.leave()
        wake()

    try:
        producer.start(runtime)
        pump.start(runtime, client_left)
        await _wait_fold(plan, sink, pump, wake, send)
    finally:
        await _wind_up(plan, producer, pump)
    _raise_first(producer.crash)


def _fold_sink(plan: Plan, wake: WakeUp) -> FoldSink:
    return FoldSink(plan.fold(), plan.extra, plan.settings.buffer[0], wake)


async def _wait_fold(plan: Plan, sink: FoldSink, pump: ReceivePump, wake: WakeUp, send: Send) -> None:
    """Waits for the folded answer and sends it."""
    seconds = plan.settings.buffer[1]
    timer = current_runtime().call_later(seconds, (overdue := _Overdue(wake)).ring)
    try:
        while not (sink.closed or pump.gone or overdue.rang):
            await wake.wait()
    finally:
        timer.cancel()
    if sink.error is not None:
        raise sink.error
    if sink.answer is not None:
        await answer(plan, sink.answer, send)
    elif not (sink.closed or pump.gone):
        raise BufferedLimitExceeded("seconds", seconds)


class _Overdue:
    def __init__(self, wake: WakeUp) -> None:
        self._wake = wake
        self.rang = False

    def ring(self) -> None:
        self.rang = True
        self._wake()


async def answer(plan: Plan, buffered: BufferedAnswer, send: Send, *, body: bool = True) -> None:
    """Sends a buffered answer; without its body for HEAD."""
    messages = (
        plan.answer_start(buffered),
        {"type": "http.response.body", "body": buffered.body if body else b"", "more_body": False},
    )
    for message in messages:
        try:
            await send_within(send, message, plan.settings.send_timeout)
        except OSError:
            return


async def _wind_up(plan: Plan, producer: Producer, pump: ReceivePump) -> None:
    """Ends whatever still runs; waits for it, though the caller may be cancelled, but not for ever."""
    timeout = plan.settings.cleanup_timeout
    producer.leave()
    with anyio.move_on_after(timeout, shield=True):
        await pump.stop()
    await producer.wait_closed(timeout)


def _raise_first(*errors: BaseException | None) -> None:
    for error in errors:
        if error is not None:
            raise error
