"""How many streams may run at once, in total and for each key."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Hashable

import msgspec

__all__ = ["AccessStatistics", "Slot", "Slots"]


class AccessStatistics(msgspec.Struct, frozen=True):
    """A snapshot of the slots of an `Access`.

    Attributes:
        open: How many are taken.
        keys: By how many different keys.
        refused: How many streams were refused because there was none, since the `Access` was made.
    """

    open: int
    keys: int
    refused: int


class Slot:
    """The place of one stream."""

    def __init__(self, slots: Slots, key: Hashable) -> None:
        self._slots: Slots | None = slots
        self._key = key

    def free(self) -> None:
        """Gives it back; a second call does nothing."""
        slots, self._slots = self._slots, None
        if slots is not None:
            slots._free(self._key)


class Slots:
    """Places for streams. Two event loops in two threads may share them.

    Args:
        total: How many there are; ``None`` for any number.
        each: How many one key may take; ``None`` for any number.
    """

    def __init__(self, total: int | None, each: int | None) -> None:
        self._total = total
        self._each = each
        self._lock = threading.Lock()
        self._open = 0
        self._refused = 0
        # Only keys that have a slot: there may be many over the years.
        self._keys: Counter[Hashable] = Counter()

    def take(self, key: Hashable) -> Slot | None:
        """Takes a slot for a key, or returns ``None`` where there is none; the key ``None`` stands for nobody."""
        with self._lock:
            full = self._total is not None and self._open >= self._total
            if full or (key is not None and self._each is not None and self._keys[key] >= self._each):
                self._refused += 1
                if not self._keys[key]:
                    del self._keys[key]
                return None
            self._open += 1
            if key is not None:
                self._keys[key] += 1
            return Slot(self, key)

    def _free(self, key: Hashable) -> None:
        with self._lock:
            self._open -= 1
            if key is not None:
                self._keys[key] -= 1
                if not self._keys[key]:
                    del self._keys[key]

    def statistics(self) -> AccessStatistics:
        """Returns a snapshot."""
        with self._lock:
            return AccessStatistics(self._open, len(self._keys), self._refused)
