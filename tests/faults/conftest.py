"""Faults over real servers: uvicorn always, all the others where SSEWARE_SLOW is set."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest

from sseware.testing import LIVE_SERVERS, sse_server
from tests.faults.asking import Site
from tests.faults.faulty import Faulty

FAST = ("uvicorn-h11", "uvicorn-httptools")
NEEDS = {
    "uvicorn-httptools": "httptools",
    "uvicorn-uvloop": "uvloop",
    "uvicorn-h2": "zttp",
    "hypercorn-trio": "hypercorn",
}
SLOW = bool(os.environ.get("SSEWARE_SLOW"))
SERVERS = [name for name in LIVE_SERVERS if name != "uvicorn-h2" and (SLOW or name in FAST)]


class Complaints(logging.Handler):
    """What libraries log when something was left behind (G16)."""

    WORDS = ("never retrieved", "never awaited", "was destroyed but", "unclosed", "never closed")

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if any(word in message for word in self.WORDS):
            self.heard.append(message)


@pytest.fixture(scope="module", params=SERVERS)
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    """The application of `faulty` on a server; without the garbage collector, on which nothing may depend."""
    name: str = request.param
    needed = NEEDS.get(name, name.partition("-")[0])
    if find_spec(needed) is None:
        pytest.skip(f"{needed} is not installed")
    complaints = Complaints()
    logging.getLogger().addHandler(complaints)
    gc.disable()
    options: dict[str, Any] = {"ws": "websockets-sansio"} if name.startswith("uvicorn") else {}
    try:
        app = Faulty()
        with sse_server(app, name, **options) as server:
            yield Site(server, app, complaints.heard)
            app.release.set()
    finally:
        gc.enable()
        gc.collect()
        logging.getLogger().removeHandler(complaints)
    assert complaints.heard == [], "G16"
