"""What goes on with a kernel while nobody asks for its output: its input and its clock."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import suppress
from functools import partial
from typing import IO, Any, Final

import anyio

from ..asgi._runtime import Task, Timer, current_runtime
from ..errors import ConfigurationError
from ._options import Input
from ._process import KernelProcess

__all__ = ["Tender"]

_CLEANUP: Final = 5.0
"""Seconds that the iterator of an input has to end; as long as a handler has by default."""


class Tender:
    """Feeds a kernel, and kills it when its time is up.

    A pipe holds 64 KiB: a kernel that writes while it reads comes to a halt unless both go on side by side. So
    the input has a task of its own. It is nobody's child, because no task group may stay open where a generator
    yields (PEP 789); the end of the run is its end.

    Attributes:
        timed_out: Whether the kernel was killed because its time was up.
        error: What the input raised, for which the kernel was killed.
    """

    def __init__(self, process: KernelProcess, given: Input, *, timeout: float | None, grace: float) -> None:
        self._process = process
        self._stdin = process.stdin
        self._input = given
        self._timeout = timeout
        self._grace = grace
        self._feeding: Task | None = None
        self._timers: list[Timer] = []
        self.timed_out = False
        self.error: Exception | None = None

    def start(self) -> None:
        """Starts what there is to do."""
        runtime = current_runtime()
        if self._timeout is not None:
            self._timers.append(runtime.call_later(self._timeout, self._time_is_up))
        if self._stdin is not None:
            self._feeding = runtime.spawn(partial(self._feed, self._stdin), "sseware kernel")

    def cancel(self) -> None:
        """Stops the clock, and asks the input to end."""
        for timer in self._timers:
            timer.cancel()
        if self._feeding is not None:
            self._feeding.cancel()

    async def wait_closed(self) -> None:
        """Waits for the end of the input and closes stdin, cancelled or not."""
        try:
            if self._feeding is not None:
                await current_runtime().wait_ended([self._feeding], _CLEANUP)
        finally:
            # A task that is cancelled before its first step has closed nothing.
            if self._stdin is not None:
                self._stdin.close()

    def _time_is_up(self) -> None:
        # It may have ended in time, and its output wait for a slow reader.
        self.timed_out = not self._process.has_exited()
        self._kill()

    def _kill(self) -> None:
        """Kills the group; whoever reads its pipes will notice."""
        if self._grace > 0:
            self._process.signal(signal.SIGTERM)
            kill = current_runtime().call_later(self._grace, lambda: self._process.signal(signal.SIGKILL))
            self._timers.append(kill)
        else:
            self._process.signal(signal.SIGKILL)

    async def _feed(self, stdin: IO[bytes]) -> None:
        try:
            await _write_all(stdin, _chunks(self._input))
        except Exception as error:
            self.error = error
            self._kill()


def _chunks(given: Input) -> AsyncIterator[Any]:
    if isinstance(given, AsyncIterable):
        return aiter(given)
    return _whole(given.encode() if isinstance(given, str) else given)


async def _whole(given: object) -> AsyncIterator[object]:
    yield given


async def _write_all(stdin: IO[bytes], chunks: AsyncIterator[Any]) -> None:
    try:
        # A kernel need not read its input, nor to the end.
        with stdin, suppress(BrokenPipeError):
            async for chunk in chunks:
                await _write(stdin.fileno(), chunk)
    finally:
        close = getattr(chunks, "aclose", None)
        if close is not None:
            with anyio.move_on_after(_CLEANUP, shield=True):
                await close()


async def _write(descriptor: int, chunk: object) -> None:
    if not isinstance(chunk, bytes | bytearray | memoryview):
        raise ConfigurationError(f"the input of a kernel must yield bytes, got {chunk!r}")
    # The copy (none of bytes) makes any memoryview one of single bytes.
    left = memoryview(bytes(chunk))
    while left:
        await anyio.wait_writable(descriptor)
        with suppress(BlockingIOError):
            left = left[os.write(descriptor, left) :]
