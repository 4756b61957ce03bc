"""FAULTS, section 5, over real servers: a status where one is possible, a clean end where not, and no secret."""

from __future__ import annotations

import json
import logging
import socket
import time

import anyio
import h11
import pytest

from sseware import EventStreamParser, decode, get_dialect
from sseware.errors import TruncatedStream
from sseware.items import Failure, Finish
from sseware.testing import fault_proxy
from tests.faults.asking import Client, Site, within
from tests.faults.faulty import SECRET

DIALECTS = ("plain", "husk", "machpay", "chronos")
STREAM = {"husk": "?stream=1", "machpay": "?stream=1"}


def stream(name: str) -> str:
    return f"/later/{name}{STREAM.get(name, '')}"


def read(body: bytes, name: str) -> list[object]:
    async def items() -> list[object]:
        async def chunks() -> object:
            yield body

        return [item async for item in decode(chunks(), get_dialect(name))]  # type: ignore[arg-type]

    return anyio.run(items)


@pytest.mark.parametrize("accept", ["text/event-stream", "application/json"])
def test_an_exception_before_the_first_event_is_a_500(
    site: Site, accept: str, caplog: pytest.LogCaptureFixture
) -> None:
    """X1, X4."""
    answer = site.ask("/raises", accept=accept)
    assert answer.status == 500
    assert not answer.headers["content-type"].startswith("text/event-stream")
    assert SECRET.encode() not in answer.body
    if site.name != "daphne":  # it logs in its own process
        assert SECRET in caplog.text


def test_what_a_framework_knows_to_answer_it_answers(site: Site) -> None:
    """X1: its status and its fields, from its own handler."""
    answer = site.ask("/framework")
    assert (answer.status, answer.body, answer.headers["x-pot"]) == (418, b"no coffee", "tea")


def test_headers_do_not_wait_for_a_slow_first_event(site: Site) -> None:
    """X2: they come after head_timeout, with a comment, the event later."""

    def head_alone() -> float:
        with site.open("/slow") as client:
            start = time.monotonic()
            client.head()
            head = time.monotonic() - start
            body = client.until(b"data: late\n\n")
            assert time.monotonic() - start > 0.45
        assert body.startswith(b":")
        return head

    within(0.45, head_alone)


@pytest.mark.parametrize("name", DIALECTS)
def test_a_failure_in_mid_stream_is_told_without_its_text_and_ends_cleanly(
    site: Site, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """X3, X4, X6, X9: the dialect's own event, nothing that means success, a body that has ended as HTTP wants it."""
    with caplog.at_level(logging.ERROR):
        # A body that was cut off would raise here.
        answer = site.ask(stream(name))
    assert answer.status == 200
    assert b"one" in answer.body
    assert SECRET.encode() not in answer.body
    items = read(answer.body, name)
    assert isinstance(items[-1], Failure)
    assert not [item for item in items if isinstance(item, Finish) and item.ok]
    if site.name != "daphne":
        logged = [
            record for record in caplog.records if record.exc_info and SECRET in str(record.exc_info[1])
        ]
        assert len(logged) == 1, "once"
        assert logged[0].exc_info is not None
        assert not isinstance(logged[0].exc_info[1], BaseExceptionGroup), "X9: as itself"


def test_a_body_that_was_cut_off_is_told_from_one_that_has_ended(site: Site) -> None:
    """X6: no chunk of length 0, and no terminator: whoever decodes it learns that it was truncated."""
    with fault_proxy(site.server.address) as proxy, Client(proxy.address) as client:
        client.ask("/idle/husk?stream=1", method="GET", accept="text/event-stream")
        client.head()
        body = client.until(b"a\n\n")
        proxy.cut()
        with pytest.raises((h11.RemoteProtocolError, ConnectionError)):
            list(client.chunks())
    with pytest.raises(TruncatedStream):
        read(body, "husk")


def test_a_buffered_answer_that_fails_half_way_is_one_error(site: Site) -> None:
    """X7."""
    answer = site.ask("/later/husk", accept="text/plain")
    assert answer.status == 500
    assert json.loads(answer.body) == {"error": "internal error"}


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [("/large", 500, b"passed its limit of 10000 bytes"), ("/long", 504, b"passed its limit of 0.2 seconds")],
)
def test_a_buffered_answer_without_an_end_is_an_error(
    site: Site, path: str, status: int, words: bytes
) -> None:
    """X8: and its handler is closed."""
    key = site.key()
    answer = site.ask(path, key=key, accept="application/json")
    assert answer.status == status
    assert words in answer.body
    site.wait_note(key, "finally")


def test_a_dialect_that_raises_ends_with_a_minimal_error(site: Site) -> None:
    """X5."""
    answer = site.ask("/faulty-dialect")
    (event,) = EventStreamParser().feed(answer.body)
    assert (event.event, event.data) == ("error", "internal error")


def test_after_all_of_it_the_server_answers_as_before(site: Site) -> None:
    with socket.create_connection(site.server.address, timeout=5):
        assert site.ask("/words").body == b"data: a\n\ndata: b\n\n"
