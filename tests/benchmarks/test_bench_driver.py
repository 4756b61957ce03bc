"""What the benchmark of the driver measures is what it says: every application sends the same events."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import anyio
import pytest

from benchmarks import bench_driver
from benchmarks.bench_driver import SCENES, Scene, run
from benchmarks.driver_peers import IN_STARLETTE, MAKERS, measurable
from benchmarks.exchange import exchange
from sseware import EventStreamParser


def received(app: Callable[..., Any]) -> bytes:
    chunks: list[bytes] = []
    size = anyio.run(exchange, app, lambda message: chunks.append(message.get("body", b"")))
    body = b"".join(chunks)
    assert size == len(body)
    return body


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_each_application_sends_the_same_events(scene: Scene, name: str) -> None:
    if name in measurable().left_out:
        pytest.skip(f"{name}: {measurable().left_out[name]}")
    body = received(MAKERS[name](partial(scene.handler, 7)))
    events = EventStreamParser().feed(body)
    texts = [event for event in events if event.event == "message"]
    assert [event.data for event in texts] == ["the quick brown fox jumps over the lazy dog"] * 7
    ends = [event for event in events if event.event != "message"]
    assert len(ends) <= 1, "ours says that it has finished, and that is all"


def test_there_is_a_figure_for_each_scene_and_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    few = [Scene(scene.name, scene.handler, 3, 2, scene.each) for scene in SCENES]
    monkeypatch.setattr(bench_driver, "SCENES", few)
    (table,) = run(1).tables
    assert [row[0] for row in table.rows] == [scene.name for scene in SCENES]
    assert all(isinstance(cell, float) and cell > 0 for row in table.plain()["rows"] for cell in row[2:])
    assert {len(row) for row in table.rows} == {len(table.columns)}
    assert {*table.columns[3:]} | {*measurable().left_out} == {*MAKERS} - {"sseware", *IN_STARLETTE}
