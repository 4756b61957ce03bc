"""How many streams there are and were, and how they ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from ..dialects import ObservedStream, Outcome, StreamObserver, StreamSummary

__all__ = ["StreamCounter", "StreamStatistics"]


class StreamStatistics(msgspec.Struct, frozen=True):
    """A snapshot of the streams of an application, since it was made.

    Attributes:
        open: How many streams run.
        ended: How many have ended.
        outcomes: How many of them ended how; all outcomes are there.
        events: How many events servers have been given, those of running streams included.
        bytes: How many bytes of body.
        dialects: The same for each dialect, by its name; they have no ``dialects`` themselves.
    """

    open: int = 0
    ended: int = 0
    outcomes: Mapping[Outcome, int] = {}
    events: int = 0
    bytes: int = 0
    dialects: Mapping[str, StreamStatistics] = {}


class _Tally:
    """What has ended."""

    def __init__(self) -> None:
        self.outcomes: Counter[Outcome] = Counter()
        self.events = 0
        self.bytes = 0

    def add(self, summary: StreamSummary) -> None:
        self.outcomes[summary.outcome] += 1
        self.events += summary.events
        self.bytes += summary.bytes


class StreamCounter(StreamObserver):
    """Counts streams. Its numbers are per dialect and per outcome, so that there are never many of them (A9)."""

    def __init__(self) -> None:
        self._open: dict[int, ObservedStream] = {}
        self._tallies: dict[str, _Tally] = {}

    def on_open(self, stream: ObservedStream) -> None:
        """Counts a stream that begins."""
        if stream.dialect not in self._tallies:
            self._tallies[stream.dialect] = _Tally()
        self._open[id(stream)] = stream

    def on_close(self, stream: ObservedStream, summary: StreamSummary) -> None:
        """Counts a stream that has ended."""
        self._open.pop(id(stream), None)
        self._tallies[stream.dialect].add(summary)

    def statistics(self) -> StreamStatistics:
        """Returns a snapshot."""
        # Copied first: another event loop may run in another thread.
        running = list(self._open.values())
        dialects = {
            name: _statistics_of(tally, [stream for stream in running if stream.dialect == name])
            for name, tally in list(self._tallies.items())
        }
        each = dialects.values()
        return StreamStatistics(
            open=len(running),
            ended=sum(one.ended for one in each),
            outcomes={outcome: sum(one.outcomes[outcome] for one in each) for outcome in Outcome},
            events=sum(one.events for one in each),
            bytes=sum(one.bytes for one in each),
            dialects=dialects,
        )


def _statistics_of(tally: _Tally, running: Iterable[ObservedStream]) -> StreamStatistics:
    running = list(running)
    return StreamStatistics(
        open=len(running),
        ended=tally.outcomes.total(),
        outcomes={outcome: tally.outcomes[outcome] for outcome in Outcome},
        events=tally.events + sum(stream.events for stream in running),
        bytes=tally.bytes + sum(stream.bytes for stream in running),
    )
