"""FAULTS, section 6, over real servers: pings, stalled readers, and what servers say of a client that has left."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import h11
import pytest

from sseware import EventStreamParser
from tests.e2e.servers import needs_proc
from tests.faults.asking import Client, Site, seconds_until
from tests.faults.conftest import SLOW


def test_pings_never_come_into_an_event_and_none_after_the_end(site: Site) -> None:
    """C1: every 5 ms, beside events of 5 kB."""
    answer = site.ask("/ping")
    assert b"\n:" in answer.body, "there were pings"
    events = EventStreamParser(strict=True).feed(answer.body)
    *words, done = events
    assert [event.data for event in words] == [f"{number} " + "x" * 5000 for number in range(60)]
    assert done.event == "done"
    assert answer.body.endswith(b'data: {"ok":true,"exitCode":0}\n\n')


def test_a_client_that_leaves_while_it_is_sent_to_is_no_error(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """C2: whatever this server's send does then."""
    with caplog.at_level(logging.WARNING):
        for how in ("RST", "FIN") * 3:
            key = site.key()
            client = site.open("/busy", key=key)
            client.head()
            next(client.chunks())
            client.leave(how)
            site.wait_note(key, "finally")
        seconds_until(lambda: site.server.calls == 0)
    assert [record.message for record in caplog.records if record.name.startswith("sseware")] == []


def test_a_reader_that_stalls_is_closed_after_the_send_timeout(site: Site) -> None:
    """C3."""
    if site.name == "daphne":
        pytest.skip("daphne's send never blocks: docs/servers.md")
    key = site.key()
    with site.open("/stalled", key=key, small=True):
        notes = site.wait_note(key, "finally")
        if site.name != "hypercorn-trio":  # whose send shields itself from every deadline: docs/servers.md
            seconds_until(lambda: site.server.calls == 0)
    entered, closed = notes[0].time, notes[-1].time
    assert closed - entered > 0.35


def test_an_idle_client_that_leaves_is_noticed_without_a_send(site: Site) -> None:
    """C6."""
    key = site.key()
    client = site.open("/idle", key=key)
    client.head()
    client.until(b"data: a\n\n")
    client.leave("FIN")
    site.wait_note(key, "finally")


def test_each_part_of_a_request_body_reaches_the_handler_once(site: Site) -> None:
    """C8: while the answer streams."""
    http = h11.Connection(h11.CLIENT)
    with site.raw() as connection:
        fields = [
            ("host", "localhost"),
            ("transfer-encoding", "chunked"),
            ("accept", "text/event-stream"),
        ]
        connection.sendall(http.send(h11.Request(method="POST", target="/echo", headers=fields)) or b"")
        for number in range(30):
            connection.sendall(http.send(h11.Data(data=b"part %d;" % number)) or b"")
            time.sleep(0.001)  # not a wait for something: the parts are to arrive one by one
        connection.sendall(http.send(h11.EndOfMessage()) or b"")
        body = b""
        while not isinstance(event := http.next_event(), h11.EndOfMessage):
            if event is h11.NEED_DATA:
                http.receive_data(connection.recv(2**16))
            elif isinstance(event, h11.Data):
                body += event.data
    said = "".join(event.data for event in EventStreamParser().feed(body))
    assert said == "".join(f"part {number};" for number in range(30))


@contextmanager
def in_a_process(server: str) -> Iterator[tuple[str, int]]:
    """The application in a process of its own, which can be counted."""
    command = [sys.executable, "-m", "tests.faults.faulty", server]
    # It waits for the process, and closes its pipes; the process ends with its input.
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield "127.0.0.1", int(process.stdout.readline())


def counted(address: tuple[str, int]) -> dict[str, int]:
    with Client(address) as client:
        client.ask("/census", method="GET")
        found: dict[str, int] = json.loads(client.answer().body)
    return found


SERVERS = ["uvicorn-httptools", *(["uvicorn-h11", "hypercorn"] if SLOW else [])]
STALLED = 200
CHURN = 10_000 if SLOW else 600


@needs_proc
@pytest.mark.parametrize("server", SERVERS)
def test_stalled_readers_cost_no_more_than_their_outbox(server: str) -> None:
    """C7: two hundred of them."""
    with in_a_process(server) as address:
        before = counted(address)["resident"]
        clients = []
        for _ in range(STALLED):
            clients.append(Client(address))
            clients[-1].ask("/busy", method="GET", accept="text/event-stream")
        time.sleep(2)  # not a wait for something: they fill up what there is
        after = counted(address)["resident"]
        for client in clients:
            client.leave("RST")
    # The outbox holds 64 KiB, its last chunk as much, the server's transport as much and one message: in KiB.
    assert (after - before) / STALLED < 4 * 64


@needs_proc
@pytest.mark.parametrize("server", SERVERS)
def test_clients_that_come_and_go_leave_nothing_behind(server: str) -> None:
    """G18: half of them with RST; tasks, generators, threads, descriptors as before; memory flat in the end."""

    def churn(count: int) -> None:
        for start in range(0, count, 50):
            clients = [Client(address) for _ in range(50)]
            for number, client in enumerate(clients):
                path = "/idle" if (start + number) % 3 else "/busy"
                client.ask(path, method="GET", accept="text/event-stream")
            for client in clients[::5]:
                client.head()
            for number, client in enumerate(clients):
                client.leave("RST" if number % 2 else "FIN")

    def settled() -> dict[str, int]:
        found: dict[str, int] = {}

        def is_quiet() -> bool:
            found.update(counted(address))
            return all(found[name] <= before[name] for name in before if name != "resident")

        try:
            seconds_until(is_quiet)
        except AssertionError:
            raise AssertionError(f"before {before}, after {found}") from None
        return found

    with in_a_process(server) as address:
        churn(200)
        time.sleep(0.5)  # not a wait for something: what is made once is made
        before = counted(address)
        churn(CHURN // 2)
        grown = [settled()["resident"]]
        # A leak grows each time; what an allocator has once been asked for does not.
        for _ in range(3):
            churn(CHURN // 2)
            grown.append(settled()["resident"])
            if grown[-1] - grown[-2] <= 2048:
                return
    pytest.fail(f"KiB, after each half: {grown}")
