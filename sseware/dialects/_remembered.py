"""A small memory of what was found out about objects, hashable or not."""

from __future__ import annotations

from typing import Final, Generic, TypeVar

__all__ = ["Remembered"]

T = TypeVar("T")

# A function of the scope may make a new dialect for each request; what is known of them must not pile up.
_MOST: Final = 256


class Remembered(Generic[T]):
    """Remembers a value for each of some objects; when there are too many it starts anew.

    It goes by identity: a dialect may hold a dict and so have no hash. It keeps the objects alive, so that the
    identity of one is not given to another.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[object, T]] = {}

    def get(self, subject: object) -> T | None:
        """Returns what is remembered of an object, or ``None``."""
        known = self._known.get(id(subject))
        return None if known is None else known[1]

    def remember(self, subject: object, value: T) -> T:
        """Remembers a value for an object, and returns it."""
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[id(subject)] = subject, value
        return value
