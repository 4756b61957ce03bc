"""Which event is meant: matchers, and equality that leaves out what one does not care about."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any, Final, TypeAlias

import msgspec

from ..errors import ConfigurationError
from ..events import ServerSentEvent

__all__ = ["FIELDS", "IsEvent", "Wanted", "check_fields", "differing_fields", "wanted_events"]

FIELDS: Final = ("event", "data", "id", "retry")
"""The fields of an event that are compared."""


_ANYTHING: Any = object()


class IsEvent:
    """Is equal to every event that has the fields that are given.

    >>> from sseware import ServerSentEvent
    >>> ServerSentEvent('{"n": 7}', "tick") == IsEvent("tick", json={"n": 7})
    True
    >>> IsEvent(data=re.compile("[0-9]+"))
    IsEvent(data=re.compile('[0-9]+'))

    Each is a value; a compiled pattern, which has to match all of the field; or a function that tells.

    Args:
        event: The event type.
        data: The payload.
        id: The ``id`` field.
        retry: The reconnection time, in milliseconds.
        json: The payload as JSON.
    """

    def __init__(
        self,
        event: Any = _ANYTHING,
        *,
        data: Any = _ANYTHING,
        id: Any = _ANYTHING,
        retry: Any = _ANYTHING,
        json: Any = _ANYTHING,
    ) -> None:
        given = {"event": event, "data": data, "id": id, "retry": retry, "json": json}
        self._given = {name: value for name, value in given.items() if value is not _ANYTHING}

    def differing(self, event: object, ignore: Collection[str] = ()) -> list[str]:
        """Returns the fields in which an event is not what is meant.

        Args:
            event: What has a field as an attribute.
            ignore: Fields that do not count.
        """
        return [
            name
            for name, want in self._given.items()
            if name not in ignore and not _fits(_field(event, name), want)
        ]

    def wanted(self, field: str) -> object:
        """Returns what is asked of a field."""
        return self._given.get(field, _ANYTHING)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, IsEvent):
            return self._given == other._given
        if not hasattr(other, "data"):
            return NotImplemented
        return not self.differing(other)

    def __hash__(self) -> int:
        return hash(tuple(self._given))

    def __repr__(self) -> str:
        given = dict(self._given)
        first = [repr(given.pop("event"))] if "event" in given else []
        return f"IsEvent({', '.join([*first, *(f'{name}={value!r}' for name, value in given.items())])})"


Wanted: TypeAlias = ServerSentEvent | IsEvent | str
"""An event that is wanted; text is short for an event that has only this data."""


def wanted_events(events: Iterable[Wanted]) -> list[ServerSentEvent | IsEvent]:
    """Spells out what is wanted."""
    return [ServerSentEvent(event) if isinstance(event, str) else event for event in events]


def check_fields(fields: Collection[str]) -> frozenset[str]:
    """Returns names of fields, checked.

    Raises:
        ConfigurationError: One is none.
    """
    if isinstance(fields, str) or not set(fields) <= {*FIELDS, "json"}:
        raise ConfigurationError(f"ignore must be a collection of {', '.join(FIELDS)}, got {fields!r}")
    return frozenset(fields)


def differing_fields(got: object, want: object, ignore: Collection[str] = ()) -> list[str]:
    """Returns the fields in which two events differ, one of which may be a matcher."""
    if isinstance(want, IsEvent):
        return want.differing(got, ignore)
    if isinstance(got, IsEvent):
        return got.differing(want, ignore)
    return [name for name in FIELDS if name not in ignore and _field(got, name) != _field(want, name)]


def _field(event: object, name: str) -> object:
    if name != "json":
        return getattr(event, name, None)
    try:
        return msgspec.json.decode(getattr(event, "data", ""))
    except msgspec.DecodeError:
        return _ANYTHING  # nothing is equal to it


def _fits(got: object, want: Any) -> bool:
    if isinstance(want, re.Pattern):
        return isinstance(got, str) and want.fullmatch(got) is not None
    if callable(want) and not isinstance(want, type):
        return got is not _ANYTHING and bool(want(got))
    return bool(got == want)
