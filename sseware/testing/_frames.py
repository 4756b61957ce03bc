"""Where a coroutine waits: its frames from the outside in, through generators and the tasks below it."""

from __future__ import annotations

import gc
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import AsyncGeneratorType, CoroutineType, FrameType, GeneratorType
from typing import Any, Final

import anyio
import msgspec

__all__ = ["Place", "awaited_chain", "tasks_below", "waiting_places"]

_LIBRARIES: Final = tuple(
    sorted({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
)
_OURS: Final = str(Path(__file__).parents[1])


class Place(msgspec.Struct, frozen=True):
    """A function that waits, and where.

    Attributes:
        function: Its qualified name.
        file: The file.
        line: The line.
        own: Whether it is the code of whoever writes the application: no library's, and not ours.
    """

    function: str
    file: str
    line: int
    own: bool

    def __str__(self) -> str:
        return f"{self.function} ({self.file}:{self.line})"


def waiting_places(awaitable: object) -> list[Place]:
    """Returns the functions that wait for each other, the outermost first."""
    return [_place(frame) for _, frame in _chain(awaitable)]


def tasks_below(task_id: int) -> Iterator[Any]:
    """Yields the coroutines of the tasks that a task has started through anyio or Trio, and of theirs."""
    running = anyio.get_running_tasks()
    above = {task_id}
    found = True
    while found:
        found = False
        for task in running:
            if task.parent_id in above and task.id not in above:
                above.add(task.id)
                found = True
                yield task.coro


def awaited_chain(awaitable: object) -> list[object]:
    """Returns the coroutines and generators that wait for each other, the outermost first."""
    return [each for each, _ in _chain(awaitable)]


def _chain(awaitable: Any) -> Iterator[tuple[object, FrameType]]:
    seen: set[int] = set()
    while awaitable is not None and id(awaitable) not in seen:
        seen.add(id(awaitable))
        this = awaitable
        frame, awaitable = _step(this)
        if frame is not None:
            yield this, frame


def _step(awaitable: Any) -> tuple[FrameType | None, Any]:
    """Returns the frame of an awaitable, and what it awaits."""
    match awaitable:
        case CoroutineType():
            return awaitable.cr_frame, awaitable.cr_await
        case GeneratorType():
            return awaitable.gi_frame, awaitable.gi_yieldfrom
        case AsyncGeneratorType():
            return awaitable.ag_frame, awaitable.ag_await
    # What anext() returns does not tell its generator, and a coroutine's __await__() not its coroutine; the
    # garbage collector knows both.
    return None, _generator_in(gc.get_referents(awaitable))


def _generator_in(objects: Iterable[object]) -> object:
    kinds = (AsyncGeneratorType, CoroutineType, GeneratorType)
    return next((each for each in objects if isinstance(each, kinds)), None)


def _place(frame: FrameType) -> Place:
    file = frame.f_code.co_filename
    own = not file.startswith((_OURS, "<frozen", *_LIBRARIES))
    return Place(frame.f_code.co_qualname, file, frame.f_lineno, own)
