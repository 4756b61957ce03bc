"""Every framework on every server: 25 pairs, besides those on uvicorn; ``SSEWARE_SLOW=1`` runs them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from sseware.testing import sse_server
from tests.e2e.servers import Answer, Client, seconds_until
from tests.e2e.test_every_framework_over_a_real_server import with_lifespan
from tests.integrations.frameworks import FRAMEWORKS, ON_TRIO

pytestmark = pytest.mark.skipif("SSEWARE_SLOW" not in os.environ, reason="25 servers; SSEWARE_SLOW=1 runs it")

STREAMED = "text/event-stream"
PAIRS = [
    (server, framework)
    for server in ("hypercorn", "hypercorn-trio", "granian", "daphne")
    for framework in FRAMEWORKS
    if server != "hypercorn-trio" or framework in ON_TRIO
]


class Diary(list[str]):
    """What handlers did, in a file: daphne runs in a process of its own."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        path.touch()

    def append(self, line: str, /) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    def lines(self) -> list[str]:
        return self.path.read_text(encoding="utf-8").splitlines()


class Served(NamedTuple):
    """An application on a server."""

    address: tuple[str, int]
    diary: Diary

    def ask(self, path: str, accept: str) -> Answer:
        with Client(self.address) as client:
            client.ask(path, method="GET", accept=accept)
            return client.answer()


@pytest.fixture(scope="module", params=PAIRS, ids="-".join)
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server, framework = request.param
    pytest.importorskip(server.partition("-")[0])
    diary = Diary(tmp_path_factory.mktemp("diary") / "diary.txt")
    app: Any = FRAMEWORKS[framework](diary)
    with sse_server(with_lifespan(app) if framework == "django" else app, server) as live:
        address = urlsplit(live.url)
        yield Served((str(address.hostname), address.port or 0), diary)


def test_one_handler_streams_and_answers_buffered(served: Served) -> None:
    assert served.ask("/story/fox", STREAMED).body.endswith(
        b'event: done\ndata: {"ok":true,"exitCode":0}\n\n'
    )
    assert served.ask("/by-hand/fox", "*/*").body == b"Once fox"
    assert served.ask("/refused/me", STREAMED).status == 404


@pytest.mark.parametrize("path", ["/story/endless", "/by-hand/endless"])
def test_its_cleanup_runs_when_the_client_leaves(served: Served, path: str) -> None:
    before = served.diary.lines().count("closed endless")
    with Client(served.address) as client:
        client.ask(path, method="GET", accept=STREAMED)
        client.head()
        client.until(b"Once ")
        client.leave("FIN")
        seconds_until(lambda: served.diary.lines().count("closed endless") > before)
