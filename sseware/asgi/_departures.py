"""The answers of one event loop that leave when the server stops: who is there, and who leaves when."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from typing import Final

import anyio

from ._runtime import Runtime, Timer

__all__ = ["Departures", "Place"]

_log = logging.getLogger("sseware")

_HANDFUL: Final = 10
"""How many streams leave at once: clients that come back together are a herd only where there are many."""

_SPREAD: Final = 0.8
"""The part of the grace period over which the others leave; the rest is for their handlers to clean up in."""

_LAST: Final = 0.5
"""Seconds that a handler has to clean up in, whatever is left of the grace period."""


class Place:
    """The place of one answer.

    Args:
        departures: Those that it is among.
        take_turn: Is called when its turn has come; ``None`` for what ends by itself soon, such as a buffered answer.
        break_off: Is called at the end of the grace period.
    """

    __slots__ = ("_departures", "break_off", "take_turn", "timer")

    def __init__(
        self, departures: Departures, take_turn: Callable[[], None] | None, break_off: Callable[[], None]
    ) -> None:
        self._departures = departures
        self.take_turn = take_turn
        self.break_off = break_off
        self.timer: Timer | None = None

    def leave(self) -> None:
        """Is called when the answer has ended."""
        if self.timer is not None:
            self.timer.cancel()
        self._departures.forget(self)


class Departures:
    """The answers of one event loop.

    Attributes:
        begun: Whether they are to leave, and nobody new is to come.
    """

    def __init__(self) -> None:
        self._places: set[Place] = set()
        self._grace = 0.0
        self._end: float | None = None
        self._timer: Timer | None = None
        self._empty: anyio.Event | None = None
        self.begun = False

    def join(
        self, runtime: Runtime, take_turn: Callable[[], None] | None, break_off: Callable[[], None]
    ) -> Place:
        """Returns the place of a new answer; one that comes late has its turn at once."""
        place = Place(self, take_turn, break_off)
        self._places.add(place)
        if self.begun:
            if take_turn is not None:
                take_turn()
            if self._end is not None:
                self._set_end(runtime, self._end)
        return place

    def forget(self, place: Place) -> None:
        """Takes a place away."""
        self._places.discard(place)
        if not self._places:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self._empty is not None:
                self._empty.set()
                self._empty = None

    def begin(self, runtime: Runtime, grace: float) -> None:
        """Lets all of them leave, each at its turn, within some seconds; only the first call counts."""
        if self._end is not None:
            return
        self.begun = True
        self._grace, self._end = grace, runtime.now() + grace
        if self._places:
            self._set_end(runtime, self._end)
            self._give_turns(runtime, grace * _SPREAD)

    def _set_end(self, runtime: Runtime, end: float) -> None:
        if self._timer is None:
            self._timer = runtime.call_later(max(end - runtime.now(), 0.0), self._break_off)

    def _give_turns(self, runtime: Runtime, seconds: float) -> None:
        turns = [(place, place.take_turn) for place in self._places if place.take_turn is not None]
        random.shuffle(turns)  # who came first is not who leaves first
        for i, (place, take_turn) in enumerate(turns):
            if len(turns) <= _HANDFUL:
                take_turn()
            else:
                # One in each slice of the time, somewhere in it: even, and still not in step with other processes.
                when = (i + random.random()) / len(turns) * seconds  # noqa: S311  # not a secret
                place.timer = runtime.call_later(when, take_turn)

    def _break_off(self) -> None:
        self._timer = None
        stuck = list(self._places)
        _log.warning(
            "%d of the answers did not end within the %g s that a drain gives them; they are broken off. A server "
            "may still wait for clients that do not read: uvicorn does, unless timeout_graceful_shutdown is set",
            len(stuck),
            self._grace,
        )
        for place in stuck:
            place.break_off()

    async def wait_empty(self) -> None:
        """Waits until all have left."""
        while self._places:
            if self._empty is None:
                self._empty = anyio.Event()
            await self._empty.wait()

    def left(self, runtime: Runtime, seconds: float) -> float:
        """Returns how long a handler may take to clean up that otherwise had some seconds for it."""
        return seconds if self._end is None else min(seconds, max(self._end - runtime.now(), _LAST))
