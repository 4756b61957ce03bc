"""Does a server stay as it is, under clients that come and go, stall, and lose their connections?"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from sseware.testing import FaultProxy, Faults, fault_proxy

from .server_process import allow_descriptors
from .soak_chart import chart
from .soak_clients import Client, Weather

__all__ = ["Sample", "Verdict", "add_options", "run"]

KINDS = (("reader", 0.72), ("slow", 0.08), ("thread", 0.05), ("churn", 0.1), ("stalled", 0.05))
"""What the clients do, and how many of them."""

FAULTS: tuple[tuple[str, Faults | None, float], ...] = (
    ("cut", None, 0.0),
    ("latency", Faults(latency=0.3), 6.0),
    ("reset", None, 0.0),
    ("stall", Faults(stall=True), 5.0),
    ("dribble", Faults(dribble=7), 5.0),
    ("refuse", Faults(refuse=True), 4.0),
)
"""What the network does, one after the other: for how many seconds."""

GROWTH = 2048
MORE = 8
"""KiB by which the memory may be above the first half's peak at the end; and as many more for each client: how many of
them have their buffers full at once is drawn by lot."""


class Sample(NamedTuple):
    """What was seen of the server's process."""

    at: float
    resident: float
    tasks: float
    descriptors: float
    threads: float


class Verdict(NamedTuple):
    """What was looked at, what was found, and whether it will do."""

    what: str
    found: str
    holds: bool


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds what one can say about a soak."""
    parser.add_argument("--minutes", type=float, default=2.0, help="how long (default: 2)")
    parser.add_argument("--connections", type=int, default=500, help="how many clients (default: 500)")
    parser.add_argument("--server", default="uvicorn", help="any that sseware.testing.sse_server knows")
    parser.add_argument("--svg", type=Path, default=Path("soak.svg"), help="where the picture goes")


def run(options: argparse.Namespace) -> int:
    """Runs a soak, and prints its report.

    Returns:
        0 where everything holds, else 1.
    """
    allow_descriptors(4 * options.connections + 500)
    with tempfile.TemporaryFile() as log, _served(options.server, log) as (pid, port):
        soak = _Soak(pid, port, options.connections, options.minutes * 60)
        asyncio.run(soak.run())
        verdicts = soak.verdicts()
        log.seek(0)
        verdicts.append(_of_the_log(log.read().decode(errors="replace")))
    options.svg.write_text(soak.picture(options.server), encoding="utf-8")
    print(soak.report(options.server, verdicts))
    print(f"\nThe picture is in {options.svg}.")
    return 0 if all(verdict.holds for verdict in verdicts) else 1


@contextlib.contextmanager
def _served(server: str, log: Any) -> Iterator[tuple[int, int]]:
    command = [sys.executable, "-m", "benchmarks.soak_app", server]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise SystemExit(f"{server} did not start")
        yield process.pid, int(line)


def _of_the_log(text: str) -> Verdict:
    # A stream whose reader has stalled is given up: uvicorn says so, too, and closes the connection.
    given_up = "ERROR uvicorn.error ASGI callable returned without completing response."
    lines = [line for line in text.splitlines() if line != given_up]
    errors = [line for line in lines if line.startswith(("ERROR", "CRITICAL", "Traceback"))]
    found = f"{len(errors)} errors" + (f", the first: {errors[0][:120]}" if errors else "")
    return Verdict("the server's log", found, not errors)


class _Soak:
    """Clients, faults, and somebody who looks once a second."""

    def __init__(self, pid: int, port: int, connections: int, seconds: float) -> None:
        self._pid = pid
        self._port = port
        self._connections = connections
        self._seconds = seconds
        self._samples: list[Sample] = []
        self._faults: list[tuple[float, str]] = []
        self._clients: list[Client] = []
        self._began = 0.0
        self._weather = Weather()
        self._before: Sample | None = None
        self._after: Sample | None = None

    async def run(self) -> None:
        self._began = time.monotonic()
        self._look()  # the first answer loads what is loaded once
        self._before = self._look()
        with fault_proxy(("127.0.0.1", self._port)) as proxy:
            async with _running(self._kinds(proxy)) as self._clients:
                weather = asyncio.create_task(self._make_weather(proxy))
                while time.monotonic() - self._began < self._seconds:
                    self._samples.append(await asyncio.to_thread(self._look))
                    await asyncio.sleep(1.0)
                weather.cancel()
        self._after = await self._settle()

    def _kinds(self, proxy: FaultProxy) -> list[Client]:
        kinds = [kind for kind, share in KINDS for _ in range(max(1, round(share * self._connections)))]
        return [Client(number, kind, proxy.address, self._weather) for number, kind in enumerate(kinds)]

    async def _make_weather(self, proxy: FaultProxy) -> None:
        # One a minute; in a short soak as often as it takes to see each in both halves.
        every = min(60.0, self._seconds / (2 * len(FAULTS) + 1))
        while True:
            for name, faults, seconds in FAULTS:
                await asyncio.sleep(max(0.0, every - seconds))
                self._faults.append((time.monotonic() - self._began, name))
                self._weather.worsen(seconds)
                if faults is None:
                    await asyncio.to_thread(proxy.cut if name == "cut" else proxy.reset)
                    continue
                proxy.faults = faults
                await asyncio.sleep(seconds)
                proxy.faults = Faults()

    def _look(self) -> Sample:
        at = time.monotonic() - self._began
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/census", timeout=30) as answer:
            tasks = json.loads(answer.read())["tasks"]
        status = Path(f"/proc/{self._pid}/status").read_text(encoding="ascii")
        fields = dict(line.split(":", 1) for line in status.splitlines())
        resident, threads = int(fields["VmRSS"].split()[0]), int(fields["Threads"])
        return Sample(at, resident, tasks, len(os.listdir(f"/proc/{self._pid}/fd")), threads)

    async def _settle(self) -> Sample:
        """Waits until the server is as before, for a while."""
        end = time.monotonic() + 30
        while True:
            sample = await asyncio.to_thread(self._look)
            if self._is_as_before(sample) or time.monotonic() > end:
                return sample
            await asyncio.sleep(0.5)

    def _is_as_before(self, sample: Sample) -> bool:
        before = self._before
        return (
            before is not None and sample.tasks <= before.tasks and sample.descriptors <= before.descriptors
        )

    def verdicts(self) -> list[Verdict]:
        before, after = self._before, self._after
        if before is None or after is None:
            raise RuntimeError("it has not run")
        problems = [problem for client in self._clients for problem in client.problems]
        growth, most_growth = self._above_peak("resident"), GROWTH + MORE * self._connections
        found = [
            Verdict(
                "every client's history",
                f"{len(problems)} problems" + "".join(f"; {problem}" for problem in problems[:5]),
                not problems,
            ),
            Verdict("memory at the end", f"{growth / 1024:+.1f} MiB over its peak", growth <= most_growth),
        ]
        for name in ("tasks", "descriptors"):
            more = self._growth(name)
            # What clients do is drawn by lot, and a fault sends all of them away; what is left at the end is not.
            most = 10 + 0.2 * self._connections
            found.append(Verdict(f"{name} in the second half", f"{more:+.0f}", more <= most))
            was, is_ = getattr(before, name), getattr(after, name)
            found.append(Verdict(f"{name} when all have left", f"{is_:.0f}, before {was:.0f}", is_ <= was))
        return found

    def _above_peak(self, name: str) -> float:
        """Returns by how much the end is above the peak of the first half; below it, less than nothing."""
        values = [getattr(sample, name) for sample in self._samples]
        if len(values) < 4:
            return 0.0
        return float(median(values[-max(1, len(values) // 10) :]) - max(values[: len(values) // 2]))

    def _growth(self, name: str) -> float:
        """Returns by how much the end of the second half is above its beginning; medians of a fifth of it each."""
        half = [getattr(sample, name) for sample in self._samples[len(self._samples) // 2 :]]
        part = max(1, len(half) // 5)
        return float(median(half[-part:]) - median(half[:part])) if half else 0.0

    def picture(self, server: str) -> str:
        title = f"{server}: {self._connections} clients, {self._seconds / 60:g} minutes"
        panels = [
            ("resident memory, MiB", [sample.resident / 1024 for sample in self._samples]),
            ("tasks", [sample.tasks for sample in self._samples]),
            ("descriptors", [sample.descriptors for sample in self._samples]),
        ]
        return chart(title, [sample.at for sample in self._samples], panels, self._faults)

    def report(self, server: str, verdicts: list[Verdict]) -> str:
        counts: Counter[str] = Counter()
        for client in self._clients:
            counts.update(client.counts)
        faults = ", ".join(f"{name} at {at:.0f} s" for at, name in self._faults) or "none"
        lines = [
            f"{server}: {self._connections} clients for {self._seconds / 60:g} minutes",
            "  " + ", ".join(f"{name}: {count:,}" for name, count in sorted(counts.items())),
            f"  faults: {faults}",
        ]
        width = max(len(verdict.what) for verdict in verdicts)
        lines += [
            f"  {'ok  ' if verdict.holds else 'FAILS'} {verdict.what:{width}}  {verdict.found}"
            for verdict in verdicts
        ]
        return "\n".join(lines)


@contextlib.asynccontextmanager
async def _running(clients: list[Client]) -> AsyncIterator[list[Client]]:
    tasks = [asyncio.create_task(client.run()) for client in clients]
    try:
        yield clients
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        for each in ended:
            if isinstance(each, Exception):
                # A mistake of the client's own.
                raise each
