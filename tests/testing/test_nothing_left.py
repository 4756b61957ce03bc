"""A test that fails or is interrupted leaves nothing behind: no descriptor, no thread, no task, no process."""

from __future__ import annotations

import asyncio
import gc
import os
import re
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from _pytest.pytester import SysModulesSnapshot

from tests.testing.inner import TICKS
from tests.traces import children, descriptors

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="there is no /proc")

BEGINNING = (
    "import socket\nfrom sseware.testing import cancel_everywhere, fault_proxy, lifespan\n"
    + TICKS
    + """
ASKS = b"GET / HTTP/1.1\\r\\nhost: localhost\\r\\n\\r\\n"


async def started(scope, receive, send):
    if scope["type"] == "http":
        return await ticks(scope, receive, send)
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


async def leaky(scope, receive, send):
    await send(START)
    await send({"type": "http.response.body", "body": b"data: 1\\n\\n", "more_body": True})
    await anyio.sleep_forever()


def ask(address):
    client = socket.create_connection(address, 30)
    client.sendall(ASKS)
    return client


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


"""
)
TESTS = {
    "connect": """
@pytest.mark.anyio
async def test_it(sse_connect):
    async with sse_connect(ticks) as stream, sse_connect(ticks) as other:
        await stream.next()
        raise FAILURE
""",
    "connect-and-a-leak": """
@pytest.mark.anyio
async def test_it(sse_connect, sse_clock):
    async with sse_connect(leaky) as stream:
        await stream.next()
        raise FAILURE
""",
    "lifespan": """
@pytest.mark.anyio
async def test_it(sse_connect):
    async with lifespan(started) as app, sse_connect(app) as stream:
        await stream.next()
        raise FAILURE
""",
    "client": """
@pytest.mark.anyio
async def test_it(sse_client):
    async with sse_client(ticks) as client, client.stream("GET", "/") as response:
        assert response.status_code == 200
        raise FAILURE
""",
    "server": """
def test_it(sse_server):
    with sse_server(ticks) as server, ask(server.address) as client:
        assert client.recv(10)
        raise FAILURE
""",
    "server-and-a-leak": """
def test_it(sse_server):
    with sse_server(leaky, timeout=0.2) as server, ask(server.address) as client:
        assert client.recv(10)
        raise FAILURE
""",
    "server-in-an-async-test": """
@pytest.mark.anyio
async def test_it(sse_server):
    async with sse_server(ticks) as server, fault_proxy(server.address) as proxy:
        with ask(proxy.address) as client:
            assert await anyio.to_thread.run_sync(client.recv, 10)
            raise FAILURE
""",
    "wire-server": """
def test_it(sse_wire_server):
    with sse_wire_server() as server, ask(server.address) as client:
        server.accept().send(b"x")
        assert client.recv(10)
        raise FAILURE
""",
    "wire-server-whose-script-waits": """
def test_it(sse_wire_server):
    with sse_wire_server(lambda connection: connection.wait_closed(0.2)) as server, ask(server.address):
        raise FAILURE
""",
    "proxy": """
def test_it(sse_server):
    with sse_server(ticks) as server, fault_proxy(server.address) as proxy, ask(proxy.address) as client:
        assert client.recv(10)
        raise FAILURE
""",
    "proxy-to-nobody": """
def test_it():
    with socket.create_server(("127.0.0.1", 0)) as gone:
        address = gone.getsockname()
    with fault_proxy(address) as proxy:
        try:
            ask(proxy.address).close()
        except OSError:
            pass
        raise FAILURE
""",
}
FAILURES = {"failure": "AssertionError('on purpose')", "interrupt": "KeyboardInterrupt"}


def interrupted(test: str) -> str:
    """Makes a test of one that is interrupted; for pytest that would be the end of all of them."""
    wait, name, arguments = re.findall(r"(async |)def (test_it)\((.*)\)", test)[0]
    mark = "@pytest.mark.anyio\n" if wait else ""
    return (
        test.replace(name, "body").replace("@pytest.mark.anyio\n", "")
        + f"\n\n{mark}{wait}def {name}({arguments}):\n"
        + f"    with pytest.raises(KeyboardInterrupt):\n        {'await ' * bool(wait)}body({arguments})\n"
    )


@pytest.fixture(autouse=True)
def modules_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps what an inner run imports: pytester forgets it, and there would be two of each class."""
    monkeypatch.setattr(SysModulesSnapshot, "restore", lambda _: sys.modules.pop("test_it", None))


def threads() -> set[str]:
    # Trio keeps its idle workers for ten seconds, whoever asked for them.
    names = (f"{thread.name} {thread.ident}" for thread in threading.enumerate())
    return {name for name in names if "Trio" not in name and "trio" not in name}


def tasks() -> set[str]:
    """The tasks of asyncio that nobody has ended, whatever has become of their event loop."""
    # Not `isinstance`, which asks the object: Django's lazy ones would have to make themselves.
    every = (each for each in gc.get_objects() if issubclass(type(each), asyncio.Task))
    return {repr(task.get_name()) for task in every if not task.done()}


KINDS: tuple[Callable[[], set[str]], ...] = (descriptors, threads, tasks, children)


def left_since(before: list[set[str]]) -> list[set[str]]:
    """What is there that was not; what ends in a thread of its own has a moment to do so."""
    end = time.monotonic() + 10
    while True:
        left = [kind() - then for kind, then in zip(KINDS, before, strict=True)]
        if not any(left) or time.monotonic() > end:
            return left
        time.sleep(0.01)


@pytest.mark.parametrize("how", FAILURES)
@pytest.mark.parametrize("name", TESTS)
def test_a_test_that_fails_or_is_interrupted_leaves_nothing_behind(
    pytester: pytest.Pytester, name: str, how: str
) -> None:
    """T7."""
    is_async = "async def test_it" in TESTS[name]
    test = TESTS[name].replace("FAILURE", FAILURES[how])
    pytester.makepyfile(test_it=BEGINNING + (interrupted(test) if how == "interrupt" else test))

    def run() -> None:
        result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:asyncio")
        if how == "interrupt":
            result.assert_outcomes(passed=1 + is_async)
            return
        result.assert_outcomes(failed=1 + is_async)
        assert "on purpose" in result.stdout.str()

    run()  # what is loaded once stays
    before = [kind() for kind in KINDS]
    gc.disable()  # nobody may rely on it
    try:
        run()
        assert left_since(before) == [set()] * len(KINDS)
    finally:
        gc.enable()


def test_what_is_left_is_found() -> None:
    before = [kind() for kind in KINDS]
    release = threading.Event()
    thread = threading.Thread(target=release.wait)
    reader, writer = os.pipe()
    thread.start()
    try:
        found = [kind() - then for kind, then in zip(KINDS, before, strict=True)]
    finally:
        release.set()
        thread.join()
        os.close(reader)
        os.close(writer)
    assert [len(each) for each in found] == [2, 1, 0, 0]
