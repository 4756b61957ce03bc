"""Where a handler's values go."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

__all__ = ["Sink"]


class Sink(Protocol):
    """Takes the values that a handler yields: into a stream, or into a buffered answer.

    A sink is used by the handler's task only, but for what it shows to the writer.
    """

    @property
    def ended(self) -> bool:
        """Whether an item has ended the answer; nothing that comes after it is taken."""
        ...

    def put(self, value: object) -> bool:
        """Takes a value; returns whether the handler may go on at once."""
        ...

    @property
    def put_text(self) -> Callable[[str], bool] | None:
        """A shorter way for a value whose class is str itself; ``None`` while there is none."""
        ...

    def carry(self, main: Callable[[], Coroutine[Any, Any, None]], /) -> Awaitable[None]:
        """Runs what puts, and hands over what was put each time before it waits."""
        ...

    def wait_room(self) -> Awaitable[None]:
        """Waits until the handler may go on."""
        ...

    def release(self) -> None:
        """Ends that wait."""
        ...

    def finish(self) -> None:
        """Is called where the handler has ended."""
        ...

    def fail(self, exc: Exception) -> None:
        """Is called where it has raised; never raises itself."""
        ...

    def close(self) -> None:
        """Is called last of all, maybe twice: nothing more will be put."""
        ...
