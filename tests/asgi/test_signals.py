"""Hearing the signal that stops a server, before the server does; and leaving no trace."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from sseware.asgi._signals import SignalChain

NUMBERS = [signal.SIGTERM, signal.SIGINT]


@pytest.fixture(autouse=True)
def handlers_as_they_were() -> Iterator[None]:
    before = [signal.getsignal(number) for number in NUMBERS]
    yield
    for number, handler in zip(NUMBERS, before, strict=True):
        signal.signal(number, handler)


class Server:
    """A server's handler, and what was heard in which order."""

    def __init__(self) -> None:
        self.heard: list[object] = []
        for number in NUMBERS:
            signal.signal(number, self.handle)

    def handle(self, number: int, frame: Any) -> None:
        self.heard.append(signal.Signals(number).name)

    def tell(self) -> None:
        self.heard.append("told")


@pytest.mark.parametrize("number", NUMBERS)
def test_the_drain_is_told_first_and_then_the_server(number: int) -> None:
    server = Server()
    SignalChain(server.tell, 5)
    signal.raise_signal(number)
    assert server.heard == ["told", signal.Signals(number).name]


def test_the_second_signal_is_the_servers_alone() -> None:
    """uvicorn stops at once then."""
    server = Server()
    SignalChain(server.tell, 5)
    signal.raise_signal(signal.SIGINT)
    signal.raise_signal(signal.SIGINT)
    signal.raise_signal(signal.SIGTERM)
    assert server.heard == ["told", "SIGINT", "SIGINT", "SIGTERM"]
    assert [signal.getsignal(number) for number in NUMBERS] == [server.handle] * 2


def test_the_handlers_are_put_back_at_the_end() -> None:
    server = Server()
    chain = SignalChain(server.tell, 5)
    assert signal.getsignal(signal.SIGTERM) != server.handle
    for _ in range(2):
        chain.put_back()
        assert [signal.getsignal(number) for number in NUMBERS] == [server.handle] * 2


def test_a_handler_that_was_put_over_ours_stays() -> None:
    server, later = Server(), list[str]()
    chain = SignalChain(server.tell, 5)
    ours = signal.getsignal(signal.SIGTERM)

    def over(number: int, frame: Any) -> None:
        later.append("over")
        assert callable(ours)
        ours(number, frame)

    signal.signal(signal.SIGTERM, over)
    chain.put_back()
    assert signal.getsignal(signal.SIGTERM) is over
    signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGTERM)
    assert later == ["over", "over"]
    assert server.heard == ["told", "SIGTERM", "SIGTERM"], "what stands over ours reaches the server's"


def test_two_drains_are_told_whatever_their_order() -> None:
    """S6."""
    server = Server()
    first = SignalChain(lambda: server.heard.append("first"), 5)
    second = SignalChain(lambda: server.heard.append("second"), 5)
    signal.raise_signal(signal.SIGTERM)
    assert server.heard == ["second", "first", "SIGTERM"]
    first.put_back()
    second.put_back()
    assert signal.getsignal(signal.SIGTERM) == server.handle


def test_a_signal_that_is_ignored_stays_so() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    told: list[int] = []
    chain = SignalChain(lambda: told.append(1), 5)
    assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    signal.raise_signal(signal.SIGINT)
    assert told == []
    chain.put_back()


def test_elsewhere_than_in_the_main_thread_nothing_is_touched() -> None:
    """S6: signals do not come there."""
    server = Server()

    def run() -> None:
        SignalChain(server.tell, 5).put_back()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGTERM) == server.handle
    chain = SignalChain(server.tell, 5)
    thread = threading.Thread(target=chain.put_back)
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGTERM) != server.handle
    chain.put_back()


def test_ctrl_c_is_raised_as_ever() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    told: list[int] = []
    SignalChain(lambda: told.append(1), 5)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    assert told == [1]


def test_where_there_is_no_handler_the_signal_comes_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    later: list[Any] = []

    class Timer:
        daemon = False

        def __init__(self, *arguments: Any) -> None:
            self.arguments = arguments

        def start(self) -> None:
            later.append((self.daemon, *self.arguments))

    monkeypatch.setattr(threading, "Timer", Timer)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    told: list[int] = []
    SignalChain(lambda: told.append(1), 2.5)
    signal.raise_signal(signal.SIGTERM)
    assert told == [1]
    assert later == [(True, 2.5, signal.raise_signal, (signal.SIGTERM,))]
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


ALONE = """
import sys, time
from sseware.asgi._signals import SignalChain
SignalChain(lambda: print("told", flush=True), 0.3)
print("ready", flush=True)
time.sleep(30)
"""


@pytest.mark.parametrize("times", [1, 2])
def test_a_process_without_a_handler_dies_when_its_streams_have_had_their_time(times: int) -> None:
    """A worker of hypercorn's is one; a second signal kills it at once."""
    with subprocess.Popen([sys.executable, "-c", ALONE], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        start = time.monotonic()
        os.kill(process.pid, signal.SIGTERM)
        assert process.stdout.readline() == "told\n"
        if times == 2:
            os.kill(process.pid, signal.SIGTERM)
        assert process.wait(10) == -signal.SIGTERM
        if times == 1:
            assert time.monotonic() - start >= 0.3
