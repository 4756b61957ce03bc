"""What is measured passes: the same messages through each middleware, and none of them is any of its business."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from benchmarks.bench_passthrough import BARE, SCENES, Scene, _application, run, wrappers
from benchmarks.exchange import exchange


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
@pytest.mark.parametrize("name", [name for name in wrappers() if name.startswith("SSEMiddleware")])
def test_every_message_passes_as_it_is(name: str, scene: Scene) -> None:
    sent: list[Any] = []
    anyio.run(exchange, wrappers()[name](_application(scene)), sent.append)
    assert all(one is other for one, other in zip(sent, scene.messages, strict=True))


def test_the_table_has_a_figure_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.bench_passthrough.REQUESTS", 3)
    (table,) = run(1).tables
    assert [*table.columns] == ["scene", BARE, *list(wrappers())[1:]]
    assert [len(row) for row in table.rows] == [len(table.columns)] * len(SCENES)
