"""The personalities agree with the installed servers, measured again. Slow: runs where SSEWARE_SLOW is set."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import anyio
import pytest

from sseware.testing import PERSONALITIES, virtual_backend
from tests.testing.apps import START, body
from tests.testing.probing import InProcess, OverHTTP1, OverHTTP2, RealServer, observations, running

if not os.environ.get("SSEWARE_SLOW"):
    pytest.skip("it measures real servers for a minute or two: set SSEWARE_SLOW=1", allow_module_level=True)

EVENT = b"data: x\n\n"


def uvicorn(http: str) -> Callable[[int], list[str]]:
    more = ["--http2"] if http == "zttp" else []
    return lambda port: [
        *["uvicorn", "server_probe:app", "--lifespan", "off", "--http", http, "--port", str(port), *more]
    ]


def hypercorn(port: int) -> list[str]:
    return ["hypercorn", "server_probe:app", "--bind", f"127.0.0.1:{port}", "-w", "0"]


def granian(port: int) -> list[str]:
    return ["granian", "server_probe:app", "--interface", "asginl", "--port", str(port)]


def daphne(port: int) -> list[str]:
    return ["daphne", "server_probe:app", "-p", str(port)]


def test_the_test_client_of_starlette_does_what_its_personality_does() -> None:
    testclient = pytest.importorskip("starlette.testclient")
    seen: dict[str, Any] = {"sent": 0}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen["spec_version"] = scope.get("asgi", {}).get("spec_version")
        await send(START)
        try:
            for _ in range(3):
                await send(body(EVENT))
                seen["sent"] += 1
            await anyio.sleep_forever()
        except anyio.get_cancelled_exc_class():
            seen["cancelled"] = True
            raise

    with testclient.TestClient(app).stream("GET", "/") as answer:
        next(answer.iter_raw())
        # It takes one and waits to hand the next one over.
        assert seen["sent"] <= 1
    personality = PERSONALITIES["testclient"]
    assert seen["cancelled"] is (personality.cancels_after == 0)
    assert seen["spec_version"] is personality.spec_version
    assert seen["sent"] <= 1
    assert personality.high_water == 0


@pytest.mark.parametrize(
    ("personality", "module", "command"),
    [
        pytest.param("uvicorn", "h11", uvicorn("h11"), id="uvicorn-with-h11"),
        pytest.param("uvicorn", "httptools", uvicorn("httptools"), id="uvicorn-with-httptools"),
        pytest.param("uvicorn-h2", "zttp", uvicorn("zttp"), id="uvicorn-h2"),
        pytest.param("hypercorn", "hypercorn", hypercorn, id="hypercorn"),
        pytest.param("granian", "granian", granian, id="granian"),
        pytest.param("daphne", "daphne", daphne, id="daphne"),
    ],
)
def test_a_server_does_what_its_personality_does(
    personality: str, module: str, command: Callable[[int], list[str]], tmp_path: Path
) -> None:
    if find_spec(module) is None:
        pytest.skip(f"{module} is not installed")
    client = OverHTTP2 if personality == "uvicorn-h2" else OverHTTP1
    with running(command, tmp_path / "log") as port:
        # Where the disconnect is false, a thread of the server's own decides whether it is told.
        races = 20 if PERSONALITIES[personality].disconnect == "falsely" else 1
        measured: dict[str, Any] = anyio.run(partial(observations, RealServer(port, client), races=races))
    backend, options = virtual_backend("asyncio")
    told = anyio.run(observations, InProcess(personality), backend=backend, backend_options=options)
    assert measured == told
