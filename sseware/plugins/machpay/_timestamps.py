"""The time as MachPay writes it, made once a second and not for each chunk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

__all__ = ["Timestamps"]

_SECOND: Final = timedelta(seconds=1)
_MILLISECONDS: Final = tuple(f"{number:03d}" for number in range(1000))


class Timestamps:
    """Tells the time: UTC, ISO 8601, milliseconds, ``Z``.

    >>> from datetime import UTC
    >>> Timestamps(lambda: datetime(2025, 1, 6, 12, 0, 0, 12_900, UTC))()
    '2025-01-06T12:00:00.012Z'

    Args:
        now: Tells it to us.
    """

    __slots__ = ("_after", "_before", "_from", "_now", "_until")

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        # An empty second, in which nothing lies.
        self._from = self._until = datetime.min.replace(tzinfo=UTC)
        self._before = self._after = ""

    def __call__(self) -> str:
        moment = self._now()
        if moment.tzinfo is self._from.tzinfo and self._from <= moment < self._until:
            return f"{self._before}{_MILLISECONDS[moment.microsecond // 1000]}{self._after}"
        return self._spell(moment)

    def _spell(self, moment: datetime) -> str:
        text = moment.isoformat(timespec="milliseconds")
        dot = text.index(".")
        self._from = moment.replace(microsecond=0)
        self._until = self._from + _SECOND
        self._before, self._after = text[: dot + 1], text[dot + 4 :].replace("+00:00", "Z")
        return f"{self._before}{text[dot + 1 : dot + 4]}{self._after}"
