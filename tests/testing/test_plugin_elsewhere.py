"""The pytest plugin in the projects of others: beside other plugins, not used at all, switched off."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.testing.inner import TICKS

APPS = "import asyncio\nimport sys\n" + TICKS

USED = """
async def test_in_process(sse_connect, sse_client):
    async with sse_connect(ticks) as stream:
        assert [event.data for event in await stream.take(1)] == ["0"]
    async with sse_client(ticks) as client, client.stream("GET", "/") as response:
        assert await anext(response.aiter_lines()) == "data: 0"


@pytest.fixture
async def an_hour_before(MAYBE):
    await asyncio.sleep(3600)


async def test_virtual_time(sse_connect, sse_clock, an_hour_before):
    async with sse_connect(ticks) as stream:
        await stream.take(50)
        assert sse_clock.now() == 3649


async def test_real_time():
    assert type(asyncio.get_running_loop()).__name__ != "VirtualTimeLoop"


@pytest.mark.sse(server="daphne")
async def test_fails(sse_connect):
    async with sse_connect(ticks) as stream:
        await stream.next()
        assert stream.comments
"""


def run(directory: Path, test: str, *options: str, ini: str = "") -> subprocess.CompletedProcess[str]:
    """Runs pytest as another project does."""
    (directory / "pytest.ini").write_text(f"[pytest]\n{ini}\n")
    (directory / "test_it.py").write_text(APPS + test)
    # Those take seconds to load.
    quick = "no:hypothesispytest", "no:faker", "no:cacheprovider"
    left_out = [word for name in quick for word in ("-p", name)]
    command = [sys.executable, "-m", "pytest", *left_out, "--strict-markers", "-W", "error", *options]
    # What our own run has set is nothing of theirs.
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))
    }
    return subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def counts(done: subprocess.CompletedProcess[str]) -> dict[str, int]:
    last = done.stdout.strip().splitlines()[-1]
    return {
        name.rstrip("s"): int(count) for count, name in re.findall(r"(\d+) (passed|failed|errors?)", last)
    }


ASYNCIO = "asyncio_default_fixture_loop_scope = function\nasyncio_mode = "


@pytest.mark.parametrize(
    ("mark", "ini", "options"),
    [
        pytest.param("anyio", "", ["-p", "no:asyncio"], id="under-anyio"),
        pytest.param("asyncio", f"{ASYNCIO}strict", [], id="under-asyncio-strict"),
        pytest.param("", f"{ASYNCIO}auto", [], id="under-asyncio-auto"),
        pytest.param("asyncio", f"{ASYNCIO}strict", ["-n", "2"], id="under-xdist"),
    ],
)
def test_it_does_the_same_whoever_runs_the_tests(
    tmp_path: Path, mark: str, ini: str, options: list[str]
) -> None:
    test = USED
    if mark == "anyio":
        test = USED.replace("MAYBE", "anyio_backend") + (
            "\n\n@pytest.fixture\ndef anyio_backend():\n    return 'asyncio'\n\n\npytestmark = pytest.mark.anyio\n"
        )
    elif mark:
        strict = USED.replace("@pytest.fixture", "import pytest_asyncio\n\n\n@pytest_asyncio.fixture")
        test = f"{strict}\n\npytestmark = pytest.mark.asyncio\n"
    done = run(tmp_path, test.replace("MAYBE", ""), *options, ini=ini)
    assert counts(done) == {"passed": 3, "failed": 1}, done.stdout + done.stderr
    assert " SSE trace " in done.stdout
    assert "GET / on daphne: 200, 1 events, 0 comments, 1 chunks" in done.stdout


def test_a_loop_factory_that_a_test_has_chosen_is_left_to_it(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "import asyncio\n\ndef pytest_asyncio_loop_factories(config, item):\n"
        "    return {'mine': asyncio.SelectorEventLoop, 'other': asyncio.SelectorEventLoop}\n"
    )
    test = """
pytestmark = pytest.mark.asyncio


@pytest.mark.asyncio(loop_factories=["mine"])
async def test_chosen(sse_clock):
    with pytest.raises(Exception, match="time is real"):
        sse_clock.now()


async def test_not_chosen(sse_clock):
    assert sse_clock.now() == 0


async def test_others():
    assert type(asyncio.get_running_loop()) is asyncio.SelectorEventLoop
"""
    done = run(tmp_path, test, ini=f"{ASYNCIO}strict")
    assert counts(done) == {"passed": 4}, done.stdout


UNUSED = """
def test_nothing_of_it_is_there(request):
    assert [name for name in request.fixturenames if name.startswith(("sse", "_sse"))] == []
    loaded = {name for name in sys.modules if name.partition(".")[0] in ("sseware", "msgspec", "httpx", "starlette")}
    parts = {"sseware.testing._plugin_options", "sseware.testing._plugin_time"}
    assert loaded <= {"sseware", "sseware._lazy", "sseware.testing", "sseware.testing.plugin", *parts}
    assert "hypothesis" not in sys.modules
    print("POLICY", asyncio.get_event_loop_policy())


@pytest.mark.asyncio
async def test_the_loop_is_the_usual_one():
    print("LOOP", type(asyncio.get_running_loop()), sorted(sys.modules["anyio"].__dict__)[:3])


def test_a_failure_is_told_as_ever():
    left, right = [1, 2], [1, 3]
    assert left == right
"""


def test_installed_and_not_used_it_changes_nothing(tmp_path: Path) -> None:
    told = []
    for options in ([], ["-p", "no:sseware"]):
        done = run(tmp_path, UNUSED, "-v", "-s", *options, ini=f"{ASYNCIO}strict")
        assert counts(done) == {"passed": 2, "failed": 1}, done.stdout
        lines = done.stdout.splitlines()
        kept = [line for line in lines if not line.startswith(("sseware: ", "plugins: ", "===", "<asyncio"))]
        told.append([re.sub("0x[0-9a-f]+", "0x", line) for line in kept])
        assert any(line.startswith("sseware: ") for line in lines) is (not options)
    assert told[0] == told[1]


def test_switched_off_it_is_not_there(tmp_path: Path) -> None:
    test = "def test_it(sse_connect):\n    pass\n"
    off = "-p", "no:sseware", "-p", "no:asyncio"
    done = run(tmp_path, test, *off)
    assert counts(done) == {"error": 1}
    assert "fixture 'sse_connect' not found" in done.stdout
    done = run(tmp_path, test, *off, "--sse-server=uvicorn")
    assert "unrecognized arguments: --sse-server=uvicorn" in done.stderr


@pytest.mark.parametrize("plugin", ["anyio", "asyncio"])
def test_ctrl_c_within_a_stream_ends_the_run_at_once_and_leaves_nothing(tmp_path: Path, plugin: str) -> None:
    test = f"""
pytestmark = pytest.mark.{plugin}


async def deaf(scope, receive, send):
    await send(START)
    await send({{"type": "http.response.body", "body": b"data: 1\\n\\n", "more_body": True}})
    await asyncio.sleep(60)


@pytest.fixture
def anyio_backend():
    return "asyncio"


async def test_it(sse_connect):
    async with sse_connect(deaf, timeout=1) as stream:
        await stream.next()
        raise KeyboardInterrupt


def test_never():
    print("it ran")
"""
    done = run(tmp_path, test, ini=f"{ASYNCIO}strict")
    assert done.returncode == pytest.ExitCode.INTERRUPTED, done.stdout + done.stderr
    assert "KeyboardInterrupt" in done.stdout
    assert "it ran" not in done.stdout


def test_the_import_costs_next_to_nothing_and_loads_nothing(tmp_path: Path) -> None:
    code = """
import sys, time, pytest, importlib
before = set(sys.modules)
best = 1
for _ in range(20):
    for name in [name for name in sys.modules if name.startswith("sseware")]:
        del sys.modules[name]
    began = time.process_time()
    importlib.import_module("sseware.testing.plugin")
    best = min(best, time.process_time() - began)
print(best * 1000)
print(sorted(name for name in set(sys.modules) - before if not name.startswith("sseware")))
"""
    # Compiled once, as it is everywhere.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(tmp_path)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    milliseconds, others = done.stdout.splitlines()
    assert float(milliseconds) < 5
    assert others == "[]"
