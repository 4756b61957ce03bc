"""What a dialect is: five protocols, no base class.

A dialect is a value, its configuration. For each response it opens an encoder (a stream) or a fold (a buffered
answer), which hold what belongs to that response: an index, a clock, gathered text. For each stream that is read
it makes a decoder. None of them awaits, and none makes bytes: events are written by `sseware.wire`.

What every dialect keeps, and what helps to keep it (``docs/writing-a-dialect.md`` shows it at work):

1. Every built-in item has a fate: it becomes events, it is kept for a later one, or its type stands in ``omits``.
   An encoder and a fold end with ``return leave_out(dialect, item)``, which returns no events for a type that
   stands there, and raises `InvalidItem` for a type that does not, and for all where the dialect is ``strict``.
2. A subclass of an item is that item; so dispatch by ``isinstance``, or by ``type`` with ``isinstance`` behind it.
3. A `ServerSentEvent` passes as it is, unless it bears a name that ends a stream, or otherwise is the dialect's own:
   ``refuse_owned`` says so. Text that a user yields stands inside JSON, or in an event that nothing takes for an end.
4. ``encode`` of a `Finish` keeps it; ``finish`` writes the terminator. ``fail`` writes the failure and no success.
5. A decoder returns `Finish` when the terminator has come and not before, `Failure` when the failure has come, either
   once. Where the dialect has a terminator, ``close`` raises `TruncatedStream` unless one of them has come.
6. ``decode`` takes any event of any stream: it returns items, or raises `InvalidDialectEvent` (``read_payload``
   raises it), and nothing else. An event that is none of the dialect's own is returned as `Data` or as it is.
7. What a stream says, the fold says: the same content in another shape.
8. ``schema`` is made of the types that the decoder reads with: ``events_schema``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Literal, Protocol, TypeAlias, runtime_checkable

import msgspec

from ..events import Comment, ServerSentEvent
from ..items import Failure, Item

__all__ = [
    "AnEvent",
    "AnItem",
    "BufferedAnswer",
    "Dialect",
    "DialectDecoder",
    "DialectEncoder",
    "DialectFold",
    "StreamContext",
]

AnItem: TypeAlias = Item | ServerSentEvent
"""Any item, built in or a plugin's own."""

AnEvent: TypeAlias = ServerSentEvent | Comment
"""What a dialect writes; comments are for people."""


class StreamContext(msgspec.Struct, frozen=True):
    """What a dialect may know of the request that it answers.

    Attributes:
        method: The request method.
        path: The path of the request, decoded.
        query: The query string, without its question mark.
        accept: The value of ``Accept``, or ``None``.
        http_version: ``"1.0"``, ``"1.1"``, ``"2"`` or ``"3"``.
        debug: Whether failures may show the text of any exception.
        clock: Tells seconds on a monotonic clock; the virtual one in a test.
        started: What the clock told when the request came.
    """

    method: str = "GET"
    path: str = "/"
    query: str = ""
    accept: str | None = None
    http_version: str = "1.1"
    debug: bool = False
    clock: Callable[[], float] = time.monotonic
    started: float = 0.0

    def elapsed(self) -> float:
        """Tells how long the request has run, in seconds."""
        return self.clock() - self.started


class BufferedAnswer(msgspec.Struct, frozen=True):
    """A whole response, folded from items.

    Attributes:
        status: The HTTP status code.
        headers: Header fields, names in lower case, ``content-type`` among them; the driver adds
            ``content-length`` and ``vary``.
        body: The body.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class DialectEncoder(Protocol):
    """Encodes the items of one response. The driver calls it in this order.

    ``start`` once, before the first item (or before ``finish`` or ``fail`` where there is none); ``encode`` for
    each item but `Failure`; then either ``finish`` once, after the handler has ended or has yielded a `Finish`, or
    ``fail`` once. An encoder writes its terminator in ``finish`` or ``fail``, never in ``encode``.

    Optional attribute: ``ended: bool``, whether an item has ended the stream, as a step ``completed`` of a graph's
    run does. The driver looks after each item; once it is true it closes the handler and calls ``finish``, which adds
    what is missing still, maybe nothing. It is the one exception to the rule above.

    Optional attribute: ``text_event: str``, an event type, where ``encode`` of any `Text` is one event of this type
    whose data are the text, and keeps nothing of it. The driver writes the texts by itself then, without a call of
    ``encode`` for each. It has no effect where the encoder has ``ended``, or the dialect wants pauses.

    Optional attribute: ``data_event: str``, the same for `Data` without a name: one event of this type, whose data
    are what ``COMPACT.dumps`` makes of the value. The driver writes the dicts of a handler by itself then.

    Optional method: ``farewell() -> Iterable[AnEvent]``, what the dialect says where the server stops in mid-stream;
    a comment is sent where there is none. It is called in the place of ``finish`` and ``fail``, at most once, and
    says neither that the run succeeded nor that it failed: the client shall come back.
    """

    def start(self) -> Iterable[AnEvent]:
        """Returns what opens the stream."""
        ...

    def encode(self, item: AnItem) -> Iterable[AnEvent]:
        """Returns the events of one item; none where the dialect leaves it out by design, or keeps it for later.

        Raises:
            InvalidItem: The item cannot be expressed, or is left out and the dialect is strict, or forges an
                event that the dialect owns.
        """
        ...

    def finish(self) -> Iterable[AnEvent]:
        """Returns what ends the stream well, or as the `Finish` item said."""
        ...

    def fail(self, failure: Failure) -> Iterable[AnEvent]:
        """Returns what ends the stream badly; never a terminator of success."""
        ...


class DialectFold(Protocol):
    """Folds the items of one response into a buffered answer, called in the order of `DialectEncoder`.

    ``fail`` also makes the answer to a request whose handler failed before it yielded anything. A fold may have the
    attribute ``ended``, too.
    """

    @property
    def size(self) -> int:
        """How many bytes have been gathered, about; the driver refuses to go past its limit."""
        ...

    def add(self, item: AnItem) -> None:
        """Takes one item in.

        Raises:
            InvalidItem: As `DialectEncoder.encode`.
        """
        ...

    def finish(self) -> BufferedAnswer:
        """Returns the answer."""
        ...

    def fail(self, failure: Failure) -> BufferedAnswer:
        """Returns the answer to a request that failed; nothing partial is in it."""
        ...


class DialectDecoder(Protocol):
    """Decodes one stream."""

    def decode(self, event: ServerSentEvent) -> Iterable[AnItem]:
        """Returns the items of one event.

        Raises:
            InvalidDialectEvent: The event does not have the shape that the dialect gives it.
        """
        ...

    def close(self) -> None:
        """Is called where the stream has ended.

        Raises:
            TruncatedStream: The dialect has a terminator, and none came.
        """
        ...


@runtime_checkable
class Dialect(Protocol):
    """The event schema of a system.

    Optional attributes, each with its default:

    - ``media_types: tuple[str, ...]``: what the buffered answer may be, ``("application/json",)``;
    - ``stream_flag: tuple[str, str] | None``: a query parameter and the value that asks for a stream, ``None``;
    - ``streams: bool``: whether it can be streamed at all, ``True``;
    - ``stream_headers: tuple[tuple[str, str], ...]``: header fields of its streams, which replace ours, ``()``;
    - ``omits: frozenset[type[Item]]``: the items that it leaves out by design, in this configuration, none;
    - ``strict: bool``: whether an item that it leaves out is an error instead, ``False``;
    - ``pause: float``: how many seconds pass between two events of the handler's items at the least, none;
    - ``run_ahead: int | None``: how many bytes a handler may run ahead of its reader, as the middleware says;
    - ``message_of(event: ServerSentEvent) -> str | None``: the message that an event is over a WebSocket, ``None``
      where it is none there, such as a terminator; without it the dialect is not carried over WebSockets;
    - ``example: tuple[Item | ServerSentEvent, ...]``: items whose bytes the command line shows, a short text;
    - ``schema() -> dict[str, Any]``: the JSON Schema of its events, which ``events_schema`` makes; no schema;
    - ``buffered_schemas() -> dict[str, dict[str, Any]]``: the JSON Schema of its buffered answer by media type, where
      it has ended well; none.

    Attributes:
        name: By which it is chosen: ``[a-z][a-z0-9_-]*``.
        default: What a client gets that does not say what it wants.
    """

    @property
    def name(self) -> str: ...

    @property
    def default(self) -> Literal["stream", "buffered"]: ...

    def open(self, context: StreamContext) -> DialectEncoder:
        """Returns the encoder of one response."""
        ...

    def fold(self, context: StreamContext) -> DialectFold:
        """Returns the fold of one buffered response."""
        ...

    def decoder(self) -> DialectDecoder:
        """Returns the decoder of one consumed stream."""
        ...
