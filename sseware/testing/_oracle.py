"""The prefix oracle: after every chunk, a parser says what the standard says of the bytes so far.

One statement holds correctness, chunk invariance and promptness together: *for every prefix of every input, in
every chunking, the events so far, the last event ID and the reconnection time are those of a one-shot
interpreter that was run on that prefix*. It speaks of the standard's three attributes of an event: its data,
its type and its last event ID string.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any, Final, Protocol, TypeAlias

from ..events import MAX_RETRY
from ._reference import ReferenceResult, reference_parse
from ._tracebacks import is_failure

__all__ = [
    "EVENT_FIELDS",
    "IncrementalParser",
    "ParserFactory",
    "PrefixMismatch",
    "PrefixOracle",
    "check_prefixes",
    "saturated",
]

__tracebackhide__ = is_failure

EVENT_FIELDS: Final = ("event", "data", "last_event_id")
"""The attributes of an event in the standard."""

_Seen: TypeAlias = tuple[tuple[object, ...], ...]


class IncrementalParser(Protocol):
    """What can be held against the reference: `sseware.EventStreamParser`, or anything of that shape.

    An event needs ``data``, ``event`` and ``last_event_id``. What ``close`` returns counts as events where it is
    a list or a tuple, and there must be none; anything else is the parser's own business.
    """

    @property
    def last_event_id(self) -> str:
        """The last event ID string."""
        ...

    @property
    def reconnection_time(self) -> int | None:
        """The reconnection time, in milliseconds."""
        ...

    def feed(self, chunk: bytes, /) -> Iterable[Any]:
        """Takes the next bytes; returns the events that they complete."""
        ...

    def close(self) -> object:
        """Tells the parser that the stream has ended."""
        ...


class ParserFactory(Protocol):
    """Makes a parser for one stream; a class with such a constructor is one."""

    def __call__(self, *, last_event_id: str) -> IncrementalParser:
        """Makes a parser that knows the last event ID of the connection before."""
        ...


class PrefixMismatch(AssertionError):
    """A parser and the reference differ.

    Attributes:
        chunks: What the parser was fed, the chunk after which they differ last.
        what: ``"events"``, ``"last_event_id"`` or ``"reconnection_time"``, with ``" after close"`` where the
            end of the stream brought it out; or ``"an error"``, where the parser raised.
        got: What the parser has, or what it raised.
        want: What the reference has.
    """

    def __init__(self, chunks: tuple[bytes, ...], what: str, got: object, want: object) -> None:
        super().__init__(chunks, what, got, want)
        self.chunks = chunks
        self.what = what
        self.got = got
        self.want = want

    def __str__(self) -> str:
        fed = sum(map(len, self.chunks))
        return (
            f"after {fed} bytes the parser and the standard differ in {self.what}\n"
            f"  got    {self.got!r}\n  want   {self.want!r}\n  chunks {list(self.chunks)!r}"
        )


class PrefixOracle:
    r"""Knows what the standard says of each prefix of one stream, and holds parsers against it.

    >>> from sseware.wire import EventStreamParser
    >>> oracle = PrefixOracle(b"data: a\r\r")
    >>> oracle.check(EventStreamParser(), [b"data: a\r", b"\r"])
    3

    Args:
        data: The whole stream.
        last_event_id: The last event ID of the connection before.
        compare: The attributes of an event that are compared, two or more of those of `ReferenceEvent`.
    """

    def __init__(
        self, data: bytes, *, last_event_id: str = "", compare: Sequence[str] = EVENT_FIELDS
    ) -> None:
        self.data = data
        self.last_event_id = last_event_id
        self._fields_of = attrgetter(*compare)
        # One interpretation for each prefix: that is quadratic, so it is made when it is asked for, once.
        self._results: dict[int, ReferenceResult] = {}
        self._states: dict[int, tuple[_Seen, str, int | None]] = {}

    def at(self, length: int) -> ReferenceResult:
        """Returns what the reference makes of the first bytes.

        Args:
            length: The length of the prefix, in bytes.
        """
        if length not in self._results:
            self._results[length] = reference_parse(self.data[:length], last_event_id=self.last_event_id)
        return self._results[length]

    def check(self, parser: IncrementalParser, chunks: Sequence[bytes]) -> int:
        """Feeds a parser, and compares it with the reference after each chunk, and after its end.

        Args:
            parser: A parser that has seen nothing yet.
            chunks: The stream, cut anyhow; empty chunks may be among them.

        Returns:
            How many prefixes were compared, the empty one among them.

        Raises:
            PrefixMismatch: The two differ, or the parser raised.
            ValueError: The chunks are not this oracle's stream.
        """
        if b"".join(chunks) != self.data:
            raise ValueError(f"the chunks must be {self.data!r} when they are joined, got {list(chunks)!r}")
        events: _Seen = ()
        length = 0
        self._compare(parser, events, length, chunks, 0)
        for fed, chunk in enumerate(chunks, 1):
            length += len(chunk)
            try:
                # A generator runs here, so that what it raises is the parser's error.
                new = tuple(parser.feed(chunk))
            except Exception as error:
                raise PrefixMismatch(tuple(chunks[:fed]), "an error", error, self.at(length)) from error
            if new:
                events += self._seen(new)
            self._compare(parser, events, length, chunks, fed)
        try:
            left = parser.close()
        except Exception as error:
            raise PrefixMismatch(tuple(chunks), "an error", error, self.at(length)) from error
        if isinstance(left, list | tuple):
            events += self._seen(left)
        self._compare(parser, events, length, chunks, len(chunks), " after close")
        return len(chunks) + 1

    def _seen(self, events: Iterable[Any]) -> _Seen:
        return tuple(map(self._fields_of, events))

    def _compare(
        self,
        parser: IncrementalParser,
        events: _Seen,
        length: int,
        chunks: Sequence[bytes],
        fed: int,
        when: str = "",
    ) -> None:
        got = events, parser.last_event_id, saturated(parser.reconnection_time)
        want = self._state(length)
        if got == want:
            return
        names = "events", "last_event_id", "reconnection_time"
        differences = zip(names, got, want, strict=True)
        what, ours, theirs = next(difference for difference in differences if difference[1] != difference[2])
        raise PrefixMismatch(tuple(chunks[:fed]), what + when, ours, theirs)

    def _state(self, length: int) -> tuple[_Seen, str, int | None]:
        state = self._states.get(length)
        if state is None:
            result = self.at(length)
            state = self._seen(result.events), result.last_event_id, result.reconnection_time
            self._states[length] = state
        return state


def saturated(reconnection_time: int | None) -> int | None:
    """Returns a reconnection time as the reference has it: the standard knows no largest integer, and it does."""
    return reconnection_time if reconnection_time is None else min(reconnection_time, MAX_RETRY)


def check_prefixes(
    make_parser: ParserFactory,
    chunks: Sequence[bytes],
    *,
    last_event_id: str = "",
    compare: Sequence[str] = EVENT_FIELDS,
) -> int:
    r"""Holds an incremental parser against the standard, after every chunk of one stream.

    >>> from sseware.wire import EventStreamParser
    >>> check_prefixes(EventStreamParser, [b"id: 1\nda", b"ta: a\n", b"\n"])
    4

    Args:
        make_parser: Makes the parser; it is called with ``last_event_id``.
        chunks: The stream, cut anyhow.
        last_event_id: The last event ID of the connection before.
        compare: The attributes of an event that are compared, two or more of those of `ReferenceEvent`.

    Returns:
        How many prefixes were compared: one more than there are chunks.

    Raises:
        PrefixMismatch: After one of the chunks, or at the end, the two differ; or the parser raised.
    """
    oracle = PrefixOracle(b"".join(chunks), last_event_id=last_event_id, compare=compare)
    return oracle.check(make_parser(last_event_id=last_event_id), chunks)
