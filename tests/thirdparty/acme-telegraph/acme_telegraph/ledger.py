"""The ledger of the telegraph office: an observer of streams, whatever dialect they speak.

At the end of each stream it writes one line to the log ``acme.ledger``: how many words went over the wire, and how
the stream ended.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any
from weakref import WeakKeyDictionary

from sseware import ServerSentEvent
from sseware.dialects import ObservedStream, StreamObserver, StreamSummary, hookimpl

__all__ = ["Ledger", "sseware_stream_observers"]

_log = logging.getLogger("acme.ledger")


class Ledger(StreamObserver):
    """Counts the words of each stream."""

    def __init__(self) -> None:
        # What belongs to one stream is kept by the stream; it is forgotten with it.
        self._words: WeakKeyDictionary[ObservedStream, int] = WeakKeyDictionary()

    def on_event(self, stream: ObservedStream, event: ServerSentEvent) -> None:
        """Counts the words of an event."""
        self._words[stream] = self._words.get(stream, 0) + len(event.data.split())

    def on_close(self, stream: ObservedStream, summary: StreamSummary) -> None:
        """Writes the line."""
        words = self._words.pop(stream, 0)
        _log.info(
            "%s: %d words in %d events, %s", stream.dialect, words, summary.events, summary.outcome.value
        )


@hookimpl
def sseware_stream_observers(settings: Any) -> Iterable[StreamObserver]:
    """Provides the ledger, unless somebody debugs: then the words are nobody's business."""
    return [] if settings.debug else [Ledger()]
