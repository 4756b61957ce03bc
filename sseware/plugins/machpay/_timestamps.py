"""The time as MachPay writes it, made once a second and not for each chunk."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

__all__ = ["SystemTimestamps", "Timestamps", "timestamps", "utc_now"]

utc_now: Final = partial(datetime.now, UTC)
"""The system's clock."""

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


class SystemTimestamps:
    """Tells what `Timestamps` tells of `utc_now`, in a third of the time: no moment is made for it."""

    __slots__ = ("_before", "_second")

    def __init__(self) -> None:
        self._second = -1
        self._before = ""

    def __call__(self) -> str:
        second, rest = divmod(time.time_ns(), 1_000_000_000)
        if second != self._second:
            self._second = second
            self._before = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S.")
        return f"{self._before}{_MILLISECONDS[rest // 1_000_000]}Z"


def timestamps(now: Callable[[], datetime]) -> Callable[[], str]:
    """Returns what tells the time of a clock."""
    return SystemTimestamps() if now is utc_now else Timestamps(now)
