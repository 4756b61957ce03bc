"""The soak finds what it is to find: a bad history, a leak; and draws what it saw."""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import xml.etree.ElementTree as ET
from pathlib import Path

import anyio
import pytest

from benchmarks import soak
from benchmarks.soak import Sample
from benchmarks.soak_app import APP
from benchmarks.soak_chart import chart
from benchmarks.soak_clients import Client, Weather
from sseware.testing import WireConnection, connect, sse_wire_server, virtual_backend

GOOD = b"data: reader-0 1 \nid: 1\n\ndata: reader-0 2 \nid: 2\n\n"
END = b"event: finish\ndata: {}\n\n"


def history(body: bytes, weather: Weather | None = None, status: int = 200) -> Client:
    """What a client has to say after it was answered this; when it comes back, it is kept waiting."""
    asked: list[WireConnection] = []

    def script(connection: WireConnection) -> None:
        asked.append(connection)
        if len(asked) > 1:
            connection.wait_closed()
            return
        connection.start(status)
        connection.send(body)

    async def main(client: Client) -> None:
        running = asyncio.create_task(client.run())
        async with asyncio.timeout(60):
            while len(asked) < 2:
                await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.wait([running])

    with sse_wire_server(script) as server:
        client = Client(0, "reader", server.address, weather or Weather())
        client._random = _Hasty(0)
        asyncio.run(main(client))
    return client


class _Hasty(random.Random):
    """Waits for nothing, and stays for long."""

    def random(self) -> float:
        return 0.0

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        return 1000


def test_a_good_history_has_no_problem() -> None:
    client = history(GOOD + END)
    assert client.problems == []
    assert client.counts["events"] == 2


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"data: reader-0 1 \n\ndata: reader-0 3 \n\n" + END, "got event 3 after 1"),
        (b"data: reader-0 1 \n\ndata: reader-0 1 \n\n" + END, "got event 1 after 1"),
        (b"data: reader-7 1 \n\n" + END, "got an event of reader-7"),
        (b"data: reader-0 1 xxyx\n\n" + END, "got event 1 with a torn payload"),
        (GOOD, "was cut off after event 2: EOFError('it ended without an end')"),
    ],
    ids=["a-gap", "a-duplicate", "another-clients", "torn", "no-end"],
)
def test_a_bad_history_is_told(body: bytes, problem: str) -> None:
    (told,) = history(body).problems
    assert told == f"reader-0 {problem}"


def test_a_refusal_is_a_problem() -> None:
    (told,) = history(b"", status=503).problems
    assert "503" in told


def test_what_a_fault_does_is_excused() -> None:
    weather = Weather()
    weather.worsen(10)
    client = history(GOOD, weather=weather)
    assert (client.problems, client.counts["cut off"]) == ([], 1)


def test_a_stream_that_ends_by_itself_says_so() -> None:
    async def last() -> str:
        async with connect(APP, "/ticks?client=reader-0", timeout=100) as stream:
            return (await stream.drain())[-1].event

    backend, options = virtual_backend("asyncio")
    assert anyio.run(last, backend=backend, backend_options=options) == "finish"


def soaked(second_half: float, left: int) -> soak._Soak:
    """A soak of which everything was seen."""
    done = soak._Soak(0, 0, 100, 60)
    done._before = Sample(0, 10_000, 4, 7, 3)
    done._samples = [Sample(at, 50_000 + max(0, at - 30) / 30 * second_half, 300, 107, 9) for at in range(60)]
    done._after = Sample(60, 50_000, 4 + left, 7, 3)
    return done


@pytest.mark.parametrize(
    ("growth", "left", "failing"),
    [
        (0, 0, []),
        (10_000, 0, ["memory at the end"]),
        (0, 1, ["tasks when all have left"]),
    ],
    ids=["nothing", "memory", "a-task"],
)
def test_a_leak_fails(growth: float, left: int, failing: list[str]) -> None:
    verdicts = soaked(growth, left).verdicts()
    assert [verdict.what for verdict in verdicts if not verdict.holds] == failing
    report = soaked(growth, left).report("uvicorn", verdicts)
    assert ("FAILS" in report) is bool(failing)


def test_an_error_in_the_log_fails_and_a_stream_that_was_given_up_does_not() -> None:
    given_up = "ERROR uvicorn.error ASGI callable returned without completing response.\n"
    assert soak._of_the_log(given_up).holds
    assert not soak._of_the_log(given_up + "ERROR asyncio Task was destroyed\n").holds


def test_the_picture_is_a_drawing_of_each_panel() -> None:
    text = chart("a <soak>", [0, 1, 2], [("memory", [1, 2, 3]), ("tasks", [0, 0, 0])], [(1.0, "cut")])
    root = ET.fromstring(text)
    names = [element.tag.rpartition("}")[2] for element in root]
    assert names.count("polyline") == 2
    assert "a <soak>" in [element.text for element in root]
    ET.fromstring(chart("empty", [], [("memory", [])], []))


@pytest.mark.skipif(not os.environ.get("SSEWARE_SLOW"), reason="it takes a while: set SSEWARE_SLOW=1")
def test_a_small_soak_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    svg = tmp_path / "soak.svg"
    options = argparse.Namespace(minutes=0.4, connections=40, server="uvicorn", svg=svg)
    failed = soak.run(options)
    assert not failed, capsys.readouterr().out
    ET.parse(svg)
