"""The whole tree of errors; everything that sseware raises on purpose is here.

::

    SSEError
    ├── InvalidEvent        (ValueError)   we were asked to write an event that cannot be written
    │   └── EventTooLarge
    ├── InvalidItem         (ValueError)   a handler yielded what its dialect cannot express
    ├── ConfigurationError  (ValueError)   an option, a handler or a dialect is not what it must be
    │   ├── HandlerTypeError (TypeError)
    │   ├── UnknownName     (LookupError)  one that is looked up by name
    │   │   └── UnknownDialect
    │   ├── DialectConflict
    │   └── PluginError
    ├── HandlerReused       (RuntimeError) one generator was given to two responses
    ├── ProtocolError                      the peer sent nonsense
    │   ├── ParserLimitExceeded
    │   ├── StrictViolation
    │   ├── NotAnEventStream
    │   ├── InvalidDialectEvent
    │   └── TruncatedStream
    ├── BufferedLimitExceeded              a buffered answer grew past its limit of bytes or seconds
    └── StreamError                        a failure whose text the client may read

Errors hold plain values, so that they survive a pickle and a log line.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

__all__ = [
    "BufferedLimitExceeded",
    "ConfigurationError",
    "DialectConflict",
    "EventTooLarge",
    "HandlerReused",
    "HandlerTypeError",
    "InvalidDialectEvent",
    "InvalidEvent",
    "InvalidItem",
    "NotAnEventStream",
    "ParserLimitExceeded",
    "PluginError",
    "ProtocolError",
    "SSEError",
    "StreamError",
    "StrictViolation",
    "TruncatedStream",
    "UnknownDialect",
    "UnknownName",
]


class SSEError(Exception):
    """The root of every error that sseware raises on purpose."""


class InvalidEvent(SSEError, ValueError):
    """An event has a field that the wire format cannot carry.

    Attributes:
        field: The name of the field: ``"data"``, ``"event"``, ``"id"``, ``"retry"`` or ``"comment"``.
        value: The value that was refused.
    """

    def __init__(self, field: str, value: object, want: str) -> None:
        super().__init__(field, value, want)
        self.field = field
        self.value = value
        self.want = want

    def __str__(self) -> str:
        shown = repr(self.value)
        if len(shown) > 200:
            shown = f"{shown[:200]}... ({len(shown)} characters)"
        return f"{self.field} must be {self.want}, got {shown}"


class EventTooLarge(InvalidEvent):
    """An event is larger than the encoder's limit; none of its bytes were written.

    Attributes:
        limit: The limit, in bytes.
        size: The size that was reached, in bytes.
    """

    def __init__(self, limit: int, size: int) -> None:
        SSEError.__init__(self, limit, size)
        self.field = "event"
        self.value = size
        self.want = f"at most {limit} bytes"
        self.limit = limit
        self.size = size

    def __str__(self) -> str:
        return f"the event has {self.size} bytes, the limit is {self.limit}; split it, or raise the limit"


class InvalidItem(SSEError, ValueError):
    """A handler yielded something that the dialect cannot express, or must not."""


class ConfigurationError(SSEError, ValueError):
    """An option has a wrong type or value; raised when it is given, not when a request comes."""


class HandlerTypeError(ConfigurationError, TypeError):
    """What was given as a handler is neither a generator (async or sync) nor an iterable."""


class UnknownName(ConfigurationError, LookupError):
    """Something was asked for by a name that it does not have; the message lists those that there are.

    Attributes:
        kind: What was asked for, in a word.
        name: The name that was asked for.
        known: The names that there are.
    """

    kind: ClassVar[str] = "name"

    def __init__(self, name: Any, known: Sequence[str], why: str = "") -> None:
        super().__init__(name, tuple(known), why)
        self.name = name
        self.known = tuple(known)
        self.why = why

    def __str__(self) -> str:
        known = ", ".join(self.known) or "none"
        return f"unknown {self.kind} {self.name!r}; there are: {known}{self.why and f' ({self.why})'}"


class UnknownDialect(UnknownName):
    """No installed plugin provides a dialect of that name."""

    kind = "dialect"
    name: str


class DialectConflict(ConfigurationError):
    """Two providers claim one dialect name.

    Attributes:
        name: The name that is claimed twice.
        providers: Who claims it, in the order of loading.
    """

    def __init__(self, name: str, providers: Sequence[str]) -> None:
        super().__init__(name, tuple(providers))
        self.name = name
        self.providers = tuple(providers)

    def __str__(self) -> str:
        return (
            f"the dialect {self.name!r} is provided by {' and by '.join(self.providers)}: uninstall one, "
            "name it in SSEWARE_DISABLE_PLUGINS, or pass the dialect as an object"
        )


class PluginError(ConfigurationError):
    """A plugin failed to load, or a hook of it misbehaved; the others work.

    Attributes:
        plugin: The name of the plugin, with its distribution where it is known.
    """

    def __init__(self, plugin: str, reason: str) -> None:
        super().__init__(plugin, reason)
        self.plugin = plugin
        self.reason = reason

    def __str__(self) -> str:
        return f"plugin {self.plugin}: {self.reason}"


class HandlerReused(SSEError, RuntimeError):
    """One generator was given to two responses; a generator runs once."""


class ProtocolError(SSEError):
    """The peer sent something that it must not send."""


class ParserLimitExceeded(ProtocolError):
    """An incoming event grew past a limit of the parser; sticky until ``reset()``.

    Attributes:
        what: What is limited: ``"bytes"`` or ``"data lines"``.
        limit: The limit.
        size: The size that was reached.
    """

    def __init__(self, what: str, limit: int, size: int) -> None:
        super().__init__(what, limit, size)
        self.what = what
        self.limit = limit
        self.size = size

    def __str__(self) -> str:
        advice = (
            ": raise max_event_size if the peer is trusted, then reset() the parser"
            if self.what == "bytes"
            else ", whatever max_event_size is: let the peer send fewer lines an event; reset() the parser to read on"
        )
        return f"a pending event reached {self.size} {self.what}, the limit is {self.limit}{advice}"


class StrictViolation(ProtocolError):
    """A strict parser met bytes that the standard ignores or repairs.

    Attributes:
        rule: A short name of the deviation, such as ``"unknown-field"``.
        offset: The byte of the stream, counted from 0, where it begins.
        section: The section of the standard.
        detail: What was found there.
    """

    def __init__(self, rule: str, offset: int, section: str, detail: str) -> None:
        super().__init__(rule, offset, section, detail)
        self.rule = rule
        self.offset = offset
        self.section = section
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.rule} at byte {self.offset}: {self.detail} ({self.section})"


class NotAnEventStream(ProtocolError):
    """A response is not an event stream: its status or its content type says so.

    Attributes:
        status: The status code of the response.
        content_type: The value of its ``Content-Type``, or ``None``.
    """

    def __init__(self, status: int, content_type: str | None) -> None:
        super().__init__(status, content_type)
        self.status = status
        self.content_type = content_type

    def __str__(self) -> str:
        return f"want 200 and text/event-stream, got {self.status} and {self.content_type!r}"


class InvalidDialectEvent(ProtocolError):
    """An event does not have the shape that its dialect gives it.

    Attributes:
        dialect: The name of the dialect.
        event: The event type.
        data: The payload.
    """

    def __init__(self, dialect: str, event: str, data: str, reason: str) -> None:
        super().__init__(dialect, event, data, reason)
        self.dialect = dialect
        self.event = event
        self.data = data
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.dialect}: {self.reason}, in event {self.event!r} with data {self.data[:200]!r}"


class TruncatedStream(ProtocolError):
    """A stream closed without the terminator that its dialect promises.

    Attributes:
        dialect: The name of the dialect.
    """

    def __init__(self, dialect: str, want: str) -> None:
        super().__init__(dialect, want)
        self.dialect = dialect
        self.want = want

    def __str__(self) -> str:
        return f"the {self.dialect} stream ended without {self.want}; what came is incomplete"


class BufferedLimitExceeded(SSEError):
    """A buffered answer grew past its limit.

    Attributes:
        what: ``"bytes"`` or ``"seconds"``.
        limit: The limit.
    """

    def __init__(self, what: str, limit: float) -> None:
        super().__init__(what, limit)
        self.what = what
        self.limit = limit

    def __str__(self) -> str:
        return f"the buffered answer passed its limit of {self.limit:g} {self.what}; ask for a stream"


class StreamError(SSEError):
    """A failure whose text the client may read.

    A handler raises it to tell its client what went wrong (any other exception is told as a generic
    message), and a client raises it for the failure that a stream carried.

    Args:
        message: What the client reads.
        code: A machine-readable code, such as ``"rate_limit"``.
        status: The HTTP status that is answered where no stream has begun yet.
        retry_after: After how many seconds the client may try again, where that is known.
    """

    def __init__(
        self,
        message: str = "",
        *,
        code: str = "internal_error",
        status: int = 500,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status
        self.retry_after = retry_after

    def __reduce__(self) -> tuple[object, ...]:
        return _restore_stream_error, (type(self), self.message, self.code, self.status, self.retry_after)

    def __str__(self) -> str:
        return self.message or self.code


def _restore_stream_error(
    cls: type[StreamError], message: str, code: str, status: int, retry_after: int | None
) -> StreamError:
    return cls(message, code=code, status=status, retry_after=retry_after)
