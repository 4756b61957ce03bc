"""An existing application's answer on its way into a stream.

The application runs in the caller's own task, where its context variables and exceptions are what its framework
expects, and calls `AdaptedStream.take` as it would call ``send``. The writer is the same as any stream's; here it has
a task of its own, so that keepalives come while the application rests.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Final

import anyio

from .._types import Message, Send
from ..dialects import Outcome
from ._adapt_bodies import BodyReader, UnreadableBody
from ._failures import failure_of
from ._fold_sink import FoldSink
from ._observation import observe
from ._paced_sink import open_sink
from ._plan import Plan
from ._receive import EndablePump
from ._runtime import Runtime, Task
from ._sending import Sender
from ._slots import Slot
from ._writer import StreamWriter

__all__ = ["AdaptedStream", "StreamOver"]

_log = logging.getLogger("sseware")

_START: Final = "http.response.start"
_BODY: Final = "http.response.body"
# Bodies that never pass through the application's hands.
_UNSEEN: Final = frozenset(("http.response.pathsend", "http.response.zerocopysend"))


class StreamOver(OSError):
    """The stream has ended before the application: its client left, or what it sent could not be read."""


class AdaptedStream:
    """One answer that is adapted.

    Args:
        plan: The dialect, the options, and the head.
        body: Reads what the application sends.
        pump: Receives.
        send: Sends; in turns, for the application may send what is no body.
        runtime: The event loop.
        raises: Whether ``send`` raises once the client has left, as ASGI 2.4 has it. In older versions, and in
            every server that was measured, it returns; the application hears of it from ``receive``. Where the server
            stops it raises in any version: one that does not listen would keep the server from its end.
        slot: Its slot, which it gives back.
        seconds: How many seconds it may take from the request on; ``None`` for any time.
    """

    def __init__(
        self,
        plan: Plan,
        body: BodyReader,
        pump: EndablePump,
        send: Send,
        runtime: Runtime,
        *,
        raises: bool,
        slot: Slot | None = None,
        seconds: float | None = None,
    ) -> None:
        wake = runtime.wake_up()
        self._slot = slot
        self._observation = observe(plan)
        self._observation.open()
        try:
            sink, outbox = open_sink(plan, runtime, wake, lambda: FoldSink(plan, runtime, wake))
        except Exception as exc:  # a stranger's dialect may raise anything
            self._observation.refused(exc)
            self._free_slot()
            raise
        sender = self._observation.watch_sender(Sender(send, runtime, plan.settings.send_timeout))
        self._sink = sink
        self._writer = StreamWriter(plan, sink, outbox, sender, runtime, wake, self._stop)
        self._writer.seconds = seconds
        self._wake = wake
        self._settings = plan.settings
        self._body = body
        self._pump = pump
        self._send = send
        self._runtime = runtime
        self._raises = raises
        self._start: Message = None
        self._written = anyio.Event()
        self._tasks: list[Task | None] = []
        self._outcome = Outcome.CANCELLED
        self._crash: Exception | None = None
        self._ending = False  # the application has said that its answer ends
        self._over = False  # nothing more can be put into the stream
        self._stopped = False  # and that not because the application said so
        self._passing = False  # the answer passes as it is after all

    async def take(self, message: Message) -> None:
        """Takes a message of the application's, in the place of the server's ``send``.

        Raises:
            StreamOver: The stream is over, and the ASGI version says that ``send`` raises then; or the server stops.
        """
        kind = message["type"]
        if self._passing:
            await self._send(message)
        elif kind == _START:
            self._start = message
            self._tasks.append(self._runtime.spawn(self._write, "sseware writer"))
            self._pump.start(self._runtime, self._client_left)
        elif kind == _BODY:
            await self._take_body(message)
        elif kind in _UNSEEN and not self._over:
            await self._hand_back(message)
        else:
            await self._send(message)

    async def _write(self) -> None:
        try:
            written = await self._writer.write()
            if written in ("finished", "not started"):
                failed = self._sink.failed or self._sink.error is not None
                self._outcome = Outcome.FAILED if failed else Outcome.FINISHED
            else:
                self._outcome = Outcome(written)
        except Exception as exc:  # it is raised in the caller's task
            self._outcome = Outcome.FAILED
            self._crash = exc
        finally:
            if not self._ending:
                self._stop()
                # The application hears what it would hear had the client left: nobody wants more of it.
                self._pump.end()
            self._written.set()

    def _client_left(self) -> None:
        self._stop()
        self._writer.client_left()

    def _stop(self) -> None:
        """Takes no more of what the application sends. It is not cancelled, for no server would do that."""
        self._over = self._stopped = True
        self._sink.release()

    async def _take_body(self, message: Message) -> None:
        last = not message.get("more_body", False)
        if self._over:
            if self._stopped and (self._raises or self._outcome is Outcome.DRAINED):
                raise StreamOver("the stream is over; nobody reads what the application sends")
            # A server's send would return at once, too; but an application that never awaits anything else must let
            # the event loop turn.
            await self._runtime.turn()
            return
        try:
            await self._put(self._body.read(bytes(message.get("body", b""))))
            if last:
                await self._put(self._body.close())
                self._finish()
        except Exception as exc:  # the body's fault, or a stranger's dialect's; it is told in the stream
            self._fail(exc)
        else:
            self._ending = last or self._sink.ended
        if self._sink.ended:
            await self._close()

    async def _put(self, values: Iterator[object]) -> None:
        sink = self._sink
        for value in values:
            has_room = sink.put(value)
            # Not `flush`: what the application sends without waiting in between leaves together.
            self._wake()
            if not has_room:
                if sink.ended:
                    return
                await sink.wait_room()
            if self._over:
                return

    def _finish(self) -> None:
        # The client may have left while there was no room, and an item may have ended the stream.
        if not (self._over or self._sink.ended):
            self._sink.finish()

    async def _close(self) -> None:
        """Waits until the end is written, so that what an application does after its answer is done after it."""
        self._over = True
        self._sink.close()
        await self._written.wait()
        if self._ending:
            # What its `receive` returns from here on is for the server to say.
            self._tasks.append(self._pump.stop())

    async def _hand_back(self, message: Message) -> None:
        """Lets an answer pass as it is after all: its body never passes through the application's hands."""
        unseen = UnreadableBody(f"{message['type']} sends what is not seen here")
        if not self._sink.is_undecided:
            self._fail(unseen)
            await self._close()
            return
        self._sink.error = unseen
        self._ending = self._passing = True
        await self._close()
        self._outcome = Outcome.FINISHED
        await self._send(self._start)
        await self._send(message)

    def _fail(self, exc: Exception) -> None:
        """Tells the client, in the stream, that it is broken; the log says where."""
        is_known = isinstance(exc, UnreadableBody)
        _log.error("what the application sent cannot be adapted: %s", exc, exc_info=None if is_known else exc)
        self._tell(exc)

    def _tell(self, exc: Exception) -> None:
        self._observation.failed(exc)
        self._sink.put(failure_of(exc, debug=self._settings.debug))

    async def end(self) -> None:
        """Is called where the application has returned."""
        try:
            if not self._over:
                self._fail(UnreadableBody("the application returned without having ended its body"))
                await self._close()
        finally:
            await self._wind_up()
        if self._crash is not None:
            raise self._crash

    async def die(self, exc: BaseException) -> None:
        """Is called where the application has raised; whoever called it gets the exception, and logs it."""
        try:
            if not self._over and isinstance(exc, Exception):
                if self._sink.is_undecided:
                    # Nothing has been sent: the server can answer with a real status.
                    self._observation.failed(exc)
                    self._sink.error = exc
                else:
                    self._tell(exc)
                await self._close()
        finally:
            await self._wind_up()

    async def _wind_up(self) -> None:
        if not self._written.is_set():
            for task in filter(None, self._tasks):
                task.cancel()
        tasks = [task for task in (*self._tasks, self._pump.stop()) if task is not None]
        try:
            await self._runtime.wait_ended(tasks, self._settings.cleanup_timeout)
        finally:
            self._observation.close(self._outcome)
            self._free_slot()

    def _free_slot(self) -> None:
        if self._slot is not None:
            self._slot.free()
