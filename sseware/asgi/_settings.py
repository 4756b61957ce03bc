"""The options of a stream, checked when they are given."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias, TypedDict

import msgspec

from .._types import Scope
from ..dialects import Dialect, Registry, StreamObserver, default_registry
from ..errors import ConfigurationError
from ._access import Access
from ._drain import Drain
from ._headers import has_body

__all__ = ["DialectChoice", "Options", "Settings"]

DialectChoice: TypeAlias = str | Dialect | Callable[[Scope], "str | Dialect"]
"""The name of a dialect, a dialect, or a function from the ASGI scope to either."""

HeaderFields: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]


class Options(TypedDict, total=False):
    """The options of `SSEMiddleware` and `EventStream`; each is described at `Settings`."""

    dialect: DialectChoice
    dialects: Iterable[str | Dialect]
    keepalive: float | None
    head_timeout: float | None
    send_timeout: float | None
    cleanup_timeout: float
    outbox: tuple[int, int]
    buffer: tuple[int, float]
    max_age: float | None
    retry: float | None
    drain: Drain | float | None
    debug: bool
    headers: HeaderFields
    status_code: int
    registry: Registry
    observers: Iterable[StreamObserver]
    access: Access | None


class Settings(msgspec.Struct, frozen=True):
    """The options of a stream. ``None`` switches a feature off.

    Attributes:
        dialect: The dialect that the handler speaks by default.
        dialects: Those that a client may choose instead, by ``Accept: text/event-stream;dialect=ash`` or
            ``?dialect=ash``.
        keepalive: After how many seconds of silence a comment is sent.
        head_timeout: How many seconds the first event is awaited before the headers go out without it; an
            exception before that is a real error response. ``None``: the headers go out at once.
        send_timeout: How many seconds a reader may stall before its stream is closed.
        cleanup_timeout: How many seconds a handler has to end once it is closed.
        outbox: How far a handler may run ahead of its reader: items, bytes.
        buffer: The limits of a buffered answer: bytes, seconds.
        max_age: After how many seconds a stream is ended, jittered to 80-100 %, so that the client connects
            anew.
        retry: The reconnection time that is sent at the beginning, in seconds.
        drain: How streams end when the server stops; a number is the grace period of a `Drain`, in seconds. Each
            `SSEMiddleware` makes one of its own unless it is given another; without one there is none.
        debug: Whether clients see the text of any exception.
        headers: Header fields of the response; they replace ours.
        status_code: The status of a stream.
        registry: Where the names of dialects are looked up; ``None`` is the default one.
        observers: Who is told of streams, beside those that plugins provide.
        access: Who may have a stream: by origin, by how many there are, until when.
    """

    dialect: DialectChoice = "plain"
    dialects: tuple[str | Dialect, ...] = ()
    keepalive: float | None = 15.0
    head_timeout: float | None = 5.0
    send_timeout: float | None = 30.0
    cleanup_timeout: float = 5.0
    outbox: tuple[int, int] = (64, 65536)
    buffer: tuple[int, float] = (16 * 2**20, 60.0)
    max_age: float | None = None
    retry: float | None = None
    drain: Drain | None = None
    debug: bool = False
    headers: tuple[tuple[str, str], ...] = ()
    status_code: int = 200
    registry: Registry | None = None
    observers: tuple[StreamObserver, ...] = ()
    access: Access | None = None

    def __post_init__(self) -> None:
        for name in ("keepalive", "head_timeout", "send_timeout", "max_age"):
            _check_seconds(name, getattr(self, name))
        _check_seconds("cleanup_timeout", self.cleanup_timeout, optional=False)
        _check_retry(self.retry)
        _check_pair("outbox", self.outbox, "items, bytes", (int, int))
        _check_pair("buffer", self.buffer, "bytes, seconds", (int, (int, float)))
        if self.drain is not None and not isinstance(self.drain, Drain):
            raise _wrong("drain", "a sseware.asgi.Drain, a number of seconds, or None", self.drain)
        if type(self.debug) is not bool:
            raise _wrong("debug", "a bool", self.debug)
        status = self.status_code
        if type(status) is not int or not 200 <= status <= 599 or not has_body(status):
            raise _wrong(
                "status_code", "a final HTTP status that has a body (200 to 599; not 204, 205, 304)", status
            )
        if self.access is not None and not isinstance(self.access, Access):
            raise _wrong("access", "a sseware.asgi.Access, or None", self.access)
        if self.registry is not None and not isinstance(self.registry, Registry):
            raise _wrong("registry", "a sseware.dialects.Registry", self.registry)

    def replace(self, options: Options) -> Settings:
        """Returns these settings with some options replaced.

        Raises:
            ConfigurationError: An option is unknown, or its value is not what it must be.
        """
        if not options:
            return self
        given: dict[str, Any] = dict(options)
        if unknown := sorted(given.keys() - set(self.__struct_fields__)):
            known = ", ".join(self.__struct_fields__)
            raise ConfigurationError(f"unknown option {unknown[0]!r}; there are: {known}")
        if "headers" in given:
            given["headers"] = _header_fields(given["headers"])
        if "dialects" in given:
            given["dialects"] = _allow_list(given["dialects"])
        if type(given.get("drain")) in (int, float):
            given["drain"] = Drain(given["drain"])
        if "observers" in given:
            given["observers"] = _observers(given["observers"])
        settings = msgspec.structs.replace(self, **given)
        settings._check_dialects()
        return settings

    def _check_dialects(self) -> None:
        for dialect in self.dialects:
            self._look_up(dialect)
        if isinstance(self.dialect, type):
            raise _wrong("dialect", "a name, an instance or a function of the scope", self.dialect)
        if not callable(self.dialect):
            self._look_up(self.dialect)

    def _look_up(self, dialect: str | Dialect) -> Dialect:
        return (self.registry or default_registry()).get(dialect)

    def dialects_for(self, scope: Scope) -> dict[str, Dialect]:
        """Returns the dialects that a request may get, by name; the handler's own comes first."""
        own = self.dialect(scope) if callable(self.dialect) else self.dialect
        found = [self._look_up(dialect) for dialect in (own, *self.dialects)]
        by_name: dict[str, Dialect] = {}
        for dialect in found:
            by_name.setdefault(dialect.name, dialect)
        return by_name


def _wrong(option: str, want: str, got: object) -> ConfigurationError:
    return ConfigurationError(f"{option} must be {want}, got {got!r}")


def _check_seconds(name: str, value: object, *, optional: bool = True) -> None:
    if value is None and optional:
        return
    if type(value) not in (int, float) or not 0 < float(str(value)) < math.inf:
        raise _wrong(name, f"a positive number of seconds{', or None' if optional else ''}", value)


def _check_retry(value: object) -> None:
    if value is not None and (type(value) not in (int, float) or not 0 <= float(str(value)) < math.inf):
        raise _wrong("retry", "a number of seconds, or None", value)


def _check_pair(name: str, value: object, want: str, kinds: tuple[Any, Any]) -> None:
    if (
        not isinstance(value, tuple)
        or len(value) != 2
        or not all(
            isinstance(part, kind) and not isinstance(part, bool) and part > 0
            for part, kind in zip(value, kinds, strict=True)
        )
    ):
        raise _wrong(name, f"a pair of positive numbers ({want})", value)


def _allow_list(given: object) -> tuple[str | Dialect, ...]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise _wrong("dialects", "a list of names or dialects", given)
    return tuple(given)


def _observers(given: object) -> tuple[StreamObserver, ...]:
    observers = tuple(given) if isinstance(given, Iterable) else ()
    if not isinstance(given, Iterable) or not all(isinstance(each, StreamObserver) for each in observers):
        raise _wrong("observers", "a list of instances of sseware.asgi.StreamObserver", given)
    return observers


def _header_fields(given: HeaderFields) -> tuple[tuple[str, str], ...]:
    pairs: Any = given.items() if isinstance(given, Mapping) else given
    try:
        fields = tuple((name.lower(), value) for name, value in pairs)
    except (TypeError, ValueError, AttributeError):
        raise _wrong("headers", "a mapping or pairs of str", given) from None
    for name, value in fields:
        if not _is_token(name) or not _is_field_value(value):
            raise _wrong(
                "headers", "names and values that HTTP can carry (RFC 9110, section 5)", (name, value)
            )
    return fields


# RFC 9110, sections 5.1 and 5.5; a value is sent in Latin-1.
_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9a-z]+")
_FIELD_VALUE: Final = re.compile(r"(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?")


def _is_token(name: object) -> bool:
    return isinstance(name, str) and _TOKEN.fullmatch(name) is not None


def _is_field_value(value: object) -> bool:
    return isinstance(value, str) and _FIELD_VALUE.fullmatch(value) is not None
