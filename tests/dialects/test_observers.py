"""What an observer is told, as values."""

from __future__ import annotations

import weakref
from collections.abc import AsyncIterator

import pytest

from sseware.dialects import ObservedStream, Outcome, StreamObserver, StreamSummary
from sseware.errors import ConfigurationError
from sseware.events import ServerSentEvent


def test_an_observer_that_overrides_nothing_can_be_told_everything() -> None:
    observer, stream = StreamObserver(), ObservedStream(dialect="plain")
    observer.on_open(stream)
    observer.on_event(stream, ServerSentEvent("a"))
    observer.on_error(stream, ValueError())
    observer.on_close(stream, StreamSummary(Outcome.LEFT))


def test_a_stream_is_told_apart_by_identity_and_may_be_forgotten() -> None:
    one, two = ObservedStream(dialect="plain"), ObservedStream(dialect="plain")
    assert one != two
    kept = weakref.WeakKeyDictionary({one: 1, two: 2})
    assert kept[one] == 1
    del two
    assert len(kept) == 1


def test_an_outcome_is_its_name() -> None:
    assert [str(outcome) for outcome in Outcome] == [
        *("finished", "failed", "left", "stalled", "drained", "expired", "cancelled")
    ]
    assert Outcome("finished") is Outcome.FINISHED


def test_an_async_observer_is_refused_where_it_is_defined() -> None:
    with pytest.raises(ConfigurationError, match=r"Late.on_close is async; .* write def"):

        class Late(StreamObserver):
            async def on_close(self, stream: object, summary: object) -> None: ...  # type: ignore[override]  # the point

    with pytest.raises(ConfigurationError, match=r"Slow.on_event is async"):

        class Slow(StreamObserver):
            async def on_event(self, stream: object, event: object) -> AsyncIterator[None]:  # type: ignore[override]  # the point
                yield
