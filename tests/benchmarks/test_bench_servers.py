"""The benchmark over every server measures each on the server that it names, and passes over none in silence."""

from __future__ import annotations

import asyncio
import sys
from contextlib import nullcontext

import msgspec
import pytest

from benchmarks import bench_servers
from benchmarks.bench_servers import PEERS
from benchmarks.driver_peers import BARE, OURS, measurable
from benchmarks.peers import Peers
from benchmarks.server_app import BURSTS, PAUSES
from benchmarks.server_process import Server, running
from benchmarks.server_scenes import listened, read_whole
from benchmarks.servers import ENGINES, UVICORN, Engine, startable
from benchmarks.targets import TARGETS

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what a process has used is read in /proc")


@pytest.mark.parametrize("engine", ENGINES)
def test_each_server_sends_every_event_and_ends_well(engine: str) -> None:
    if engine in startable().left_out:
        pytest.skip(f"{engine}: {startable().left_out[engine]}")

    async def main(server: Server) -> tuple[float, float]:
        # It fails where a client has not had all of them, or no clean end.
        cost = await read_whole(server, "/burst/20", 3, 20)
        _, share, _ = await listened(server, 2, 3, 0.1)
        return cost, share

    with running(OURS, engine) as server:
        cost, share = asyncio.run(main(server))
    assert cost > 0
    assert 0 < share < 8


def test_each_has_the_loop_and_the_parser_that_its_name_says() -> None:
    if UVICORN not in startable().found:
        pytest.skip("uvicorn's fast parts are not installed")
    loaded = {
        engine: _modules(engine)
        for engine in ("uvicorn (h11, asyncio)", UVICORN)
        if engine in startable().found
    }
    assert {"httptools", "uvloop"} <= loaded[UVICORN]
    assert not {"httptools", "uvloop"} & loaded["uvicorn (h11, asyncio)"]


def _modules(engine: str) -> set[str]:
    with running(OURS, engine) as server:
        asyncio.run(read_whole(server, "/burst/20", 1, 20))
        with open(f"/proc/{server.process.pid}/maps", encoding="utf-8") as maps:
            mapped = maps.read()
    return {name for name in ("httptools", "uvloop") if f"/{name}/" in mapped}


def test_a_server_that_is_not_there_is_named_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = Engine(("no-such-server",), ("no_such_server",), lambda app, listener: None)
    monkeypatch.setitem(ENGINES, "another", missing)
    startable.cache_clear()
    try:
        left_out = startable().left_out
    finally:
        startable.cache_clear()
    assert left_out["another"] == "no_such_server is not installed"
    monkeypatch.setattr(bench_servers, "startable", lambda: Peers({}, left_out))
    assert bench_servers.run(1).left_out["another"] == "no_such_server is not installed"


def test_a_server_that_does_not_start_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    # The child knows no such name, and ends at once.
    monkeypatch.setitem(ENGINES, "another", msgspec.structs.replace(ENGINES[UVICORN], listens_itself=True))
    with pytest.raises(ChildProcessError, match="has ended with 1"), running(OURS, "another"):
        pass


def test_a_peer_that_cannot_be_measured_there_is_shown_with_its_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def whole(server: Server, path: str, count: int, events: int) -> float:
        if server.port:
            raise ValueError("no clean end")
        return 2.0

    async def ticks(server: Server, pause: int, count: int, seconds: float) -> tuple[float, float, float]:
        return 30.0 + server.port, 0.25, 1.0

    monkeypatch.setattr(bench_servers, "read_whole", whole)
    monkeypatch.setattr(bench_servers, "listened", ticks)
    servers = {OURS: Server(None, 0), BARE: Server(None, 30)}  # type: ignore[arg-type]  # they have no process
    monkeypatch.setattr(bench_servers, "running", lambda peer, engine: nullcontext(servers[peer]))
    monkeypatch.setattr(bench_servers, "startable", lambda: Peers({"quick one": ENGINES[UVICORN]}, {}))
    monkeypatch.setattr(bench_servers, "PEERS", (OURS, BARE))
    table = bench_servers.run(1).tables[0].plain()
    assert table["rows"] == [
        ["quick one", "1 connection", "a burst of 2000 events", 2.0, "ValueError: no clean end", "-"],
        ["quick one", "50 connections", "a burst of 40 events", 2.0, "ValueError: no clean end", "-"],
        ["quick one", "50 connections", "one event every 50 ms", 30.0, 2.0, 0.25],
    ]


def test_every_load_is_one_that_the_application_knows() -> None:
    for load in (*bench_servers._FULL.loads, *bench_servers._QUICK.loads):
        assert load.burst in BURSTS
        assert load.pause is None or load.pause in PAUSES


@pytest.mark.parametrize("size", [bench_servers._QUICK, bench_servers._FULL], ids=["quick", "full"])
def test_there_is_a_row_for_each_of_the_performance_table(size: bench_servers._Size) -> None:
    rows = [figure.split(", ") for scene in bench_servers._scenes(size, {}) for figure in scene.figures]
    for target in TARGETS:
        if target.benchmark == "servers":
            _, clients, gets = target.rows
            assert any(row[0].startswith(clients) and row[1].startswith(gets) for row in rows), target.work
            assert target.column in PEERS


def test_the_peers_are_those_that_can_be_measured_in_process() -> None:
    assert set(PEERS) <= {*measurable().found, *measurable().left_out}
