"""One event of a stream, as a value.

The field names are those of WHATWG HTML, section 9.2.5 "Parsing an event stream". Values are refused, never
cleaned: stripping a newline from an id would change an identity in silence. How a value is spelled on the
wire (line ends, separators) is the business of `sseware.wire`, which checks again.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from ._json_text import read_json
from .errors import InvalidEvent

__all__ = [
    "MAX_RETRY",
    "Comment",
    "NamedEvent",
    "ReceivedEvent",
    "ServerSentEvent",
    "check_id",
    "check_retry",
    "check_type",
]

MAX_RETRY: Final = 2**63 - 1
"""The largest reconnection time, in milliseconds; the parser saturates here, the constructor refuses more."""

_DEFAULT_TYPE: Final = "message"

# An id travels back in the Last-Event-ID header, so that no control character may be in it (RFC 9110,
# section 5.5); surrogates have no UTF-8. A type is one line of text.
_ID: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]*")
_TYPE: Final = re.compile(r"[^\r\n\ud800-\udfff]+")

# Types that have been checked: a stream has few, and thousands of events of each. Bounded, for they may be anything.
_known_types: set[str] = {_DEFAULT_TYPE}
_MOST_KNOWN_TYPES: Final = 256
_LONGEST_KNOWN_TYPE: Final = 64


# Strings and numbers make no cycles, so that the collector need not know of events; they come in thousands.
class ServerSentEvent(
    msgspec.Struct,
    frozen=True,
    eq=False,
    gc=False,
    repr_omit_defaults=True,
    tag="event",
    tag_field="type",
):
    r"""One event of an event stream.

    Two events are equal where all that was written is: ``last_event_id`` does not count.

    >>> ServerSentEvent("7", event="tick", id="1")
    ServerSentEvent(data='7', event='tick', id='1')
    >>> ServerSentEvent("x", event="two\nlines")
    Traceback (most recent call last):
    sseware.errors.InvalidEvent: event must be one non-empty line without surrogates, got 'two\nlines'

    Attributes:
        data: The payload. May span lines; the encoder writes one ``data`` field a line.
        event: The event type. ``"message"`` is the default and writes no field.
        id: The ``id`` field. ``None`` leaves the last event ID alone; ``""`` resets it.
        retry: The reconnection time, in milliseconds, or ``None`` for no field.
        last_event_id: The last event ID string when the event was dispatched. It outlives its event: the
            parser sets it on every event that follows. Not written, not compared.

    Raises:
        InvalidEvent: A field cannot be written: a line end in a type, a control character in an id, a
            ``retry`` that is not a whole number of milliseconds.
    """

    data: str = ""
    event: str = _DEFAULT_TYPE
    id: str | None = None
    retry: int | None = None
    last_event_id: str = ""

    def __post_init__(self) -> None:
        try:
            if (
                self.event in _known_types
                and self.id is None
                and self.retry is None
                and type(self.data) is str
            ):
                return  # the usual event
        except Exception:  # noqa: S110  # by a type that is no str, or that has a hash of its own: _check() tells
            pass
        self._check()

    def _check(self) -> None:
        if not isinstance(self.data, str):
            raise InvalidEvent("data", self.data, "a str")
        check_type(self.event)
        if self.id is not None:
            check_id(self.id)
        if self.retry is not None:
            check_retry(self.retry)

    def json(self) -> Any:
        """Decodes ``data`` as JSON; a lone surrogate may stand in it as an escape, as JavaScript writes it.

        Raises:
            msgspec.DecodeError: ``data`` is not JSON.
        """
        return read_json(self.data)

    def _written(self) -> tuple[object, ...]:
        return self.data, self.event, self.id, self.retry

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ServerSentEvent):
            return NotImplemented
        return self._written() == other._written()

    def __hash__(self) -> int:
        return hash(self._written())


class _Absent:
    """Hides an inherited ``__post_init__`` from msgspec, which looks for one when it makes a class.

    An empty method in its place would be called: a third of the time that it takes to parse an event.
    """

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        raise AttributeError("__post_init__")

    def __call__(self, event: ServerSentEvent) -> None:
        """Checks nothing, should msgspec find it in another way."""


class ReceivedEvent(ServerSentEvent, frozen=True, gc=False):
    """An event that the parser made: it may carry what must not be written, such as a tab in an id.

    Its fields are not checked, because a stream may have sent them and they are to be told as they are; the
    encoder checks all events. It prints as the `ServerSentEvent` that it is.
    """

    __post_init__ = _Absent()  # type: ignore[misc, assignment, unused-ignore]  # it hides the method, on purpose

    def __repr__(self) -> str:
        defaults = zip(self.__struct_fields__, self.__struct_defaults__, strict=True)
        shown = ((name, getattr(self, name), default) for name, default in defaults)
        return f"ServerSentEvent({', '.join(f'{n}={v!r}' for n, v, default in shown if v != default)})"


class NamedEvent(ServerSentEvent, frozen=True, gc=False):
    """An event whose type is written even where it is ``"message"``, as some clients want it.

    It is equal to the `ServerSentEvent` of the same fields: a parser of the standard cannot tell them apart.
    """


class Comment(msgspec.Struct, frozen=True):
    """A comment in an event stream: people see it, clients do not.

    Attributes:
        text: What it says; may span lines.
    """

    text: str


def check_type(event: object) -> None:
    """Refuses what cannot be an event type.

    Raises:
        InvalidEvent: It is not a str, is empty, or has a line end or a surrogate in it.
    """
    if not isinstance(event, str) or not _TYPE.fullmatch(event):
        raise InvalidEvent("event", event, "one non-empty line without surrogates")
    if type(event) is str and len(event) <= _LONGEST_KNOWN_TYPE:
        if len(_known_types) == _MOST_KNOWN_TYPES:
            _known_types.clear()
            _known_types.add(_DEFAULT_TYPE)
        _known_types.add(event)


def check_id(id: object) -> None:
    """Refuses what cannot be an event id, or could not come back as ``Last-Event-ID``.

    Raises:
        InvalidEvent: It is not a str, or has a control character (C0, DEL, C1) or a surrogate in it.
    """
    # Nothing that is refused is printable, and isprintable() is the faster look at every character.
    if type(id) is str and id.isprintable():
        return
    if not isinstance(id, str) or not _ID.fullmatch(id):
        raise InvalidEvent("id", id, "a str without control characters and surrogates")


def check_retry(retry: object) -> None:
    """Refuses what cannot be a reconnection time.

    Raises:
        InvalidEvent: It is not a whole number of milliseconds from 0 to ``MAX_RETRY``; a bool is none.
    """
    if type(retry) is not int or not 0 <= retry <= MAX_RETRY:
        raise InvalidEvent("retry", retry, f"a whole number of milliseconds from 0 to {MAX_RETRY}")
