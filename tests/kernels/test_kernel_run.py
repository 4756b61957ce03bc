"""`sseware.kernels.run`: a process as a handler's source."""

from __future__ import annotations

import asyncio
import errno
import gc
import os
import signal
import sys
import time
import warnings
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import anyio
import pytest

from sseware.items import Failure, Finish, Log, Text
from sseware.kernels import KernelItem, run

pytestmark = pytest.mark.anyio


def shell(script: str, **options: Any) -> AsyncGenerator[KernelItem, None]:
    return run(["sh", "-c", script], **options)


def python(code: str, **options: Any) -> AsyncGenerator[KernelItem, None]:
    return run([sys.executable, "-c", code], **options)


async def collect(items: AsyncGenerator[KernelItem, None]) -> list[KernelItem]:
    async with aclosing(items):
        return [item async for item in items]


async def collect_in_turn(script: str, **options: Any) -> list[KernelItem]:
    """Runs a script each ``read`` of which waits until what was written before has come."""
    turns, lines = anyio.create_memory_object_stream[bytes](100)
    found: list[KernelItem] = []
    async with turns, aclosing(shell(script, input=lines, **options)) as items:
        async for item in items:
            found.append(item)
            with suppress(anyio.BrokenResourceError):
                turns.send_nowait(b"\n")
    return found


async def take_text(items: AsyncGenerator[KernelItem, None]) -> str:
    item = await anext(items)
    assert isinstance(item, Text)
    return item.text


def killed(error: str, status: int = 500) -> Finish:
    return Finish(False, None, {"error": error, "status": status})


@pytest.mark.parametrize(
    ("script", "want"),
    [
        pytest.param("printf HELLO", [Text("HELLO"), Finish()], id="text"),
        pytest.param("true", [Finish()], id="silence"),
        pytest.param("exit 255", [Finish(False, 255)], id="an-exit-code"),
        pytest.param(
            "printf partial; echo boom >&2; exit 3",
            [Text("partial"), Log("boom\n"), Finish(False, 3)],
            id="both-pipes-and-an-exit-code",
        ),
        pytest.param("printf '\\r50 %%\\r'", [Text("\r50 %\r"), Finish()], id="a-line-that-rewrites-itself"),
        pytest.param("printf 'a\\377\\0b'", [Text("a\ufffd\0b"), Finish()], id="binary"),
        pytest.param("printf 'ok \\342\\234'", [Text("ok "), b"\xe2\x9c", Finish()], id="an-unfinished-end"),
        pytest.param("printf '\\342\\234' >&2", [Finish()], id="an-unfinished-end-of-stderr"),
        pytest.param("kill -TERM $$", [killed("kernel killed by signal SIGTERM")], id="sigterm"),
        pytest.param("kill -KILL $$", [killed("kernel killed by signal SIGKILL")], id="kill-9"),
        pytest.param("kill -40 $$", [killed("kernel killed by signal 40")], id="a-signal-without-a-name"),
    ],
)
async def test_streams_what_a_process_writes_and_how_it_ends(script: str, want: list[KernelItem]) -> None:
    assert await collect(shell(script)) == want


async def test_a_code_point_that_is_written_byte_by_byte_stays_whole() -> None:
    items = await collect(
        python(
            "import os, time\n"
            "for byte in 'hé ✓ 😀'.encode():\n"
            "    os.write(1, bytes([byte]))\n"
            "    time.sleep(0.005)\n"
        )
    )
    # A busy machine may let two writes become one read; more than one there are, and no byte is lost.
    assert "".join(item.text for item in items if isinstance(item, Text)) == "hé ✓ 😀"
    assert len(items) > 2
    assert items[-1] == Finish()


async def test_chunks_come_when_they_are_flushed() -> None:
    async with aclosing(shell("for i in 1 2 3; do echo $i; sleep 0.06; done")) as items:
        timed = [(item, time.monotonic()) async for item in items]
    assert [item for item, _ in timed] == [Text("1\n"), Text("2\n"), Text("3\n"), Finish()]
    gaps = [later - sooner for (_, sooner), (_, later) in pairwise(timed)]
    assert all(0.05 < gap < 0.3 for gap in gaps)


async def test_a_secret_is_redacted_from_stderr_though_it_is_split_over_reads() -> None:
    script = "printf 'leak=hunter' >&2; sleep 0.05; echo ok; printf 2-and-more >&2"
    items = await collect(shell(script, secrets=["hunter2", "hunter2-and-more"]))
    assert items == [Text("ok\n"), Log("leak=[redacted]"), Finish()]


async def test_runs_in_a_directory_with_an_environment(tmp_path: Path) -> None:
    items = await collect(shell('pwd; echo "$A"', cwd=tmp_path, env={"A": "1", "PATH": os.environ["PATH"]}))
    assert "".join(i.text for i in items if isinstance(i, Text)) == f"{tmp_path}\n1\n"


# -- what cannot be started --


async def test_a_program_that_is_not_there() -> None:
    assert await collect(run(["./k.sh"])) == [killed("failed to start kernel: spawn ./k.sh ENOENT")]


async def test_a_program_that_may_not_be_run(tmp_path: Path) -> None:
    path = tmp_path / "k.sh"
    path.write_text("#!/bin/sh\n")
    assert await collect(run([str(path)])) == [killed(f"failed to start kernel: spawn {path} EACCES")]


async def test_a_program_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "k.sh"
    path.write_bytes(b"\x00\x01\x02\x03")
    path.chmod(0o755)
    assert await collect(run([str(path)])) == [killed(f"failed to start kernel: spawn {path} ENOEXEC")]


async def test_a_directory_that_is_not_there() -> None:
    items = await collect(run(["true"], cwd="/no/such/place"))
    assert items == [killed("failed to start kernel: spawn true ENOENT (cwd)")]


async def test_too_many_open_files(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(process: object) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr("sseware.kernels._process.open_exit_descriptor", refuse)
    assert await collect(run(["sleep", "1000"])) == [killed("failed to start kernel: spawn sleep EMFILE")]


# -- floods --


async def test_what_goes_over_the_limit_is_dropped_whole_and_the_group_killed() -> None:
    start = time.monotonic()
    items = await collect_in_turn("printf small; read turn; yes", max_output=50)
    assert time.monotonic() - start < 0.5
    message = "output exceeded the 50-byte stream limit; truncated"
    assert items == [Text("small"), Failure(message, code="output_limit", status=500)]


@pytest.mark.parametrize(
    ("limit", "last"),
    [
        pytest.param(6, Finish(), id="reached"),
        pytest.param(
            5,
            Failure("output exceeded the 5-byte stream limit; truncated", code="output_limit"),
            id="passed",
        ),
    ],
)
async def test_the_limit_counts_both_pipes(limit: int, last: KernelItem) -> None:
    items = await collect_in_turn("printf abc; read turn; printf def >&2", max_output=limit)
    assert items[-1] == last


async def test_what_is_held_back_of_stderr_comes_before_the_failure() -> None:
    items = await collect(shell("printf abc >&2; sleep 0.05; yes", max_output=50, secrets=["long secret"]))
    assert items[0] == Log("abc")
    assert isinstance(items[-1], Failure)


async def test_a_process_waits_for_its_reader(tmp_path: Path) -> None:
    progress = tmp_path / "progress"
    code = (
        "import os, sys\n"
        "file = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)\n"
        "while True:\n"
        "    os.write(1, b'x' * 65536)\n"
        "    os.write(file, b'.')\n"
    )
    async with aclosing(run([sys.executable, "-c", code, str(progress)], max_output=None)) as items:
        await anext(items)
        await anyio.sleep(0.2)
        # One has been read, one fills the pipe, one waits.
        assert progress.stat().st_size <= 3


async def test_a_flood_lets_the_event_loop_turn() -> None:
    turns = count = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            await anyio.lowlevel.checkpoint()
            turns += 1

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(turn)
        async with aclosing(shell("yes | head -c 5000000")) as items:
            count = len([item async for item in items])
        tasks.cancel_scope.cancel()
    assert count > 1
    assert turns >= count


async def test_both_pipes_are_read_however_much_there_is() -> None:
    items = await collect(shell("yes | head -c 1000000 & yes | head -c 1000000 >&2; wait"))
    assert sum(len(i.text) for i in items if isinstance(i, Text)) == 1_000_000
    assert sum(len(i.text) for i in items if isinstance(i, Log)) == 1_000_000


# -- nothing stays behind --

IGNORES_SIGTERM = (
    "trap '' TERM; (trap '' TERM; while :; do sleep 1; done) & echo $$ $!; while :; do sleep 1; done"
)


async def test_closing_kills_the_group_within_100_ms(runs: Callable[[int], bool]) -> None:
    items = shell(IGNORES_SIGTERM)
    pids = [int(pid) for pid in (await take_text(items)).split()]
    assert len(pids) == 2
    assert all(map(runs, pids))
    start = time.monotonic()
    await items.aclose()
    await wait_until(lambda: not any(map(runs, pids)))
    assert time.monotonic() - start < 0.1


async def test_a_cancelled_wait_kills_the_group_within_100_ms(runs: Callable[[int], bool]) -> None:
    items = shell(IGNORES_SIGTERM)
    pids = [int(pid) for pid in (await take_text(items)).split()]
    cancelled_at = 0.0
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(take_text, items)
        await anyio.sleep(0.02)
        cancelled_at = time.monotonic()
        tasks.cancel_scope.cancel()
    await wait_until(lambda: not any(map(runs, pids)))
    assert time.monotonic() - cancelled_at < 0.1


async def test_an_edge_of_cancellation_does_so_too(
    runs: Callable[[int], bool], anyio_backend_name: str
) -> None:
    if anyio_backend_name != "asyncio":
        pytest.skip("only asyncio cancels by edges")
    items = shell(IGNORES_SIGTERM)
    pids = [int(pid) for pid in (await take_text(items)).split()]
    task = asyncio.ensure_future(collect(items))
    await asyncio.sleep(0.02)
    start = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await wait_until(lambda: not any(map(runs, pids)))
    assert time.monotonic() - start < 0.1


@pytest.mark.parametrize("after", [0, 1, 2, 3])
async def test_a_cancellation_at_any_step_of_a_run_leaves_nothing(after: int) -> None:
    # no_trace does the looking.
    with anyio.CancelScope() as scope:
        async with aclosing(shell("echo 1; echo 2 >&2; sleep 0.01; echo 3; sleep 1000", input="x")) as items:
            if not after:
                scope.cancel()
            async for _ in items:
                after -= 1
                if after <= 0:
                    scope.cancel()
    assert scope.cancelled_caught


async def test_what_the_consumer_raises_ends_the_run(runs: Callable[[int], bool]) -> None:
    pid = 0
    with pytest.raises(ZeroDivisionError):
        async with aclosing(shell("echo $$; exec sleep 1000")) as items:
            async for item in items:
                assert isinstance(item, Text)
                pid = int(item.text)
                raise ZeroDivisionError
    assert not runs(pid)


async def test_what_was_never_started_is_closed_without_a_trace() -> None:
    await shell("sleep 1000").aclose()


async def test_what_was_forgotten_is_killed_as_well(
    runs: Callable[[int], bool], anyio_backend_name: str
) -> None:
    items = shell("echo $$; exec sleep 1000")
    pid = int(await take_text(items))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # Trio's, about the forgotten generator
        del items
        gc.collect()
        await wait_until(lambda: not runs(pid))


async def test_a_process_in_the_background_is_killed_when_its_run_ends(runs: Callable[[int], bool]) -> None:
    items = await collect(shell("sleep 1000 >/dev/null 2>&1 & echo $!"))
    assert items[-1] == Finish()
    assert isinstance(items[0], Text)
    pid = int(items[0].text)
    await wait_until(lambda: not runs(pid))


async def test_with_grace_a_process_that_is_closed_may_clean_up(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    items = shell(
        f"trap 'echo clean > {mark}; exit 0' TERM; echo ready; while :; do sleep 0.01; done", kill_grace=5
    )
    assert await take_text(items) == "ready\n"
    await items.aclose()
    assert mark.read_text() == "clean\n"


async def test_a_process_that_is_killed_from_outside_is_told_and_reaped(runs: Callable[[int], bool]) -> None:
    items = shell("echo $$; exec sleep 1000")
    pid = int(await take_text(items))
    os.kill(pid, signal.SIGKILL)
    assert await collect(items) == [killed("kernel killed by signal SIGKILL")]
    with pytest.raises(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


async def test_nothing_is_open_where_it_yields() -> None:
    # Each step in a scope of its own, each in a task of its own: PEP 789.
    items = shell("echo 1; sleep 0.02; echo 2; sleep 0.02; echo 3", input="x")
    seen: list[KernelItem] = []

    async def step() -> None:
        with anyio.fail_after(5):
            seen.append(await anext(items))

    for _ in range(3):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(step)

    async def close() -> None:
        await items.aclose()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(close)
    assert seen == [Text("1\n"), Text("2\n"), Text("3\n")]


async def test_a_timeout_around_each_step_does_not_reach_the_next() -> None:
    items = shell("for i in 1 2 3; do echo $i; sleep 0.02; done")
    seen: list[KernelItem] = []
    async with aclosing(items):
        while not seen or seen[-1] != Finish():
            with anyio.move_on_after(5) as scope:
                seen.append(await anext(items))
            scope.cancel()
    assert seen == [Text("1\n"), Text("2\n"), Text("3\n"), Finish()]


async def test_many_at_once_do_not_mix() -> None:
    results: dict[int, list[KernelItem]] = {}

    async def one(number: int) -> None:
        results[number] = await collect(shell(f"cat; echo {number} >&2; exit {number}", input=str(number)))

    async with anyio.create_task_group() as tasks:
        for number in range(1, 21):
            tasks.start_soon(one, number)
    for number, items in results.items():
        assert items == [Text(str(number)), Log(f"{number}\n"), Finish(False, number)]
    assert len(results) == 20


async def wait_until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(5):
        while not condition():
            await anyio.sleep(0.002)
