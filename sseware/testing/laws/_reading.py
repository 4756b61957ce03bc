"""A parser as the laws see it: chunks in, events out, and after which chunk each of them came."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

import anyio
import msgspec

from .._reference import reference_parse
from ._law import Broken

__all__ = ["Parse", "Reading", "Seen", "field_of", "read", "reference_reading", "shown"]

Parse: TypeAlias = Callable[[Any], Any]
"""Takes chunks of bytes; returns events with ``event``, ``data``, ``id``: a list, an iterator, or an async one."""


class Seen(msgspec.Struct, frozen=True):
    """What the laws compare of an event.

    Attributes:
        event: The event type; ``"message"`` where the parser tells none.
        data: The data.
        id: The last event ID string; ``""`` where the parser tells none.
    """

    event: str
    data: str
    id: str = ""


class Reading(msgspec.Struct):
    """What a parser made of a stream.

    Attributes:
        raw: The events as they came.
        counts: How many had come when it took the next chunk, and when it found that there is none.
        lazy: Whether it hands events out as they come.
    """

    raw: list[Any]
    counts: list[int]
    lazy: bool

    def seen(self) -> list[Seen]:
        """Returns what the laws compare."""
        return [_seen(event) for event in self.raw]


class _Feed(list[bytes]):
    """A list of chunks that tells when the next one is taken; it can be iterated in either way."""

    def __init__(self, chunks: Iterable[bytes], taken: Callable[[], None]) -> None:
        super().__init__(chunks)
        self._taken = taken

    def whole(self) -> Iterator[bytes]:
        """Yields the chunks, and tells nobody."""
        return super().__iter__()

    def __iter__(self) -> Iterator[bytes]:
        for number in range(len(self)):
            self._taken()
            yield self[number]
        self._taken()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk


def read(
    parse: Parse, chunks: Iterable[bytes], *, keep: bool = True, taken: Callable[[], None] | None = None
) -> Reading:
    """Lets a parser read a stream to its end.

    Args:
        parse: The parser: a function, an async one, or a class whose instances have ``feed``.
        chunks: The stream.
        keep: Whether the events are kept; otherwise they are only counted.
        taken: Is called before each chunk that is taken; what it raises ends the reading.

    Raises:
        Broken: It raised.
    """
    made: Any = parse
    call: Any = _fed(made) if inspect.isclass(made) and hasattr(made, "feed") else made
    reading = Reading([], [], lazy=False)
    count = 0

    def note() -> None:
        reading.counts.append(count)
        if taken is not None:
            taken()

    def came(event: Any) -> None:
        nonlocal count
        count += 1
        if count > most:
            raise Broken(f"the parser has told {count} events of {most} bytes, and goes on")
        if keep:
            reading.raw.append(event)

    feed = _Feed(chunks, note)
    # No event has fewer bytes than one, so that one that never ends is seen.
    most = sum(map(len, feed.whole()))
    try:
        result: Any = call(feed)
        if inspect.isawaitable(result) or hasattr(result, "__aiter__"):
            reading.lazy = hasattr(result, "__aiter__")
            anyio.run(_drain, result, came)
        else:
            reading.lazy = hasattr(result, "__next__")
            for event in result:
                came(event)
    except Broken:
        raise
    except Exception as error:
        raise Broken(f"the parser raised {error!r}") from error
    # Whoever joins a list does not iterate over it.
    reading.counts = reading.counts or [0] * (len(feed) + 1)
    return reading


async def _drain(result: Any, came: Callable[[Any], None]) -> None:
    if inspect.isawaitable(result):
        result = await result
    if not hasattr(result, "__aiter__"):
        for event in result:
            came(event)
        return
    async for event in result:
        came(event)


def _fed(make: Callable[[], Any]) -> Parse:
    """Makes an iterator of a parser that is fed."""

    def parse(chunks: Iterable[bytes]) -> Iterator[Any]:
        parser = make()
        for chunk in chunks:
            yield from parser.feed(chunk)
        close = getattr(parser, "close", None)
        left = close() if close is not None else None
        if isinstance(left, list | tuple):
            yield from left

    return parse


def reference_reading(data: bytes) -> list[Seen]:
    """Returns what the standard makes of a stream."""
    return list(_of_the_standard(data))


# A stream is read in many cuts.
@lru_cache(maxsize=256)
def _of_the_standard(data: bytes) -> tuple[Seen, ...]:
    events = reference_parse(data).events
    return tuple(Seen(event.event, event.data, event.last_event_id) for event in events)


_ABSENT: Any = object()


def _seen(event: Any) -> Seen:
    data, last = field_of(event, "data"), field_of(event, "last_event_id")
    if last is _ABSENT:
        last = field_of(event, "id")
    if data is _ABSENT or last is _ABSENT:
        missing = "data" if data is _ABSENT else "id"
        raise Broken(f"an event of the parser has no {missing!r}: {event!r}")
    kind = field_of(event, "event")
    return Seen("message" if kind in (_ABSENT, None, "") else kind, data, "" if last is None else last)


def field_of(event: Any, name: str, default: Any = _ABSENT) -> Any:
    """Returns an attribute of an event, or what a mapping has under that name."""
    if isinstance(event, Mapping):
        return event.get(name, default)
    return getattr(event, name, default)


def shown(events: Iterable[Seen]) -> str:
    """Returns events in one line, without what is usual."""
    return f"[{', '.join(_shown(event) for event in events)}]"


def _shown(event: Seen) -> str:
    parts = [repr(event.data)]
    if event.event != "message":
        parts.insert(0, f"{event.event!s}:")
    if event.id:
        parts.append(f"id={event.id!r}")
    return " ".join(parts)
