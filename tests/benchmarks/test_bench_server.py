"""What the benchmark over uvicorn measures is what it says: every peer sends the same events, to their end."""

from __future__ import annotations

import asyncio
import sys

import pytest

from benchmarks import bench_server
from benchmarks.bench_server import PEERS, running
from benchmarks.driver_peers import OURS
from benchmarks.server_app import GROUPS, IN_GROUP

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what a process has used is read in /proc")


@pytest.mark.parametrize("peer", PEERS)
def test_each_peer_sends_every_event_and_ends_well(peer: str) -> None:
    with running(peer) as server:
        # It fails where a client has not had all of them, or no clean end.
        assert asyncio.run(bench_server._whole(server, "/groups", 2, GROUPS * IN_GROUP)) > 0


def test_idle_connections_are_counted_and_end_with_the_server() -> None:
    with running(OURS) as server:
        figures = asyncio.run(bench_server._at_rest(server, 30, 0.2, 10))
    assert figures.tasks == 3
    assert figures.clean == 100
    assert figures.exit < 6
