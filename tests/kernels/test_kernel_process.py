"""`sseware.kernels._process`: a group of processes, its pipes and its end."""

from __future__ import annotations

import asyncio
import errno
import os
import select
import signal
import time
from collections.abc import Callable

import anyio
import anyio.to_thread
import pytest

from sseware.kernels import _process
from sseware.kernels._process import STDERR, STDOUT, KernelProcess
from tests.kernels.patience import PATIENCE, given_time, wait_until

pytestmark = pytest.mark.anyio


@pytest.fixture
def last_words(monkeypatch: pytest.MonkeyPatch) -> float:
    """A shorter moment for what is left behind, in seconds."""
    monkeypatch.setattr(_process, "_LAST_WORDS", 0.08)
    return 0.08


def shell(script: str) -> KernelProcess:
    return KernelProcess(["sh", "-c", script])


async def receive_all(process: KernelProcess) -> list[tuple[str, bytes]]:
    received: list[tuple[str, bytes]] = []
    try:
        while chunk := await process.receive():
            received.append(chunk)
    finally:
        await process.aclose()
    return received


async def test_where_both_pipes_are_full_they_take_turns() -> None:
    process = shell("yes out & yes err >&2")
    sources: list[str] = []

    def both_have_something() -> bool:
        return len(select.select(list(process._pipes.values()), [], [], 0)[0]) == 2

    try:
        while len(sources) < 20:
            chunk = await process.receive()
            assert chunk is not None
            # Whatever was read is written again before the next read.
            await wait_until(both_have_something)
            sources.append(chunk[0])
    finally:
        await process.aclose()
    assert sources[-6:] in ([STDOUT, STDERR] * 3, [STDERR, STDOUT] * 3)


async def test_stdout_comes_first_where_both_have_something() -> None:
    process = shell("echo err >&2; echo out; exit 0")
    await anyio.to_thread.run_sync(os.waitid, os.P_PID, process._process.pid, os.WEXITED | os.WNOWAIT)
    assert await receive_all(process) == [(STDOUT, b"out\n"), (STDERR, b"err\n")]


async def test_a_process_that_closes_its_pipes_is_waited_for() -> None:
    process = shell("exec >&- 2>&-; sleep 0.1; exit 7")
    assert await receive_all(process) == []
    assert process.returncode == 7


async def test_a_wait_that_is_cancelled_loses_nothing() -> None:
    process = shell("for i in 1 2 3 4 5 6 7 8 9; do echo $i; sleep 0.01; done")
    received = b""
    try:
        for _ in range(10_000):
            with anyio.move_on_after(0.001):
                chunk = await process.receive()
                if chunk is None:
                    break
                received += chunk[1]
    finally:
        await process.aclose()
    assert received == b"1\n2\n3\n4\n5\n6\n7\n8\n9\n"


async def test_what_is_left_behind_gets_a_moment_for_its_last_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_process, "_LAST_WORDS", PATIENCE)
    process = shell("(sleep 0.05; echo late) & echo soon")
    assert b"".join(chunk for _, chunk in await receive_all(process)) == b"soon\nlate\n"


async def test_a_slow_reader_does_not_shorten_that_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    async def read_slowly(moment: float) -> None:
        monkeypatch.setattr(_process, "_LAST_WORDS", moment)
        process = shell("(sleep 0.02; yes | head -c 200000) & exit 0")
        size, paused = 0, 0.0
        try:
            while chunk := await process.receive():
                size += len(chunk[1])
                paused += moment / 2.5
                await anyio.sleep(moment / 2.5)
        finally:
            await process.aclose()
        assert size == 200000
        assert paused > moment

    await given_time(read_slowly, 0.25, 2, 10)


async def test_what_keeps_a_pipe_open_is_killed_after_that_moment(
    runs: Callable[[int], bool], last_words: float
) -> None:
    process = shell("sleep 1000 & echo $!")
    start = time.monotonic()
    ((_, pid),) = await receive_all(process)
    assert last_words <= time.monotonic() - start
    assert process.returncode == 0
    await wait_until(lambda: not runs(int(pid)))


async def test_what_floods_a_pipe_after_the_exit_does_not_go_on_for_ever(last_words: float) -> None:
    # Out of the group, so that no signal reaches it; it dies of SIGPIPE when the pipes are closed.
    process = KernelProcess(["sh", "-c", "setsid yes & sleep 0.01; exit 0"])
    with anyio.fail_after(PATIENCE):
        received = await receive_all(process)
    assert received
    assert process.returncode == 0


async def test_a_group_that_is_silent_after_the_exit_is_killed_at_once(
    runs: Callable[[int], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_process, "_LAST_WORDS", PATIENCE)
    process = shell("sleep 1000 >/dev/null 2>&1 & echo $!")
    start = time.monotonic()
    ((_, pid),) = await receive_all(process)
    assert time.monotonic() - start < PATIENCE
    await wait_until(lambda: not runs(int(pid)))


async def test_has_exited_tells_before_anybody_has_reaped_it() -> None:
    process = KernelProcess(["cat"], has_input=True)
    assert not process.has_exited()
    assert process.stdin is not None
    process.stdin.close()
    await wait_until(process.has_exited)
    assert process.returncode is None
    await process.aclose()
    assert process.has_exited()
    assert process.returncode == 0


async def test_to_ask_does_not_hide_the_exit_from_who_waits(last_words: float) -> None:
    process = shell("sleep 1000 & exit 0")
    await wait_until(process.has_exited)
    with anyio.fail_after(PATIENCE):
        assert await receive_all(process) == []
    assert process.returncode == 0


async def test_a_signal_after_the_end_reaches_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    process = shell("exit 0")
    await receive_all(process)
    monkeypatch.setattr(os, "killpg", lambda *_: pytest.fail("the number of the group is not ours any more"))
    process.signal(signal.SIGKILL)


async def test_kills_at_once() -> None:
    process = shell("trap '' TERM; echo ready; while :; do sleep 1000; done")
    await process.receive()
    with anyio.fail_after(PATIENCE):
        await process.aclose()
    assert process.returncode == -signal.SIGKILL


async def test_with_grace_a_process_may_end_by_itself() -> None:
    process = shell("trap 'exit 5' TERM; echo ready; while :; do sleep 0.01; done")
    await process.receive()
    await process.aclose(grace=PATIENCE)
    assert process.returncode == 5


async def test_in_its_grace_a_process_may_write_more_than_a_pipe_holds() -> None:
    process = shell("trap 'yes | head -c 300000; exit 5' TERM; echo ready; while :; do sleep 0.01; done")
    await process.receive()
    await process.aclose(grace=PATIENCE)
    assert process.returncode == 5


async def test_after_the_grace_nothing_helps() -> None:
    process = shell("trap '' TERM; echo ready; while :; do sleep 0.01; done")
    await process.receive()
    start = time.monotonic()
    await process.aclose(grace=0.1)
    assert 0.1 <= time.monotonic() - start < PATIENCE
    assert process.returncode == -signal.SIGKILL


async def test_a_cancelled_close_waits_until_the_process_is_reaped() -> None:
    process = shell("echo ready; exec sleep 1000")
    await process.receive()
    with anyio.CancelScope() as scope:
        scope.cancel()
        await process.aclose()
    assert process.returncode == -signal.SIGKILL


async def test_a_cancellation_does_not_leave_a_process_behind() -> None:
    process = shell("trap 'sleep 0.05; exit 5' TERM; echo ready; while :; do sleep 0.01; done")
    await process.receive()
    with anyio.CancelScope() as scope:
        scope.cancel()
        await process.aclose(grace=PATIENCE)
    assert process.returncode == 5


@pytest.mark.parametrize("cancellations", [1, 2, 3])
async def test_edges_of_cancellation_do_not_either(cancellations: int, anyio_backend_name: str) -> None:
    if anyio_backend_name != "asyncio":
        pytest.skip("only asyncio cancels by edges, which no shield holds off")
    process = shell("trap '' TERM; echo ready; while :; do sleep 0.01; done")
    await process.receive()
    task = asyncio.ensure_future(process.aclose(grace=PATIENCE))
    for _ in range(cancellations):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
    start = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - start < PATIENCE


async def test_a_process_that_survives_sigkill_is_left_to_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    # As one in an uninterruptible call: the signal takes its time.
    kill = os.killpg
    signals: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "killpg", lambda *signal: signals.append(signal))
    monkeypatch.setattr(_process, "_REAP", 0.01)
    process = shell("sleep 1000")
    with anyio.fail_after(PATIENCE):
        await process.aclose()
    assert process.returncode is None
    kill(*signals[-1])
    await wait_until(lambda: process.returncode == -signal.SIGKILL)


async def test_where_the_exit_cannot_be_watched_nothing_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(process: object) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(_process, "open_exit_descriptor", refuse)
    with pytest.raises(OSError, match="Too many open files"):
        shell("sleep 1000")


async def test_works_where_a_thread_watches_the_exit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "pidfd_open", raising=False)
    process = shell("echo hi; exit 3")
    assert await receive_all(process) == [(STDOUT, b"hi\n")]
    assert process.returncode == 3
