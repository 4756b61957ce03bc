"""`sseware.kernels.run`: a process as a handler's source."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import anyio
import pytest

from sseware.items import Failure, Finish, Log, Text
from sseware.kernels import KernelItem, run
from tests.kernels.patience import PATIENCE, in_turn

pytestmark = pytest.mark.anyio


def shell(script: str, **options: Any) -> AsyncGenerator[KernelItem, None]:
    return run(["sh", "-c", script], **options)


def python(code: str, **options: Any) -> AsyncGenerator[KernelItem, None]:
    return run([sys.executable, "-c", code], **options)


async def collect(items: AsyncGenerator[KernelItem, None]) -> list[KernelItem]:
    async with aclosing(items):
        return [item async for item in items]


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
    """D6."""
    assert await collect(shell(script)) == want


async def test_a_code_point_that_is_written_byte_by_byte_stays_whole() -> None:
    """D5."""
    items = await collect(
        python(
            "import fcntl, os, termios, time\n"
            "for byte in 'hé ✓ 😀'.encode():\n"
            "    os.write(1, bytes([byte]))\n"
            "    while any(fcntl.ioctl(1, termios.FIONREAD, bytes(4))):  # until it has been read\n"
            "        time.sleep(0.001)\n"
        )
    )
    assert items == [*map(Text, "hé ✓ 😀"), Finish()]


async def test_chunks_come_when_they_are_flushed() -> None:
    with anyio.fail_after(PATIENCE):  # held back, they would never come: the process waits for its reader
        items = await collect(in_turn("for i in 1 2 3; do echo $i; read turn; done"))
    assert items == [Text("1\n"), Text("2\n"), Text("3\n"), Finish()]


async def test_a_secret_is_redacted_from_stderr_though_it_is_split_over_reads() -> None:
    script = "printf 'leak=hunter' >&2; sleep 0.05; echo ok; printf 2-and-more >&2"
    items = await collect(shell(script, secrets=["hunter2", "hunter2-and-more"]))
    assert items == [Text("ok\n"), Log("leak=[redacted]"), Finish()]


async def test_runs_in_a_directory_with_an_environment(tmp_path: Path) -> None:
    items = await collect(shell('pwd; echo "$A"', cwd=tmp_path, env={"A": "1", "PATH": os.environ["PATH"]}))
    assert "".join(i.text for i in items if isinstance(i, Text)) == f"{tmp_path}\n1\n"


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


async def test_what_goes_over_the_limit_is_dropped_whole_and_the_group_killed() -> None:
    with anyio.fail_after(PATIENCE):
        items = await collect(in_turn("printf small; read turn; yes", max_output=50))
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
    items = await collect(in_turn("printf abc; read turn; printf def >&2", max_output=limit))
    assert items[-1] == last


async def test_what_is_held_back_of_stderr_comes_before_the_failure() -> None:
    script = "printf abc >&2; printf x; read turn; yes"
    text, log, failure = await collect(in_turn(script, max_output=50, secrets=["long secret"]))
    assert (text, log) == (Text("x"), Log("abc"))
    assert isinstance(failure, Failure)


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
    """D6."""
    items = await collect(shell("yes | head -c 1000000 & yes | head -c 1000000 >&2; wait"))
    assert sum(len(i.text) for i in items if isinstance(i, Text)) == 1_000_000
    assert sum(len(i.text) for i in items if isinstance(i, Log)) == 1_000_000


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
