"""FAULTS, section 9, and B14, over a real server: who may have a stream, how many, until when; and who watches."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import AsyncIterator, Iterator
from importlib.util import find_spec
from typing import Any, NamedTuple

import anyio
import httpx
import pytest

from sseware import SSEMiddleware
from sseware.asgi import Access, ObservedStream, RedactingFilter, StreamObserver, StreamSummary
from sseware.testing import sse_server
from tests.e2e.servers import Client, HowToLeave, seconds_until

APP = "https://app.example"


class Watcher(StreamObserver):
    """Fails at its first event where the path says so, and writes down how streams end."""

    def __init__(self) -> None:
        self.outcomes: list[str] = []

    def on_event(self, stream: ObservedStream, event: object) -> None:
        if stream.path == "/watched-badly":
            raise OSError("the observer is broken")

    def on_close(self, stream: ObservedStream, summary: StreamSummary) -> None:
        self.outcomes.append(summary.outcome.value)


class Site(NamedTuple):
    """A server, and what is behind it."""

    name: str
    url: str
    address: tuple[str, int]
    access: Access
    watcher: Watcher
    app: SSEMiddleware


async def handler(scope: Any) -> AsyncIterator[str]:
    yield "a"
    if scope["path"] != "/short":
        while True:
            await anyio.sleep(0.05)
            yield "b"


def expiry(scope: Any) -> float | None:
    return time.time() + 0.3 if scope["path"] == "/expires" else None


SLOW = pytest.mark.skipif(not os.environ.get("SSEWARE_SLOW"), reason="set SSEWARE_SLOW=1")
# Not daphne: it has a process of its own, and the tests look at what the application has.
SERVERS = [
    *("uvicorn-h11", "uvicorn-httptools"),
    *(pytest.param(name, marks=SLOW) for name in ("hypercorn", "hypercorn-trio", "granian")),
]


@pytest.fixture(scope="module", params=SERVERS)
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    if find_spec(request.param.partition("-")[0]) is None:
        pytest.skip(f"{request.param} is not installed")
    access = Access(
        origins=[APP],
        credentials=True,
        sites=["same-origin", "none"],
        hosts=["127.0.0.1", "localhost"],
        max_streams=10,
        expires_at=expiry,
    )
    watcher = Watcher()
    app = SSEMiddleware(handler, access=access, observers=[watcher], statistics=True)
    logs: Any = {"access_log": True, "log_level": "info"} if request.param.startswith("uvicorn") else {}
    with sse_server(app, request.param, **logs) as server:
        yield Site(request.param, server.url, server.address, access, watcher, app)


def get(site: Site, path: str = "/short", **headers: str) -> httpx.Response:
    return httpx.get(
        site.url + path, headers={name.replace("_", "-"): each for name, each in headers.items()}
    )


def test_an_origin_that_is_listed_may_read_and_another_may_not(site: Site) -> None:
    """A2."""
    allowed = get(site, origin=APP)
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, APP)
    assert allowed.headers["access-control-allow-credentials"] == "true"
    assert get(site).status_code == 200
    for origin in ("https://evil.example", "null"):
        refused = get(site, origin=origin)
        assert refused.status_code == 403
        assert "access-control-allow-origin" not in refused.headers


def test_a_page_of_another_site_may_not_ask(site: Site) -> None:
    """A3."""
    assert get(site, sec_fetch_site="cross-site").status_code == 403
    assert get(site, sec_fetch_site="same-origin").status_code == 200


def test_a_name_that_points_here_is_not_answered(site: Site) -> None:
    """A4."""
    assert get(site, host="evil.example").status_code == 403
    assert get(site, host="localhost:8000").status_code == 200


def test_a_stream_whose_credential_expires_ends_cleanly(site: Site) -> None:
    """A5."""
    start = time.monotonic()
    with httpx.Client() as client:
        answer = client.get(site.url + "/expires")
        assert 0.2 < time.monotonic() - start < 5
        assert (answer.status_code, answer.text.count("data: a\n\n")) == (200, 1)
        assert client.get(site.url + "/short").status_code == 200, "the connection is still good"
    assert site.watcher.outcomes[-2:] == ["expired", "finished"]


@pytest.mark.parametrize("how", ["FIN", "RST"])
def test_a_client_too_many_is_told_to_come_back_and_those_that_leave_make_room(
    site: Site, how: HowToLeave
) -> None:
    """B14."""
    clients = [Client(site.address) for _ in range(10)]
    for client in clients:
        client.ask("/")
        assert client.head()[0] == 200
    assert (site.access.statistics().open, site.app.statistics().open) == (10, 10)
    refused = get(site)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    for client in clients:
        client.leave(how)
        client.close()
    seconds_until(lambda: site.access.statistics().open == 0)
    assert get(site).status_code == 200
    assert site.watcher.outcomes[-11:].count("left") == 10


def test_hundreds_that_come_and_go_leave_no_slot_behind(site: Site) -> None:
    """B14, in small; the soak has ten thousand."""
    for number in range(150):
        with Client(site.address) as client:
            client.ask("/")
            if number % 3:
                client.head()
            client.leave("RST" if number % 2 else "FIN")
    # A request that has not been read yet may be begun still.
    seconds_until(lambda: get(site).status_code == 200)
    seconds_until(lambda: site.access.statistics().open == site.app.statistics().open == 0)


def test_a_request_head_as_large_as_can_be_costs_little(site: Site) -> None:
    """A8: what a server lets pass is read in a time that is proportional to it."""
    many = [(f"x-{number}", "a") for number in range(500)]
    ranges = "text/x," * 4000 + "*/*"
    for headers in ([("accept", ranges)], [*many, ("origin", APP)], [("sec-fetch-site", "x" * 30_000)]):
        start = time.process_time()
        answer = httpx.get(site.url + "/short", headers=headers)
        assert answer.status_code in (200, 400, 403, 431)
        assert time.process_time() - start < 2
    assert get(site).status_code == 200


def test_an_observer_that_fails_harms_nobody(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """T1."""
    with httpx.stream("GET", site.url + "/watched-badly") as answer:
        body = answer.iter_text()
        text = ""
        while text.count("data: b") < 3:
            text += next(body)
    seconds_until(lambda: site.access.statistics().open == 0)
    told = [record for record in caplog.records if "hears no more of this stream" in record.message]
    assert len(told) == 1


def test_an_access_log_tells_no_token_and_stays_on_one_line(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """A1, A7."""
    if not site.name.startswith("uvicorn"):
        pytest.skip("the log is uvicorn's")
    log, redacting = logging.getLogger("uvicorn.access"), RedactingFilter()
    log.addFilter(redacting)

    def lines() -> list[str]:
        return [record.getMessage() for record in caplog.records if record.name == log.name]

    try:
        with caplog.at_level(logging.INFO, "uvicorn.access"):
            assert get(site, "/short?topic=x&access_token=s3cret&a=%0aINFO").status_code == 200
            seconds_until(lambda: any("topic=x" in line for line in lines()))
    finally:
        log.removeFilter(redacting)
    (line,) = [line for line in lines() if "topic=x" in line]
    assert "access_token=[redacted]" in line
    assert "s3cret" not in "".join(lines())
    assert "\n" not in line
