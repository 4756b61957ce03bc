"""Virtual time as a test asks for it, whoever runs the test."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final, Literal, TypeVar, TypeVarTuple, Unpack

import anyio

from ..errors import ConfigurationError
from ._clock import VirtualTimeLoop, virtual_backend
from ._tracebacks import is_failure

__all__ = ["VirtualClock"]

__tracebackhide__ = is_failure

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

_HOW: Final = (
    "under anyio's plugin: def anyio_backend(sse_clock): return sse_clock.backend(); under pytest-asyncio: a loop "
    "factory, or a loop of the test's own scope; without either: sse_clock.run(main)"
)


class VirtualClock:
    """Virtual time: what a test waits for is there at once, and at its exact time.

    >>> async def main() -> float:
    ...     await clock.sleep(3600)
    ...     return clock.now()
    >>> clock = VirtualClock()
    >>> clock.run(main)
    3600.0
    """

    def __repr__(self) -> str:
        return "VirtualClock()"

    def now(self) -> float:
        """Tells the seconds of the event loop's clock, which begins at 0.

        Raises:
            ConfigurationError: The clock of the running event loop is a real one.
        """
        self.check()
        return anyio.current_time()

    async def sleep(self, seconds: float) -> None:
        """Lets time pass: what is due meanwhile happens.

        Args:
            seconds: How much.

        Raises:
            ConfigurationError: The clock of the running event loop is a real one.
        """
        self.check()
        await anyio.sleep(seconds)

    def check(self) -> None:
        """Fails where time is real.

        Raises:
            ConfigurationError: The clock of the running event loop is a real one.
        """
        if not _is_virtual():
            raise ConfigurationError(
                f"sse_clock: time is real in this event loop, which somebody else has started; {_HOW}"
            )

    @property
    def loop_factory(self) -> type[VirtualTimeLoop]:
        """What makes an asyncio event loop with virtual time, for ``asyncio.Runner`` and for plugins."""
        return VirtualTimeLoop

    def backend(
        self, name: Literal["asyncio", "trio"] = "asyncio", options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Returns what an ``anyio_backend`` fixture returns; for one test.

        Args:
            name: The event loop.
            options: Further options of the backend.
        """
        backend, virtual = virtual_backend(name)
        # anyio has one option too many for the same: uvloop is a loop factory, too.
        kept = {key: value for key, value in (options or {}).items() if key != "use_uvloop"}
        return backend, {**kept, **virtual}

    def run(
        self,
        main: Callable[[Unpack[_Ts]], Awaitable[_T]],
        *args: *_Ts,
        backend: Literal["asyncio", "trio"] = "asyncio",
    ) -> _T:
        """Runs an async function in an event loop with virtual time.

        Args:
            main: The function.
            args: Its arguments.
            backend: The event loop.
        """
        name, options = self.backend(backend)
        return anyio.run(main, *args, backend=name, backend_options=options)


def _is_virtual() -> bool:
    if "trio" in sys.modules:
        import trio.testing

        with suppress(RuntimeError):  # no Trio runs here
            return isinstance(trio.lowlevel.current_clock(), trio.testing.MockClock)
    try:
        return isinstance(asyncio.get_running_loop(), VirtualTimeLoop)
    except RuntimeError:
        return False
