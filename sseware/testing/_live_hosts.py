"""Where a real server runs: a thread of this process, or a process of its own that has such a thread."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import socket
import stat
import threading
import warnings
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from ._engine import Engine
from ._live_calls import Calls, LeakedCall, wait_for
from .errors import ServerFailed

__all__ = ["Host", "InProcess", "InThread"]

_TO_END: Final = 5.0
"""Seconds that a server has to end when nothing keeps it, and again after it was killed."""


class Host(Protocol):
    """What runs a server.

    Attributes:
        port: Where it listens.
        pid: The process that it runs in.
    """

    port: int
    pid: int

    def start(self, seconds: float) -> None:
        """Starts it, and waits until it answers.

        Raises:
            ServerFailed: It did not start.
        """

    def calls(self) -> int:
        """Returns how many requests are being answered."""
        ...

    def stop(self, seconds: float) -> list[LeakedCall]:
        """Ends it with all its connections; returns what did not end by itself in that time."""
        ...


class _Killed(BaseException):
    """Is raised in the thread of a server whose application lets nothing else run."""


class InThread:
    """A thread of this process."""

    def __init__(self, name: str, make: Callable[[Any], Engine], app: Any) -> None:
        self._name = name
        self._calls = Calls(app)
        self._engine = make(self._calls)
        self._ready = threading.Event()
        self._error: BaseException | None = None
        # A daemon: an application that blocks in C is left behind, and may not keep the interpreter from ending.
        self._thread = threading.Thread(target=self._run, name=f"sse_server {name}", daemon=True)
        self.pid = os.getpid()
        self.port = 0

    def _run(self) -> None:
        try:
            self._engine.run(self._ready.set)
        except _Killed:
            return
        except BaseException as exc:
            self._error = exc

    def start(self, seconds: float) -> None:
        self._thread.start()
        wait_for(lambda: self._ready.is_set() or not self._thread.is_alive(), seconds)
        self.port = self._engine.port
        # hypercorn on Trio serves an application whose lifespan says that it has failed.
        if self._ready.is_set() and self._calls.startup_failed is None:
            return
        ended = not self._thread.is_alive()
        self._end()
        cause = self._calls.startup_error or self._error
        if self._calls.startup_failed is not None:
            why = f"the application's startup failed: {self._calls.startup_failed}"
        elif ended:
            why = f"it ended: {cause!r}"
        else:
            why = f"it was not ready within {seconds:g} s"
        raise ServerFailed(f"{self._name} did not start; {why}") from cause

    def calls(self) -> int:
        return len(self._calls)

    def stop(self, seconds: float) -> list[LeakedCall]:
        # The clients leave first: what a server that stops does to an application is another question.
        hang_up(self.port)
        leaked = [] if self._calls.wait_none(seconds) else self._calls.running()
        self._engine.stop()
        hang_up(self.port)
        # Where nothing leaks it has nothing to wait for.
        self._thread.join(0 if leaked else _TO_END)
        self._end()
        return leaked

    def _end(self) -> None:
        """Ends the thread, whatever it does."""
        if self._thread.is_alive():
            self._engine.kill()
            self._thread.join(_TO_END / 4)
        if self._thread.is_alive():
            # The application blocks the event loop: nothing but an exception reaches it.
            ident = ctypes.c_ulong(self._thread.ident or 0)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(_Killed))
            self._thread.join(_TO_END / 2)


def hang_up(port: int) -> None:
    """Shuts down every connection that this process has accepted on a port, as if its client had left."""
    # Where there is no such list (Windows), clients have to leave by themselves.
    for name in os.listdir("/dev/fd") if os.path.isdir("/dev/fd") else ():
        with contextlib.suppress(OSError, ValueError):
            _hang_up(int(name), port)


def _hang_up(descriptor: int, port: int) -> None:
    if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        return
    with socket.socket(fileno=os.dup(descriptor)) as connection:
        if (
            connection.family not in (socket.AF_INET, socket.AF_INET6)
            or connection.type != socket.SOCK_STREAM
        ):
            return
        if connection.getsockname()[1] == port and connection.getpeername():
            connection.shutdown(socket.SHUT_RDWR)


class InProcess:
    """A process of its own, forked: the application may be any object, and what it changes is changed there."""

    def __init__(self, name: str, make: Callable[[Any], Engine], app: Any) -> None:
        self._name = name
        self._make = make
        self._app = app
        self.pid = 0
        self.port = 0

    def start(self, seconds: float) -> None:
        ours, theirs = socket.socketpair()
        # A thread of its own has no event loop that runs, which the child would inherit.
        forking = threading.Thread(target=self._fork, args=(ours, theirs, seconds))
        forking.start()
        forking.join()
        theirs.close()
        self._line = ours.makefile("rw", encoding="utf-8")
        ours.settimeout(seconds + _TO_END)
        ours.close()
        told = self._hear()
        if "port" not in told:
            self._kill()
            raise ServerFailed(told.get("error") or f"{self._name} did not start; its process ended")
        self.port = told["port"]

    def _fork(self, ours: socket.socket, theirs: socket.socket, seconds: float) -> None:
        with warnings.catch_warnings():
            # Python 3.12 warns of forks beside threads: the child uses none of what they may have locked.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid:
            self.pid = pid
            return
        # No coverage is written by a process that leaves by _exit, and it may not leave otherwise: it would run
        # what the parent has left to do.
        try:  # pragma: no cover
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            ours.close()
            self._serve_line(theirs.makefile("rw", encoding="utf-8"), seconds)
        finally:  # pragma: no cover
            os._exit(0)

    def _serve_line(self, line: Any, seconds: float) -> None:  # pragma: no cover - runs in the child only
        def say(**told: Any) -> None:
            line.write(json.dumps(told) + "\n")
            line.flush()

        # Made here: a fork ends every thread, those too that were not started.
        inside = InThread(self._name, self._make, self._app)
        try:
            inside.start(seconds)
        except ServerFailed as exc:
            say(error=str(exc))
            return
        say(port=inside.port)
        while asked := line.readline():
            request = json.loads(asked)
            if request["ask"] == "calls":
                say(calls=inside.calls())
            else:
                say(leaked=inside.stop(request["seconds"]))
                return

    def _ask(self, **request: Any) -> Mapping[str, Any]:
        try:
            self._line.write(json.dumps(request) + "\n")
            self._line.flush()
        except OSError:
            return {}
        return self._hear()

    def _hear(self) -> Mapping[str, Any]:
        try:
            told: Mapping[str, Any] = json.loads(self._line.readline() or "{}")
        except OSError:
            return {}
        return told

    def calls(self) -> int:
        return int(self._ask(ask="calls").get("calls", 0))

    def stop(self, seconds: float) -> list[LeakedCall]:
        told = self._ask(ask="stop", seconds=seconds)
        self._kill()
        if "leaked" not in told:
            return [(f"the process of {self._name}", ["it did not answer, and was killed"])]
        return [(name, places) for name, places in told["leaked"]]

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        with contextlib.suppress(OSError):  # it may hold what could not be said any more
            self._line.close()
