"""Stopping well: streams say goodbye, and do not all come back at once."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from ..errors import ConfigurationError, StreamError
from ..wire import encode_comment
from ._departures import Departures
from ._runtime import Runtime, call_soon, current_runtime, loop_here
from ._signals import SignalChain

__all__ = ["Drain"]


class Drain:
    """Ends the streams of an application when its server is told to stop.

    No server tells an application of the stop while a stream is open: ``lifespan.shutdown`` comes after the last one.
    So a drain hears the signal itself. `SSEMiddleware` has one unless it is told otherwise, and lets it listen from
    ``lifespan.startup`` to ``lifespan.shutdown``; where no lifespan reaches the middleware, `listening` does it.

    Each open stream then gets a farewell (the dialect's, or a comment), a ``retry`` and a clean end: at once where
    there are only a few, otherwise spread over four fifths of the grace period. What is still there at its end is
    broken off. Whoever comes meanwhile is answered with 503 and ``Retry-After``, and no handler is run for it. A
    WebSocket is closed with 1001.

    What has begun is a matter of one drain and one event loop: neither another application in the process ends with
    it, nor the same application in another thread.

    >>> drain = Drain(grace=2)
    >>> drain
    Drain(grace=2, retry=(1.0, 5.0))

    Args:
        grace: How many seconds the streams have.
        retry: The least and the most seconds after which a client shall come back; each gets a number between them.

    Raises:
        ConfigurationError: These are no seconds.
    """

    def __init__(self, grace: float = 5.0, *, retry: tuple[float, float] = (1.0, 5.0)) -> None:
        if not _is_seconds(grace):
            raise ConfigurationError(f"grace must be a number of seconds, got {grace!r}")
        if not _is_range(retry):
            raise ConfigurationError(
                f"retry must be a pair of numbers of seconds, the least and the most, got {retry!r}"
            )
        self._grace = grace
        self._retry = retry
        self._loops: WeakKeyDictionary[Any, Departures] = WeakKeyDictionary()

    def __repr__(self) -> str:
        return f"Drain(grace={self._grace!r}, retry={self._retry!r})"

    @property
    def grace(self) -> float:
        """How many seconds the streams have."""
        return self._grace

    @property
    def begun(self) -> bool:
        """Whether the streams of the event loop that runs here are leaving, or have left."""
        return self.departures(current_runtime()).begun

    def begin(self) -> None:
        """Lets the streams leave; calls after the first have no effect.

        It may be called anywhere, in a signal handler and in another thread, too. Within an event loop it is about
        the streams of that one; elsewhere about those of every event loop in which this drain has had any.
        """
        here = loop_here()
        for loop in [*self._loops] if here is None else [here]:
            self._begin_in(loop)

    def _begin_in(self, loop: Any) -> None:
        departures = self._departures(loop)
        # Nobody comes from here on; the others are told by the event loop itself, which may stand anywhere.
        departures.begun = True
        call_soon(loop, lambda: departures.begin(current_runtime(), self._grace))

    async def wait_ended(self) -> None:
        """Waits until the event loop that runs here has no answer under way any more; there may never have been one.

        A drain that has begun ends within its grace period.
        """
        await self.departures(current_runtime()).wait_empty()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hears SIGTERM and SIGINT while the body of the statement runs, which is in an event loop.

        It is for a framework's own lifespan, where a handler is mounted so that no lifespan reaches its middleware.
        The handler of the server is called after ours, and put back after the first signal, or at the end. In another
        thread than the main one, to which signals do not come, it does nothing.
        """
        chain = self.listen(current_runtime())
        try:
            yield
        finally:
            chain.put_back()

    def listen(self, runtime: Runtime) -> SignalChain:
        """Hears signals for one event loop, until what is returned is put back; a drain that is over begins anew."""
        loop = runtime.loop
        if self._departures(loop).begun:
            self._loops[loop] = Departures()
        return SignalChain(lambda: self._begin_in(loop), self._grace)

    def departures(self, runtime: Runtime) -> Departures:
        """Returns those of one event loop."""
        return self._departures(runtime.loop)

    def _departures(self, loop: Any) -> Departures:
        found = self._loops.get(loop)
        return self._loops.setdefault(loop, Departures()) if found is None else found

    def farewell(self, said: bytes | None) -> bytes:
        """Returns what ends a stream: what its dialect has to say, or a comment, and when to come back."""
        retry = b"retry: %d\n\n" % round(self._seconds() * 1000)
        return (_GOODBYE if said is None else said) + retry

    def refusal(self) -> StreamError:
        """Returns what is told to those who come while the others leave."""
        return StreamError(
            "the server is stopping; try again soon",
            code="unavailable",
            status=503,
            retry_after=math.ceil(self._seconds()),
        )

    def _seconds(self) -> float:
        return random.uniform(*self._retry)  # noqa: S311  # not a secret


_GOODBYE = encode_comment("the server is stopping; reconnect")


def _is_range(value: object) -> bool:
    return (
        isinstance(value, tuple) and len(value) == 2 and all(map(_is_seconds, value)) and value[0] <= value[1]
    )


def _is_seconds(value: object) -> bool:
    return type(value) in (int, float) and 0 <= float(str(value)) < math.inf
