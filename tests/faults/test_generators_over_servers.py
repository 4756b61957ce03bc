"""FAULTS, section 4, over real servers: what a handler can rely on when real clients leave."""

from __future__ import annotations

import gc
import logging
import socket
import sys
import threading
import time
from contextlib import suppress
from typing import Any

import pytest
import uvicorn

from sseware.testing import sse_wire_server
from tests.faults.asking import Client, HowToLeave, Site, p99, p99_of, seconds_until, within
from tests.faults.faulty import Faulty


@pytest.mark.parametrize("how", ["FIN", "RST", "half-close"])
def test_a_client_that_leaves_ends_an_idle_handler_at_once_in_its_own_task(
    site: Site, how: HowToLeave
) -> None:
    """G1: within 50 ms (p99), its context kept, without the garbage collector."""

    def latency() -> float:
        seconds = []
        for _ in range(20):
            key = site.key()
            client = site.open("/idle", key=key)
            client.head()
            client.until(b"data: a\n\n")
            left = time.monotonic()
            client.leave(how)
            notes = site.wait_note(key, "finally")
            client.close()
            assert [note.what for note in notes] == ["entered", "finally"]
            assert len({note.task for note in notes}) == 1
            assert {note.context for note in notes} == {key}
            seconds.append(notes[-1].time - left)
        return p99(seconds)

    within(0.05, latency)


@pytest.mark.parametrize("how", ["FIN", "RST"])
def test_a_client_that_never_read_ends_a_handler_whose_stream_is_full(site: Site, how: HowToLeave) -> None:
    """G2: it is closed at its yield, in its own task."""
    key = site.key()
    client = site.open("/busy", key=key, small=True)
    site.wait_note(key, "entered")
    time.sleep(0.2)  # not a wait for something: the buffers of two systems fill up meanwhile
    client.leave(how)
    notes = site.wait_note(key, "finally")
    assert len({note.task for note in notes}) == 1


def test_a_handler_that_never_awaits_freezes_nobody(site: Site) -> None:
    """G3: other requests stay under 100 ms (p99) beside it, with a client that does not read, reads, has left."""

    def others() -> float:
        seconds = []
        keys = [site.key() for _ in range(3)]
        clients = [site.open("/busy", key=key, small=True) for key in keys]
        for key in keys:
            site.wait_note(key, "entered")
        for number in range(60):
            if number == 20:
                clients[0].leave("RST")
            if number == 40:
                clients[1].leave("FIN")
            start = time.monotonic()
            assert site.ask("/quick").body == b"quick"
            seconds.append(time.monotonic() - start)
        left = time.monotonic()
        clients[2].leave("RST")
        for key in keys[:2]:
            assert site.wait_note(key, "finally")[-1].time < left
        seconds.append(site.wait_note(keys[2], "finally")[-1].time - left)
        return p99(seconds)

    # Where lines are traced, for coverage, handlers that never rest are several times as slow.
    limit = 0.1 if sys.gettrace() is None else 0.3
    within(limit, others, idle=lambda: p99_of(site, "/quick"))


def test_a_timeout_held_over_yields_reaches_a_handler_whose_reader_is_slow(site: Site) -> None:
    """G4."""
    with site.open("/timeout") as client:
        client.head()
        time.sleep(0.8)  # not a wait for something: the reader is slow
        body = client.until(b"data: timed out\n\n")
    assert body.count(b"data: x") >= 1


def test_a_handler_says_goodbye_over_a_socket_in_its_finally(site: Site) -> None:
    """G5."""
    key = site.key()
    with sse_wire_server() as database:
        client = site.open(f"/awaits?database={database.port}", key=key)
        client.head()
        client.until(b"data: a\n\n")
        client.leave("FIN")
        connection = database.accept()
        assert connection.request.head == b"BYE\r\n\r\n"
        connection.send(b"goodbye")
        assert site.wait_note(key, "goodbye")[-1].context == key


def test_handlers_that_cannot_be_cancelled_hold_nobody_up(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """G6: fifty of them; each is logged once, and their requests end."""
    keys = [site.key() for _ in range(50)]
    clients = [site.open("/stubborn", key=key) for key in keys]
    for client in clients:
        client.head()
        client.until(b"data: a\n\n")
    with caplog.at_level(logging.ERROR, "sseware"):
        for client in clients:
            client.leave("RST")
        assert site.ask("/words").body == b"data: a\n\ndata: b\n\n"
        seconds_until(lambda: site.server.calls == 0)
    if site.name != "daphne":  # it logs in its own process
        abandoned = [message for message in caplog.messages if "did not end within 0.2 s" in message]
        assert len(abandoned) == 50
        site.ask("/release")
        for key in keys:
            site.wait_note(key, "ended")
        site.ask("/hold")


@pytest.mark.parametrize("path", ["/yields-in-finally", "/raises-in-finally"])
def test_a_finally_that_misbehaves_ends_its_request_and_no_other(site: Site, path: str) -> None:
    """G7."""
    key = site.key()
    client = site.open(path, key=key)
    client.head()
    client.leave("RST")
    site.wait_note(key, "finally")
    seconds_until(lambda: site.server.calls == 0)
    assert site.ask("/words").body == b"data: a\n\ndata: b\n\n"


def test_a_client_that_leaves_with_its_request_leaves_nothing_open(site: Site) -> None:
    """G8."""
    for how in ("FIN", "RST") * 5:
        key = site.key()
        client = site.open("/dependency", key=key)
        client.leave(how)
        with suppress(AssertionError):  # one that is reset before it is read is no request at all
            seconds_until(lambda key=key: site.notes(key) or site.server.calls == 0)  # type: ignore[misc]
        whats = [note.what for note in site.notes(key)]
        if "opened" in whats:
            whats = [note.what for note in site.wait_note(key, "released")]
        assert whats.count("opened") == whats.count("released")
        assert whats.count("entered") == whats.count("finally")


def test_a_sync_handler_is_closed_within_a_step_in_a_worker_thread(site: Site) -> None:
    """G9."""
    key = site.key()
    client = site.open("/sync", key=key)
    client.head()
    next(client.chunks())
    left = time.monotonic()
    client.leave("RST")
    notes = site.wait_note(key, "finally")
    steps = [note for note in notes if note.what == "step" and note.time > left]
    assert len(steps) <= 2, "the one that ran, and one that began while the news travelled"
    assert all(note.thread != "MainThread" and "sse_server" not in note.thread for note in notes)


def test_departed_clients_of_a_blocked_sync_handler_delay_nobody(site: Site) -> None:
    """G10: a hundred of them; a sync endpoint stays under 100 ms (p99)."""

    def others() -> float:
        keys = [site.key() for _ in range(100)]
        clients = [site.open("/blocked", key=key) for key in keys]
        for client in clients:
            client.head()
        for client in clients:
            client.leave("RST")
        slowest = p99_of(site, "/sync-endpoint")
        site.ask("/release")
        for key in keys:
            site.wait_note(key, "ended")
        site.ask("/hold")
        return slowest

    within(0.1, others, idle=lambda: p99_of(site, "/sync-endpoint"))


def test_one_generator_serves_the_first_of_two_clients(site: Site) -> None:
    """G13."""
    site.app.shared = None
    key = site.key()
    with site.open("/shared", key=key) as first:
        first.head()
        first.until(b"data: a\n\n")
        assert site.ask("/shared").status == 500
        assert [note.what for note in site.notes(key)] == ["entered"], "the first one goes on"
    site.wait_note(key, "finally")


def test_what_an_application_does_after_its_stream_is_done_after_a_disconnect_too(site: Site) -> None:
    """G17."""
    key, other = site.key(), site.key()
    assert site.ask("/background?short=1", key=key).body == b"data: a\n\n"
    site.wait_note(key, "background")
    client = site.open("/background", key=other)
    client.head()
    client.leave("RST")
    assert [note.what for note in site.wait_note(other, "background")][-2:] == ["finally", "background"]


def test_nothing_is_left_to_the_garbage_collector(site: Site) -> None:
    """G16: no library says that a task, a coroutine, a generator was forgotten."""
    leaving: tuple[HowToLeave, ...] = ("FIN", "RST")
    for path in ("/idle", "/busy", "/sync", "/later/plain", "/dependency"):
        for how in leaving:
            client = site.open(path)
            client.head()
            client.leave(how)
    seconds_until(lambda: site.server.calls == 0)
    gc.collect()
    assert site.complaints == []


@pytest.mark.parametrize("http", ["h11", "httptools"])
def test_a_server_that_cancels_what_is_left_at_its_end_cancels_it_once(http: Any) -> None:
    """G15: uvicorn after its graceful timeout."""
    app = Faulty()
    config = uvicorn.Config(
        app, http=http, loop="asyncio", ws="none", log_config=None, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        with Client(listener.getsockname()) as client:
            client.ask("/idle?key=x", method="GET", accept="text/event-stream")
            client.head()
            client.until(b"data: a\n\n")
            server.should_exit = True
            thread.join(20)
    assert not thread.is_alive()
    notes = app.log["x"]
    assert [what for what, *_ in notes] == ["entered", "finally"]
    assert len({task for _, _, task, *_ in notes}) == 1
