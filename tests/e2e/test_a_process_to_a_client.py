"""From a process to a client over a real server: when words arrive, and what is left when the client leaves."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, get_args

import pytest

from sseware import EventStreamParser, SSEMiddleware, kernels
from tests.e2e.servers import (
    Client,
    HowToLeave,
    children,
    fastest,
    is_alive,
    needs_proc,
    seconds_until,
    serving,
)

PAUSE = 0.2
LATE = 0.1
"""Seconds by which a word may come late, or after which a process must be gone."""

# Each word with the time at which it is written, by a clock that all processes of a machine share.
WORDS = f"""
import os, time
for number, word in enumerate(["Once", "upon", "a", "time"]):
    time.sleep({PAUSE} if number else 0)
    os.write(1, f"{{word}} {{time.monotonic()}}".encode())
"""
# A process with a child of its own, which holds the pipes as well; both tell who they are.
TWO_PROCESSES = "sleep 60 & echo $$ $!; {then}"


def handler(*command: str) -> Callable[[], Any]:
    return lambda: kernels.run(command)


def shell(then: str) -> Callable[[], Any]:
    return handler("sh", "-c", TWO_PROCESSES.format(then=then))


APPS = {
    "/words": handler(sys.executable, "-c", WORDS),
    "/silent": shell("wait"),
    "/flooding": shell("exec yes"),
    "/stubborn": shell("trap '' TERM HUP INT PIPE; while true; do sleep 1; done"),
}


async def app(scope: Any, receive: Any, send: Any) -> None:
    path = scope["path"] if scope["type"] == "http" else "/words"
    await SSEMiddleware(APPS[path], dialect="husk")(scope, receive, send)


@pytest.fixture(scope="module")
def server(http: Literal["h11", "httptools"]) -> Iterator[tuple[str, int]]:
    with serving(app, http) as address:
        yield address


def hear_words(server: tuple[str, int]) -> list[tuple[str, float, float]]:
    """Each word, when it was written and when it came."""
    parser, heard = EventStreamParser(), list[tuple[str, float, float]]()
    with Client(server) as client:
        client.ask("/words?stream=1")
        client.head()
        for came, chunk in client.chunks():
            for event in parser.feed(chunk):
                if event.event == "stdout":
                    word, written = event.data.split()
                    heard.append((word, float(written), came))
    return heard


def test_words_that_are_printed_with_pauses_arrive_with_these_pauses(server: tuple[str, int]) -> None:
    def measure() -> float:
        heard = hear_words(server)
        assert [word for word, _, _ in heard] == ["Once", "upon", "a", "time"]
        pauses = [after - before for (_, _, before), (_, _, after) in itertools.pairwise(heard)]
        delays = [came - written for _, written, came in heard]
        assert all(delay >= 0 for delay in delays)
        return max(*delays, *(abs(pause - PAUSE) for pause in pauses))

    assert fastest(measure, LATE) < LATE


@needs_proc
@pytest.mark.parametrize("how", get_args(HowToLeave))
@pytest.mark.parametrize("path", ["/silent", "/flooding", "/stubborn"])
def test_a_client_that_leaves_takes_the_processes_with_it(
    server: tuple[str, int], path: str, how: HowToLeave
) -> None:
    """D6."""
    before, kept = descriptors(), children()

    def measure() -> float:
        with Client(server) as client:
            client.ask(f"{path}?stream=1")
            client.head()
            pids = who_they_are(client)
            if path == "/flooding":
                # Every buffer between the process and a client that does not read is full.
                seconds_until(lambda: is_waiting_to_write(pids[0]))
            client.leave(how)
            return seconds_until(lambda: not any(map(is_alive, pids)))

    assert fastest(measure, LATE) < LATE
    seconds_until(lambda: not children() - kept and descriptors() <= before)


def who_they_are(client: Client) -> list[int]:
    """The two processes, from what they write first; both run."""
    event = EventStreamParser().feed(client.until(b"\n\n"))[0]
    pids = [int(word) for word in event.data.split("\n")[0].split()]
    assert [is_alive(pid) for pid in pids] == [True, True]
    return pids


def descriptors() -> int:
    """How many files this process, which is also the server's, has open."""
    return len(os.listdir("/proc/self/fd"))


def is_waiting_to_write(pid: int) -> bool:
    """Whether a process sleeps in a write to a pipe that is full."""
    return "pipe_write" in Path(f"/proc/{pid}/wchan").read_text(encoding="ascii")


@needs_proc
def test_a_buffered_client_that_leaves_takes_the_process_with_it(server: tuple[str, int]) -> None:
    kept = children()

    def measure() -> float:
        with Client(server) as client:
            client.ask("/silent")
            seconds_until(lambda: children() - kept)
            client.leave("FIN")
            return seconds_until(lambda: not children() - kept)

    assert fastest(measure, LATE) < LATE
