"""What the benchmark over uvicorn measures is what it says: every peer sends the same events, to their end."""

from __future__ import annotations

import asyncio
import sys
from contextlib import nullcontext
from typing import NamedTuple

import pytest

from benchmarks import bench_server, server_scenes
from benchmarks.bench_server import PEERS
from benchmarks.driver_peers import BARE, OURS, measurable
from benchmarks.report import rows_of
from benchmarks.server_app import GROUPS, IN_GROUP
from benchmarks.server_process import Server, running
from benchmarks.server_scenes import Scene, listening, read_whole, waited
from benchmarks.targets import TARGETS

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what a process has used is read in /proc")


@pytest.mark.parametrize("peer", PEERS)
def test_each_peer_sends_every_event_and_ends_well(peer: str) -> None:
    if peer in measurable().left_out:
        pytest.skip(f"{peer}: {measurable().left_out[peer]}")
    with running(peer) as server:
        # It fails where a client has not had all of them, or no clean end.
        assert asyncio.run(read_whole(server, "/groups", 2, GROUPS * IN_GROUP)) > 0


def test_idle_connections_are_counted_and_end_with_the_server() -> None:
    with running(OURS) as server:
        figures = asyncio.run(bench_server._at_rest(server, 30, 0.2, 10))
    assert figures.tasks == 3
    assert figures.clean == 100
    assert figures.exit < 6


@pytest.mark.parametrize("peer", [OURS, BARE])
def test_nothing_of_a_stream_is_left_when_the_next_peer_has_its_turn(peer: str) -> None:
    async def main(server: Server) -> tuple[float, float, float]:
        before = await server.figures()
        async with listening(server, 2, 20) as clients:
            during = await server.figures()
        assert all(client.events for client in clients)
        return before["tasks"], during["tasks"], (await server.figures())["tasks"]

    with running(peer) as server:
        before, during, after = asyncio.run(main(server))
    assert before < during
    assert after == before


def test_the_first_byte_is_no_later_than_the_first_event() -> None:
    with running(BARE) as server:
        middle, first_byte, first_event = asyncio.run(waited(server, 500, 20, 1000))
    assert 0 < middle <= first_byte <= first_event


def test_a_peer_that_fails_is_shown_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    async def measure(server: Server) -> list[float]:
        if server.port:
            raise ValueError("no clean end | of it")
        return [0.5]

    scene = Scene(["a burst"], measure, 2, 1)
    monkeypatch.setattr(bench_server, "_scenes", lambda size: [scene])
    servers = {OURS: Server(None, 0), BARE: Server(None, 1)}  # type: ignore[arg-type]  # they have no process
    monkeypatch.setattr(bench_server, "running", lambda peer: nullcontext(servers[peer]))
    found = asyncio.run(bench_server._costs([OURS, BARE], bench_server._QUICK))
    assert found == {"a burst": {OURS: [0.5, 0.5], BARE: "ValueError: no clean end / of it"}}
    table = bench_server._cost_table(found, [OURS, BARE], 10)
    assert table.rows == [["a burst", 0.5, "ValueError: no clean end / of it"]]


def test_a_peer_whose_streams_at_rest_fail_has_a_row_with_the_reason_and_ours_may_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Found(NamedTuple):
        port: int

    async def measure(server: Server) -> Found:
        if server.port:
            raise ValueError("gone")
        return Found(server.port)

    servers = {OURS: Server(None, 0), BARE: Server(None, 1)}  # type: ignore[arg-type]  # they have no process
    monkeypatch.setattr(server_scenes, "running", lambda peer: nullcontext(servers[peer]))
    found = asyncio.run(server_scenes.at_once([OURS, BARE], measure))
    assert rows_of(found, {"a": "port", "b": "port"}) == [
        [OURS, 0, 0],
        [BARE, "ValueError: gone", "ValueError: gone"],
    ]
    servers[OURS] = servers[BARE]
    with pytest.raises(ValueError, match="gone"):
        asyncio.run(server_scenes.at_once([OURS], measure))


def test_in_a_hurry_too_there_is_a_figure_for_each_row_of_the_performance_table() -> None:
    figures = [name for scene in bench_server._scenes(bench_server._QUICK) for name in scene.figures]
    for target in TARGETS:
        if target.benchmark == "server" and target.rows != (OURS,):
            assert any(name.startswith(target.rows[0]) for name in figures), target.work
