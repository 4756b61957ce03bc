"""Real processes: every test here starts some, and none may leave a trace of them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.traces import children, descriptors

BACKENDS = [
    pytest.param(("asyncio", {"use_uvloop": False}), id="asyncio"),
    pytest.param(("asyncio", {"use_uvloop": True}), id="uvloop"),
    pytest.param(("trio", {}), id="trio"),
]


@pytest.fixture(params=BACKENDS)
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    """Every event loop there is: each has its own way to watch a descriptor."""
    name, options = request.param
    if options.get("use_uvloop") and find_spec("uvloop") is None:
        pytest.skip("uvloop is not installed")
    return name, options


def _traces() -> tuple[set[str], set[str]]:
    return descriptors(), children()


@pytest.fixture(scope="session")
def warm() -> None:
    """Lets libuv open the pipe for signals that a process keeps from its first loop on."""
    if find_spec("uvloop") is not None:
        anyio.run(anyio.sleep, 0, backend_options={"use_uvloop": True})


@pytest.fixture(autouse=True)
def no_trace(warm: None) -> Iterator[None]:
    """Fails a test that leaves an open descriptor, a running process or a zombie."""
    if not Path("/proc/self/fd").is_dir():
        yield
        return
    before = _traces()
    yield
    until = time.monotonic() + 30  # what a thread reaps is gone a moment later
    while any(left := [now - then for now, then in zip(_traces(), before, strict=True)]):
        if time.monotonic() > until:
            pytest.fail(f"left behind: descriptors {left[0]}, processes {left[1]}")
        time.sleep(0.01)


@pytest.fixture
def runs() -> Callable[[int], bool]:
    """Tells whether a process runs; a zombie does not, nor one that somebody else has reaped."""

    def is_running(pid: int) -> bool:
        try:
            status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
        except FileNotFoundError:
            return False
        return status.rpartition(")")[2].split()[0] not in {"Z", "X"}

    if not Path("/proc/self/stat").exists():  # without /proc there are signals; zombies do not count there
        return lambda pid: not _fails(os.kill, pid, 0)
    return is_running


def _fails(function: Callable[..., object], *args: object) -> bool:
    try:
        function(*args)
    except OSError:
        return True
    return False
