"""Assertions on events: what came is what is wanted, one event is one frame, a stream ends once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Literal, TypeAlias

from ..dialects import Dialect, get_dialect
from ..errors import ConfigurationError, SSEError, TruncatedStream
from ..events import ServerSentEvent
from ..items import Failure, Finish
from ..wire import EventStreamParser, iter_events
from ._differences import difference_lines
from ._matching import Wanted, check_fields, differing_fields, wanted_events
from ._observed import ObservedStream
from ._tracebacks import is_failure

__all__ = ["Events", "assert_events", "assert_lifecycle", "assert_one_frame"]

__tracebackhide__ = is_failure

Events: TypeAlias = Iterable[Any] | bytes | ObservedStream
"""Events that came: a list of them (whatever has ``data`` and ``event``), a stream, or its bytes."""


def assert_events(
    got: Events,
    want: Iterable[Wanted],
    *,
    ignore: Collection[str] = (),
    order: Literal["exact", "any", "contains"] = "exact",
) -> None:
    r"""Fails where the events are not those that are wanted, and says first what differs first.

    >>> from sseware.testing import IsEvent
    >>> assert_events(b"data: a\n\ndata: b\n\n", ["a", IsEvent(data="b")])
    >>> assert_events(b"data: a\n\ndata: x\n\ndata: b\n\n", ["a", "b"])
    Traceback (most recent call last):
    AssertionError: event 1 was inserted: ServerSentEvent(data='x')
    3 events came, 2 are wanted (+ came in addition, - is missing, ~ is another one):
          0  message  'a'
      +   1  message  'x'
          2  message  'b'

    Args:
        got: The events that came.
        want: The events that are wanted: events, matchers, or text for an event that has only this data.
        ignore: Fields that do not count: ``"id"``, ``"retry"``, ``"event"``, ``"data"``.
        order: Whether there are these and no others in this order, or in any order, or whether others may stand
            between them.

    Raises:
        AssertionError: They differ.
    """
    came, wanted, fields = _events(got), wanted_events(want), check_fields(ignore)
    if order == "exact":
        lines = difference_lines(came, wanted, fields)
    elif order == "any":
        lines = _in_any_order(came, wanted, fields)
    elif order == "contains":
        lines = _not_contained(came, wanted, fields)
    else:
        raise ConfigurationError(f'order must be "exact", "any" or "contains", got {order!r}')
    if lines:
        raise AssertionError("\n".join(lines))


def _events(got: Events) -> list[Any]:
    if isinstance(got, ObservedStream):
        return list(got.events)
    if isinstance(got, bytes | bytearray):
        return list(iter_events([bytes(got)]))
    return list(got)


def _in_any_order(came: list[Any], wanted: Sequence[Any], ignore: Collection[str]) -> list[str]:
    left, missing = list(came), []
    for want in wanted:
        found = next((n for n, got in enumerate(left) if not differing_fields(got, want, ignore)), None)
        if found is None:
            missing.append(want)
        else:
            del left[found]
    lines = [f"missing: {want!r}" for want in missing] + [f"came in addition: {got!r}" for got in left]
    return [*lines[:20], f"{len(came)} events came, {len(wanted)} are wanted, in any order"] if lines else []


def _not_contained(came: list[Any], wanted: Sequence[Any], ignore: Collection[str]) -> list[str]:
    position = 0
    for number, want in enumerate(wanted):
        rest = range(position, len(came))
        found = next((n for n in rest if not differing_fields(came[n], want, ignore)), None)
        if found is None:
            behind = f" behind event {position - 1}" if position else ""
            lines = [f"event {number} of those wanted did not come{behind}: {want!r}", "what came there:"]
            return [*lines, *(f"  {n:3}  {came[n]!r}" for n in rest[:20])]
        position = found + 1
    return []


def assert_one_frame(chunk: bytes, want: Wanted | None = None) -> ServerSentEvent:
    r"""Fails where bytes are not exactly one event: complete, alone, and of the standard's fields.

    >>> assert_one_frame(b"event: tick\ndata: 1\n\n")
    ServerSentEvent(data='1', event='tick')

    Args:
        chunk: What an encoder has written for one event.
        want: The event that it is to be.

    Returns:
        The event.

    Raises:
        AssertionError: They are something else.
    """
    parser = EventStreamParser(max_event_size=None)
    # The LF of a CRLF ends nothing.
    lines = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    early = parser.feed(lines[:-1])
    events = [*early, *parser.feed(lines[-1:])]
    if len(events) != 1:
        raise AssertionError(f"{len(events)} events are in {chunk!r}; one is wanted")
    if early:
        raise AssertionError(f"the event is complete before the end of {chunk!r}")
    for line in lines.split(b"\n"):
        if line.partition(b":")[0] not in (b"", b"data", b"event", b"id", b"retry"):
            raise AssertionError(f"{line!r} is no field of the standard, in {chunk!r}")
    if want is not None:
        assert_events(events, [want])
    return events[0]


def assert_lifecycle(events: Events, dialect: str | Dialect) -> None:
    """Fails where a stream does not end as its dialect has it: exactly once, with nothing behind its end.

    Args:
        events: The events of a whole stream.
        dialect: The dialect, or its name.

    Raises:
        AssertionError: There are two ends, or none, or something comes after it, or an event is none of the dialect.
    """
    speaks, came = get_dialect(dialect), _events(events)
    decoder, end = speaks.decoder(), None
    for number, event in enumerate(came):
        try:
            items = list(decoder.decode(event))
        except SSEError as exc:
            if end is None:
                raise AssertionError(f"event {number} is none of {speaks.name}: {exc}") from exc
            items = [event]
        # A dialect may close a failed stream with an event that says nothing more.
        if end is not None and items:
            raise AssertionError(
                f"event {number} comes after the end of the stream: {event!r}\n"
                f"it ended with event {end}: {came[end]!r}"
            )
        ends = [item for item in items if isinstance(item, Finish | Failure)]
        if len(ends) > 1:
            raise AssertionError(f"event {number} ends the stream twice: {ends!r}")
        if ends:
            end = number
    try:
        decoder.close()
    except TruncatedStream as exc:
        raise AssertionError(f"the stream has no end: {exc}\n{len(came)} events came") from exc
