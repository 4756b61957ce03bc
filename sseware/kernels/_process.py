"""A process in a group of its own: its pipes, its exit, its end."""

from __future__ import annotations

import math
import os
import selectors
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from typing import IO, Final, Literal, TypeAlias, cast

import anyio

from ._exit import open_exit_descriptor

__all__ = ["STDERR", "STDOUT", "KernelProcess", "Source"]

Source: TypeAlias = Literal["stdout", "stderr"]
STDOUT: Final = "stdout"
STDERR: Final = "stderr"
_EXIT: Final = "exit"

_READ_SIZE: Final = 65536
"""Bytes that a pipe holds on Linux, so that one read empties it."""

_LAST_WORDS: Final = 0.25
"""Seconds that the rest of a group may still write after its leader's exit, as ``tee`` does behind a
shell."""

_REAP: Final = 5.0
"""Seconds until a process that survives SIGKILL (in an uninterruptible call) is left to a thread."""


class KernelProcess:
    """A running process; one task reads and closes it.

    Its pipes and its exit are registered with one selector, whose own descriptor the event loop watches.

    Raises:
        OSError: It could not be started; nothing is left open.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        cwd: str | os.PathLike[str] | None = None,
        env: Mapping[str, str] | None = None,
        has_input: bool = False,
    ) -> None:
        self._pipes: dict[Source, IO[bytes]] = {}
        self._ready: deque[Source] = deque()
        self._patience = math.inf
        self._looked_last = False
        self._reaped = False
        with ExitStack() as undo:
            self._selector = undo.enter_context(selectors.DefaultSelector())
            # The fork is the event loop's own time, as it is in asyncio: a millisecond (Linux has vfork), and
            # a thread in between could lose the process to a cancellation.
            self._process = undo.enter_context(
                subprocess.Popen(  # noqa: S603 - there is no shell
                    command,
                    stdin=subprocess.PIPE if has_input else subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    bufsize=0,
                    cwd=cwd,
                    env=env,
                    start_new_session=True,
                )
            )
            undo.callback(self.signal, signal.SIGKILL)
            self._exit = open_exit_descriptor(self._process)
            undo.callback(os.close, self._exit)
            self._selector.register(self._exit, selectors.EVENT_READ, _EXIT)
            if self._process.stdin is not None:
                os.set_blocking(self._process.stdin.fileno(), False)
            self._watch(STDOUT, self._process.stdout)
            self._watch(STDERR, self._process.stderr)
            undo.pop_all()

    def _watch(self, source: Source, pipe: IO[bytes] | None) -> None:
        opened = cast("IO[bytes]", pipe)  # it was asked for
        os.set_blocking(opened.fileno(), False)
        self._selector.register(opened, selectors.EVENT_READ, source)
        self._pipes[source] = opened

    @property
    def stdin(self) -> IO[bytes] | None:
        """The pipe to its stdin, where it has input."""
        return self._process.stdin

    @property
    def returncode(self) -> int | None:
        """The exit code, or the negative number of a signal; ``None`` before `aclose`."""
        return self._process.returncode

    def has_exited(self) -> bool:
        """Tells whether it has exited by now; whoever waits in `receive` still learns it there."""
        if self._reaped or self._patience < math.inf:
            return True
        return any(key.data is _EXIT for key, _ in self._selector.select(0))

    def signal(self, number: int) -> None:
        """Sends a signal to the whole group, while there is one."""
        # Until its leader is reaped, which comes last, the number of the group cannot be another's.
        if not self._reaped:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)

    async def receive(self) -> tuple[Source, bytes] | None:
        """Waits for the next chunk: what one read returns, as soon as there is something to read.

        Where both pipes have something they take turns, stdout first.

        Returns:
            Where it comes from, and its bytes; ``None`` once the process has exited and has nothing more to
            say.
        """
        while True:
            while self._ready:
                source = self._ready.popleft()
                if chunk := self._read(source):
                    return source, chunk
            if not await self._wait():
                return None

    async def _wait(self) -> bool:
        """Waits until there is something to do; tells whether there can be."""
        if self._patience < math.inf and (not self._pipes or self._looked_last):
            return False
        started = anyio.current_time()
        with anyio.CancelScope(deadline=started + self._patience):
            await anyio.wait_readable(self._selector.fileno())
        # Only the time that is waited counts, not that in which nobody asks.
        self._patience -= anyio.current_time() - started
        self._look()
        if self._patience <= 0:
            # Somebody still holds a pipe. One more read of each finds all that a pipe can hold, and is the
            # last.
            self.signal(signal.SIGKILL)
            self._ready = deque(self._pipes)
            self._looked_last = True
        return True

    def _look(self) -> None:
        found = {key.data for key, _ in self._selector.select(0)}
        if _EXIT in found:
            self._selector.unregister(self._exit)
            self._patience = _LAST_WORDS
        self._ready.extend(source for source in self._pipes if source in found)

    def _read(self, source: Source) -> bytes:
        pipe = self._pipes[source]
        try:
            chunk = os.read(pipe.fileno(), _READ_SIZE)
        except BlockingIOError:
            return b""
        if not chunk:
            self._drop(source)
        return chunk

    def _drop(self, source: Source) -> None:
        pipe = self._pipes.pop(source)
        self._selector.unregister(pipe)
        pipe.close()

    async def aclose(self, grace: float = 0.0) -> None:
        """Kills what is left of the group, reaps the process and closes the pipes, cancelled or not.

        Args:
            grace: Seconds between SIGTERM and SIGKILL, where there is somebody left. What is written in that
                time is thrown away: with a full or a broken pipe nobody could end as they want to.
        """
        try:
            if grace > 0:
                self.signal(signal.SIGTERM)
                with anyio.move_on_after(grace, shield=True):
                    while await self.receive():
                        pass
        finally:
            # The signal comes before anything that awaits: also where no event loop is left to await with.
            self.signal(signal.SIGKILL)
            try:
                with anyio.move_on_after(_REAP, shield=True):
                    await anyio.wait_readable(self._exit)
            finally:
                self._release()

    def _release(self) -> None:
        for source in list(self._pipes):
            self._drop(source)
        self._selector.close()
        os.close(self._exit)
        self._reaped = True
        if self._process.poll() is None:
            # A second cancellation on asyncio cuts even a shielded wait short.
            threading.Thread(target=self._process.wait, name="sseware reaper", daemon=True).start()
