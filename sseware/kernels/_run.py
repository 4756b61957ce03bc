"""One run of a kernel, as an async generator of items."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import TypeAlias

from ..errors import ConfigurationError
from ..items import Failure, Finish, Log, Text
from ._options import Input, KernelOptions
from ._output import Output
from ._process import KernelProcess
from ._tender import Tender

__all__ = ["KernelItem", "run"]

KernelItem: TypeAlias = Text | Log | Finish | Failure | bytes
"""What a run yields; ``bytes`` only at the end, where stdout ends inside a code point."""


def run(
    command: Sequence[str],
    *,
    input: Input = None,
    cwd: str | os.PathLike[str] | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float | None = 60.0,
    max_output: int | None = 16 * 2**20,
    secrets: Sequence[str] = (),
    kill_grace: float = 0.0,
) -> AsyncGenerator[KernelItem, None]:
    """Runs a process and streams what it writes; the result is a handler, or part of one.

    ``stdout`` comes as `Text` and ``stderr`` as `Log`, one item for one read, as the process flushes. Both
    are decoded as UTF-8: a code point that is split over reads stays whole, invalid bytes become U+FFFD. The
    last item tells how it ended:

    ======================================  ==================================================================
    it exited with code N                   ``Finish(ok=N == 0, exit_code=N)``
    a signal killed it                      ``Finish(False, None, {"error": "kernel killed by signal SIGTERM",
                                            "status": 500})``
    its time was up                         the same with ``"kernel timed out"`` and 504
    it could not be started                 the same with ``"failed to start kernel: spawn ./k.sh ENOENT"``
    it wrote more than ``max_output``       `Failure`, code ``"output_limit"``; the chunk that goes over is
                                            dropped whole
    ======================================  ==================================================================

    Where stdout ends inside a code point, its bytes come before that as ``bytes``: a stream has nothing to
    show for them, a buffered body has U+FFFD.

    The process leads a group of its own. When the generator ends, is closed or is cancelled, wherever it is,
    the whole group is killed, the process is reaped, and the pipes are closed. A run is over when its process
    exits: what it leaves in the background has a quarter of a second to write what it has to, and is killed.

    Nothing is read ahead: a process that writes faster than its output is asked for waits in its ``write``.
    The input is fed at the same time; a process need not read it. POSIX only.

    Args:
        command: The program and its arguments; there is no shell.
        input: What the process reads: bytes, a text (UTF-8), an async iterable of bytes, which is closed at
            the end and whose exception ends the run, or ``None`` for nothing.
        cwd: The directory to run in, or ``None`` for our own.
        env: The whole environment, or ``None`` for our own.
        timeout: Seconds from the start until the group is killed, or ``None``. (60 is HUSK's.)
        max_output: Bytes of stdout and stderr together after which the group is killed, or ``None``. (16 MiB
            is what a buffered answer may have.)
        secrets: Texts that become ``[redacted]`` in stderr, also where they are split over reads; the last
            ``max(len(secret)) - 1`` characters of stderr are therefore held back until more comes, or the
            end.
        kill_grace: Seconds between SIGTERM and SIGKILL where the process has to be killed; 0 kills at once,
            as HUSK does.

    Returns:
        An async generator; nothing is started before its first item is asked for.

    Raises:
        ConfigurationError: At once, where an option has a wrong type or value, or on Windows.
    """
    if not hasattr(os, "killpg"):
        raise ConfigurationError("sseware.kernels needs process groups, which only POSIX systems have")
    return _run(
        KernelOptions(
            command=command,
            input=input,
            cwd=cwd,
            env=env,
            timeout=timeout,
            max_output=max_output,
            secrets=secrets,
            kill_grace=kill_grace,
        )
    )


async def _run(options: KernelOptions) -> AsyncGenerator[KernelItem, None]:
    try:
        process = KernelProcess(
            options.command, cwd=options.cwd, env=options.env, has_input=options.input is not None
        )
    except OSError as error:
        yield _not_started(options, error)
        return
    tender = Tender(process, options.input, timeout=options.timeout, grace=options.kill_grace)
    output = Output(options.max_output, options.secrets)
    too_much = False
    try:
        tender.start()
        while received := await process.receive():
            source, chunk = received
            if too_much := not output.fits(chunk):
                break
            if item := output.take(source, chunk):
                yield item
    finally:
        tender.cancel()
        try:
            await process.aclose(options.kill_grace)
        finally:
            await tender.wait_closed()
    if tender.error is not None:
        raise tender.error
    for rest in output.close():
        yield rest
    yield _over_the_limit(options) if too_much else _ending(process, tender)


def _ending(process: KernelProcess, tender: Tender) -> Finish:
    if tender.timed_out:
        return _killed("kernel timed out", 504)
    code = process.returncode
    if code is not None and code < 0:
        return _killed(f"kernel killed by signal {_signal_name(-code)}", 500)
    return Finish(code == 0, code)


def _killed(error: str, status: int) -> Finish:
    return Finish(False, None, {"error": error, "status": status})


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        # Real-time signals have numbers only.
        return str(number)


def _not_started(options: KernelOptions, error: OSError) -> Finish:
    name = errno.errorcode.get(error.errno or 0, type(error).__name__)
    # What the child could not enter is its directory, not its program.
    where = " (cwd)" if options.cwd is not None and error.filename == os.fspath(options.cwd) else ""
    return _killed(f"failed to start kernel: spawn {options.command[0]} {name}{where}", 500)


def _over_the_limit(options: KernelOptions) -> Failure:
    message = f"output exceeded the {options.max_output}-byte stream limit; truncated"
    return Failure(message, code="output_limit", status=500)
