"""One answer, from its plan to its end: who is started, who is waited for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from .._types import Send
from ..dialects import BufferedAnswer, Outcome
from ..errors import BufferedLimitExceeded
from ._drain import Drain
from ._fold_sink import FoldSink
from ._observation import observe
from ._paced_sink import open_sink
from ._plan import Plan
from ._producer import Producer
from ._receive import ReceivePump
from ._runtime import Runtime, WakeUp
from ._sending import ClientGone, Lender, Sender
from ._source import Source, discard
from ._writer import Outcome as Written
from ._writer import StreamWriter

__all__ = ["Driver", "broken_off"]


class Driver:
    """Answers one request.

    Args:
        plan: The dialect, the options, and what is known of the request.
        pump: Receives.
        send: Sends.
        runtime: The event loop.
        lender: What ``send`` is of, where that may be passed by in mid-stream.
    """

    def __init__(
        self, plan: Plan, pump: ReceivePump, send: Send, runtime: Runtime, lender: Lender | None = None
    ) -> None:
        self._plan = plan
        self._pump = pump
        self._send = Sender(send, runtime, plan.settings.send_timeout, lender)
        self._runtime = runtime

    async def stream(self, source: Source, seconds: float | None = None) -> Exception | None:
        """Answers with a stream; the caller's task writes, the handler runs in its own.

        Args:
            source: The handler.
            seconds: How many seconds the stream may take from the request on; ``None`` for any time.

        Returns:
            The exception of a handler that raised before anything was sent; nothing is sent then.
        """
        plan, runtime = self._plan, self._runtime
        wake = runtime.wake_up()
        observation = observe(plan)
        observation.open()
        try:
            sink, outbox = open_sink(plan, runtime, wake, lambda: FoldSink(plan, runtime, wake))
        except Exception as exc:  # a stranger's dialect may raise anything
            await discard(source)
            observation.refused(exc)
            return exc
        producer = Producer(source, observation.watch_sink(sink), runtime)
        send = observation.watch_sender(self._send)
        writer = StreamWriter(plan, sink, outbox, send, runtime, wake, producer.leave)
        writer.seconds = seconds

        def client_left() -> None:
            producer.leave()
            writer.client_left()

        outcome = Outcome.CANCELLED
        try:
            # The pump first: for a client that has left already nothing is entered.
            self._pump.start(runtime, client_left)
            producer.start()
            written = await writer.write()
            failure = None if sink.instead is None else await self._fold(sink.instead, wake)
            error = sink.error or failure
            outcome = _outcome(written, failed=sink.failed or error is not None)
        except BaseException as exc:
            outcome = broken_off(exc)
            raise
        finally:
            try:
                await self._wind_up(producer)
            finally:
                observation.close(outcome if producer.crash is None else Outcome.FAILED)
        return error

    async def buffer(self, source: Source) -> Exception | None:
        """Answers with one body, folded from everything that the handler yields.

        Returns:
            The exception of a handler that raised, or of a limit that was reached; nothing is sent then.
        """
        wake = self._runtime.wake_up()
        sink = FoldSink(self._plan, self._runtime, wake)
        producer = Producer(source, sink, self._runtime)

        def client_left() -> None:
            producer.leave()
            wake()

        try:
            self._pump.start(self._runtime, client_left)
            producer.start()
            failure = await self._fold(sink, wake)
        finally:
            await self._wind_up(producer)
        return failure

    async def _fold(self, sink: FoldSink, wake: WakeUp) -> Exception | None:
        """Waits for the folded answer and sends it; returns why there is none."""
        seconds = self._plan.settings.buffer[1]
        too_late: Exception | None = None

        def overdue() -> None:
            nonlocal too_late
            too_late = BufferedLimitExceeded("seconds", seconds)
            wake()

        def break_off(drain: Drain) -> None:
            nonlocal too_late
            too_late = drain.refusal()
            self._send.break_off()
            wake()

        timer = self._runtime.call_later(seconds, overdue)
        with self._draining(break_off):
            try:
                while not (sink.closed or self._pump.gone or too_late):
                    await wake.wait()
            finally:
                timer.cancel()
            if sink.answer is not None:
                await self.answer(sink.answer)
                return None
        return sink.error or too_late

    @contextmanager
    def _draining(
        self, break_off: Callable[[Drain], None], take_turn: Callable[[], None] | None = None
    ) -> Iterator[None]:
        """Has its place in the drain, where there is one."""
        drain = self._plan.settings.drain
        if drain is None:
            yield
            return
        place = drain.departures(self._runtime).join(self._runtime, take_turn, partial(break_off, drain))
        try:
            yield
        finally:
            place.leave()

    async def answer(self, answer: BufferedAnswer, *, body: bool = True) -> None:
        """Sends a buffered answer; without its body for HEAD."""
        try:
            for message in self._plan.answer_messages(answer, body=body):
                await self._send(message)
        except ClientGone:
            return

    async def _wind_up(self, producer: Producer) -> None:
        """Ends whatever still runs; waits for it, though the caller may be cancelled, but not for ever."""
        timeout, drain = self._plan.settings.cleanup_timeout, self._plan.settings.drain
        if drain is not None:
            timeout = drain.departures(self._runtime).left(self._runtime, timeout)
        producer.leave()
        tasks = [task for task in (self._pump.stop(), producer.task) if task is not None]
        try:
            await self._runtime.wait_ended(tasks, timeout)
        finally:
            producer.give_up(timeout)
        if producer.crash is not None:
            raise producer.crash


def broken_off(exc: BaseException) -> Outcome:
    """Tells how a stream ended out of which something was raised to the caller."""
    return Outcome.FAILED if isinstance(exc, Exception) else Outcome.CANCELLED


def _outcome(written: Written, *, failed: bool) -> Outcome:
    """Tells how a stream ended that was written to its end, or became another answer."""
    if written in ("finished", "not started"):
        return Outcome.FAILED if failed else Outcome.FINISHED
    return Outcome(written)
