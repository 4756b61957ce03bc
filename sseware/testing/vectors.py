r"""Conformance vectors: event streams, what they mean, and the byte at which each event is due.

>>> vector = load_vectors("sse/parse/eol")[3]
>>> vector.rule
'A CR ends the line now, not when the byte after it has come.'
>>> vector.wire, vector.due
(b'data: north\r\rdata: south\r', (13,))

They are data (``vectors.json``, ``response_vectors.json`` beside this file) for a parser in any language: a
``wire`` is a string whose characters are bytes, which is Latin-1; what is absent is empty or null. Each has an
id that will not change its meaning, the section of the standard, and the rule that it shows, in a sentence.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from ._oracle import ParserFactory, PrefixMismatch, saturated
from ._reference import ReferenceEvent
from ._tracebacks import is_failure

__all__ = ["ResponseVector", "Vector", "check_vector", "feedings", "load_response_vectors", "load_vectors"]

__tracebackhide__ = is_failure


class Vector(msgspec.Struct, frozen=True, repr_omit_defaults=True, forbid_unknown_fields=True):
    """One event stream, and what the standard makes of it.

    Attributes:
        id: Its name, such as ``sse/parse/bom/3``.
        section: The section of the standard: of WHATWG HTML, or of WHATWG Encoding.
        rule: What it shows, in a sentence.
        wire: The bytes.
        events: The events, in order; their own ``id`` and ``retry`` are not told.
        due: For each event, how many bytes of the wire must be in for it to be out.
        initial_last_event_id: The last event ID string that the connection before has left.
        last_event_id: The last event ID string at the end.
        reconnection_time: The reconnection time at the end, in milliseconds, or ``None``.
        wpt: The tests of Web Platform Tests, ``eventsource/``, that look for the same.
    """

    id: str
    section: str
    rule: str
    wire: bytes
    events: tuple[ReferenceEvent, ...]
    due: tuple[int, ...]
    initial_last_event_id: str = ""
    last_event_id: str = ""
    reconnection_time: int | None = None
    wpt: tuple[str, ...] = ()


class ResponseVector(msgspec.Struct, frozen=True, repr_omit_defaults=True, forbid_unknown_fields=True):
    """The head of a response, and whether it opens an event stream.

    Attributes:
        id: Its name, such as ``sse/response/type/5``.
        section: The section of the standard: of WHATWG HTML, Fetch or MIME Sniffing.
        rule: What it shows, in a sentence.
        status: The status code.
        content_type: The value of ``Content-Type``, or ``None``.
        opens: Whether it opens an event stream.
        wpt: The tests of Web Platform Tests, ``eventsource/``, that look for the same.
    """

    id: str
    section: str
    rule: str
    status: int
    content_type: str | None
    opens: bool
    wpt: tuple[str, ...] = ()


def load_vectors(under: str = "sse/") -> tuple[Vector, ...]:
    """Returns the vectors for parsers, in the order of their ids' groups.

    Args:
        under: How the id begins, such as ``"sse/parse/bom/"``; all of them by default.
    """
    vectors = (
        msgspec.convert({**row, "wire": row["wire"].encode("latin-1")}, Vector)
        for row in _rows("vectors.json")
    )
    return tuple(vector for vector in vectors if vector.id.startswith(under))


def load_response_vectors(under: str = "sse/") -> tuple[ResponseVector, ...]:
    """Returns the vectors for what decides whether a response is an event stream.

    Args:
        under: How the id begins; all of them by default.
    """
    vectors = (msgspec.convert(row, ResponseVector) for row in _rows("response_vectors.json"))
    return tuple(vector for vector in vectors if vector.id.startswith(under))


def _rows(name: str) -> list[dict[str, Any]]:
    data = Path(__file__).with_name(name).read_bytes()
    return msgspec.json.decode(data, type=list[dict[str, Any]])


def feedings(data: bytes) -> Iterator[tuple[bytes, ...]]:
    """Yields a stream whole, byte by byte, and cut in two at every place.

    Args:
        data: The stream.
    """
    yield (data,)
    yield tuple(bytes((byte,)) for byte in data)
    for cut in range(1, len(data)):
        yield data[:cut], data[cut:]


def check_vector(make_parser: ParserFactory, vector: Vector) -> int:
    """Holds a parser against a vector in every one of its `feedings`.

    Args:
        make_parser: Makes a parser; it is called with ``last_event_id``, once for each feeding.
        vector: The vector.

    Returns:
        How many feedings there were.

    Raises:
        PrefixMismatch: An event is wrong, early, late or missing, or what the stream leaves is wrong.
    """
    count = 0
    for chunks in feedings(vector.wire):
        _check_feeding(make_parser, vector, chunks)
        count += 1
    return count


def _check_feeding(make_parser: ParserFactory, vector: Vector, chunks: tuple[bytes, ...]) -> None:
    parser = make_parser(last_event_id=vector.initial_last_event_id)
    events: list[ReferenceEvent] = []
    length = 0
    for fed, chunk in enumerate(chunks, 1):
        length += len(chunk)
        want = vector.events[: sum(due <= length for due in vector.due)]
        try:
            events += [ReferenceEvent(new.data, new.event, new.last_event_id) for new in parser.feed(chunk)]
        except Exception as error:
            raise PrefixMismatch(chunks[:fed], "an error", error, want) from error
        if tuple(events) != want:
            raise PrefixMismatch(chunks[:fed], "events", tuple(events), want)
    left = parser.close()
    if isinstance(left, list | tuple) and left:
        raise PrefixMismatch(chunks, "events after close", tuple(left), ())
    got = parser.last_event_id, saturated(parser.reconnection_time)
    if got != (vector.last_event_id, vector.reconnection_time):
        want_left = vector.last_event_id, vector.reconnection_time
        raise PrefixMismatch(chunks, "last_event_id or reconnection_time", got, want_left)
