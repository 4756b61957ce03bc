"""The benchmark of silent streams counts what keeps them alive, and no more."""

from __future__ import annotations

import asyncio
import sys

import pytest

from benchmarks.bench_keepalive import _QUICK, PEERS, _Cost, _listened, _Listener, _table
from benchmarks.driver_peers import BARE, OURS
from benchmarks.medians import Median
from benchmarks.server_app import TEXT
from benchmarks.server_process import running
from benchmarks.targets import TARGETS
from benchmarks.verdicts import judge


@pytest.mark.parametrize(
    "keepalive",
    [
        b"3\r\n:\n\n\r\n",
        b"28\r\n: ping - 2026-11-22 14:19:51.000000+00:00\r\n\r\n\r\n",
        b"8\r\n: ping\n\n\r\n",
    ],
)
def test_a_keepalive_is_counted_and_an_event_is_none(keepalive: bytes) -> None:
    client = _Listener("/idle")
    client.data_received(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
    client.data_received(b"33\r\ndata: %s\n\n\r\n" % TEXT.encode())
    assert (client.events, client.comments) == (1, 0)
    for _ in range(3):
        client.data_received(keepalive)
    assert (client.events, client.comments) == (1, 3)


@pytest.mark.skipif(sys.platform != "linux", reason="what a process has used is read in /proc")
def test_streams_without_a_keepalive_have_no_figure() -> None:
    with running(BARE) as server, pytest.raises(ValueError, match="no keepalive in 0 s"):
        asyncio.run(_listened(server, 5, 0.1))


def test_the_figure_is_held_against_what_is_wanted() -> None:
    costs: dict[str, _Cost | str] = {OURS: _Cost(percent=2.5, keepalives=3.0, each=75.0), PEERS[1]: "gone"}
    table = _table(costs, _QUICK)
    assert [*table.rows] == [[OURS, 2.5, 3.0, 75.0], [PEERS[1], "gone", "gone", "gone"]]
    (target,) = (target for target in TARGETS if target.benchmark == "keepalive")
    verdict = judge(target, {"keepalive": {"tables": [table.plain()]}})
    assert (verdict.found, verdict.holds) == (Median(2.5), True)
