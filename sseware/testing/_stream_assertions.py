"""Assertions on streams over time: their silence is never too long, and a cut loses nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from .._types import ASGIApp
from ..events import ServerSentEvent
from ..wire import EventStreamParser
from ._assertions import assert_events
from ._connect import connect
from ._exchange import check_seconds
from ._observed import ObservedStream
from ._tracebacks import is_failure

__all__ = ["assert_cadence", "assert_resumes"]

__tracebackhide__ = is_failure


def assert_cadence(stream: ObservedStream, *, every: float, tolerance: float = 0.001) -> None:
    """Fails where a stream was silent for too long, or a keepalive came too early or late.

    A keepalive is a chunk of comments. It is due when nothing was sent for some time, and not before.

    Args:
        stream: A stream, in virtual time or with a tolerance.
        every: After how many seconds of silence a keepalive is due.
        tolerance: How many seconds it may be early or late.

    Raises:
        AssertionError: It was not so, or no keepalive has come that could be looked at.
    """
    check_seconds("every", every)
    at = [chunk.at for chunk in stream.chunks]
    with_events = {event.chunk for event in stream.events}
    keepalives = {comment.chunk for comment in stream.comments} - with_events
    gaps = [late - early for early, late in pairwise(at)]
    told = f"chunks came at {', '.join(f'{each:g}' for each in at[:20])} s"
    if not any(chunk for chunk in keepalives):
        raise AssertionError(f"no keepalive came in {stream.elapsed:g} s; {told}")
    for chunk, gap in enumerate(gaps, 1):
        if gap > every + tolerance or (chunk in keepalives and gap < every - tolerance):
            what = "the keepalive" if chunk in keepalives else "the chunk"
            raise AssertionError(
                f"{what} at {at[chunk]:g} s came after {gap:g} s of silence, not after {every:g}; {told}"
            )
    silence = stream.elapsed - at[-1]
    if stream.ending is None and silence > every + tolerance:
        raise AssertionError(f"nothing came in the last {silence:g} s, longer than {every:g}; {told}")


async def assert_resumes(
    app: ASGIApp, path: str = "/", *, cuts: Iterable[int] | None = None, **request: Any
) -> int:
    """Fails where a client that was cut off, and comes back with ``Last-Event-ID``, gets too much or too little.

    The application is asked once for the whole stream, which must have an end and be the same each time. Then, for
    each cut, a client that has read so many bytes reconnects: what it had and what it gets must be the whole.

    Args:
        app: The application.
        path: The path.
        cuts: After how many bytes the connection is cut; after each byte where nothing is given.
        request: Further arguments of `connect`.

    Returns:
        How many times the application was asked again.

    Raises:
        AssertionError: There is a gap, or something came twice, or out of order.
    """
    async with connect(app, path, **request) as stream:
        whole = await stream.drain()
    resumed: dict[str, Sequence[Any]] = {}
    for cut in range(len(stream.wire) + 1) if cuts is None else cuts:
        had, last_event_id = _read_until(stream.wire, cut)
        if last_event_id not in resumed:
            given = {**request, "last_event_id": last_event_id}
            async with connect(app, path, **given) as again:
                resumed[last_event_id] = await again.drain()
        try:
            assert_events([*had, *resumed[last_event_id]], whole)
        except AssertionError as exc:
            raise AssertionError(
                f"after a cut at byte {cut}, with {len(had)} events there and Last-Event-ID {last_event_id!r}: {exc}"
            ) from None
    return len(resumed)


def _read_until(wire: bytes, cut: int) -> tuple[list[ServerSentEvent], str]:
    parser = EventStreamParser(max_event_size=None)
    return parser.feed(wire[:cut]), parser.last_event_id
