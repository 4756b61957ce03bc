"""The exit of a process as a descriptor that becomes readable."""

from __future__ import annotations

import os
import subprocess
import threading

__all__ = ["open_exit_descriptor"]


def open_exit_descriptor(process: subprocess.Popen[bytes]) -> int:
    """Opens a descriptor that is readable from when the process has exited, which does not reap it.

    Linux has one for every process, but for old kernels and some sandboxes; elsewhere a thread waits.

    Raises:
        OSError: There are too many open files.
    """
    try:
        return os.pidfd_open(process.pid)
    except (AttributeError, OSError):
        pass
    readable, writable = os.pipe()
    thread = threading.Thread(
        target=_close_after_exit, args=(process, writable), name="sseware kernel", daemon=True
    )
    thread.start()
    return readable


def _close_after_exit(process: subprocess.Popen[bytes], writable: int) -> None:
    try:
        # The process stays a zombie, so that the number of its group is not given to another.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    except (AttributeError, OSError):
        # Not every platform can wait without reaping (macOS before Python 3.13).
        process.wait()
    finally:
        os.close(writable)
