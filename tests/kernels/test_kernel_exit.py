"""`sseware.kernels._exit`: the exit of a process, as something that becomes readable."""

from __future__ import annotations

import errno
import os
import select
import subprocess
from collections.abc import Iterator

import pytest

from sseware.kernels._exit import open_exit_descriptor


@pytest.fixture
def cat() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        yield process


def is_readable(descriptor: int, seconds: float) -> bool:
    return bool(select.select([descriptor], [], [], seconds)[0])


WITHOUT = [
    pytest.param([], id="pidfd"),
    pytest.param(["pidfd_open"], id="without-pidfd"),
    pytest.param(["pidfd_open", "waitid"], id="without-pidfd-and-waitid"),
]


@pytest.mark.parametrize("without", WITHOUT)
def test_is_readable_from_the_exit_on(
    without: list[str], cat: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in without:
        monkeypatch.delattr(os, name, raising=False)
    descriptor = open_exit_descriptor(cat)
    try:
        assert not is_readable(descriptor, 0)
        cat.kill()
        assert is_readable(descriptor, 5)
        assert is_readable(descriptor, 0)
        assert cat.wait() == -9
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("without", WITHOUT[:2])
def test_the_process_is_not_reaped(
    without: list[str], cat: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in without:
        monkeypatch.delattr(os, name, raising=False)
    descriptor = open_exit_descriptor(cat)
    try:
        cat.kill()
        assert is_readable(descriptor, 5)
        assert cat.returncode is None
        os.killpg(cat.pid, 0) if os.getpgid(cat.pid) == cat.pid else os.kill(cat.pid, 0)
    finally:
        os.close(descriptor)


def test_a_kernel_that_knows_no_pidfd_is_no_obstacle(
    cat: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(pid: int) -> int:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(os, "pidfd_open", refuse, raising=False)
    descriptor = open_exit_descriptor(cat)
    try:
        cat.kill()
        assert is_readable(descriptor, 5)
    finally:
        os.close(descriptor)
