"""A dialect as its laws see it: items in, bytes between, items out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from ...dialects import AnItem, ChunkEncoder, Dialect, StreamContext, get_dialect
from ...errors import InvalidEvent, InvalidItem, TruncatedStream
from ...events import ServerSentEvent
from ...items import Failure, Finish, Text
from ...wire import EventStreamParser
from ._law import Broken

__all__ = [
    "DESIGN",
    "decoded",
    "ends",
    "events_of",
    "promises_an_end",
    "terminators",
    "the_dialect",
    "told_text",
    "written",
]

DESIGN: Final = "ARCHITECTURE, dialects"


def the_dialect(target: Any) -> Dialect:
    """Returns a dialect: by its name, as it is, or with the defaults of its class."""
    if isinstance(target, str):
        return get_dialect(target)
    made: Dialect = target() if isinstance(target, type) else target
    return made


def written(dialect: Dialect, items: Iterable[AnItem], end: Finish | Failure) -> bytes:
    """Returns a stream of a dialect, at a clock that stands still; an item that it refuses is not in it.

    Raises:
        Broken: An item that it does not refuse cannot be written.
    """
    # Two streams of the same items differ by what the dialect makes up only.
    chunks = ChunkEncoder(dialect.open(StreamContext(clock=float)))
    stream = b""
    for item in items:
        try:
            stream += chunks.encode(item)
        except (InvalidItem, InvalidEvent):
            continue
        except Exception as error:
            raise Broken(f"the encoder raised {error!r}, and neither InvalidItem nor InvalidEvent") from error
        if chunks.ended:
            break
    if isinstance(end, Failure):
        return stream + chunks.fail(end)
    return stream + (chunks.encode(end) if not chunks.ended else b"") + chunks.finish()


def events_of(stream: bytes) -> list[ServerSentEvent]:
    """Returns the events of a stream."""
    return EventStreamParser(max_event_size=None).feed(stream)


def decoded(dialect: Dialect, events: Iterable[ServerSentEvent], *, close: bool = True) -> list[AnItem]:
    """Returns the items of events.

    Raises:
        Broken: The dialect cannot read what it has written.
    """
    decoder = dialect.decoder()
    try:
        items = [item for event in events for item in decoder.decode(event)]
        if close:
            decoder.close()
    except Exception as error:
        raise Broken(f"the dialect cannot read what it has written: {error!r}") from error
    return items


def ends(items: Iterable[AnItem]) -> list[Finish | Failure]:
    """Returns the items that end a stream."""
    return [item for item in items if isinstance(item, Finish | Failure)]


def promises_an_end(dialect: Dialect) -> bool:
    """Tells whether a stream without a terminator is a cut one in this dialect."""
    try:
        dialect.decoder().close()
    except TruncatedStream:
        return True
    return False


def told_text(items: Iterable[AnItem]) -> str:
    """Returns the text of items, joined."""
    return "".join(item.text for item in items if isinstance(item, Text))


def terminators(dialect: Dialect) -> list[ServerSentEvent]:
    """Returns the events that end streams of a dialect, well and badly."""
    last = [events_of(written(dialect, [], end))[-1:] for end in (Finish(), Failure("no"))]
    return [*(event for events in last for event in events), ServerSentEvent("[DONE]")]
