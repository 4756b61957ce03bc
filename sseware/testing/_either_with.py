"""What is entered by ``with`` and by ``async with``, in a test of either kind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Generic, TypeVar

import anyio.to_thread

__all__ = ["EitherWith"]

_T_co = TypeVar("_T_co", covariant=True)


class EitherWith(ABC, Generic[_T_co]):
    """A context manager whose two ends block; ``async with`` has them block a worker thread."""

    @abstractmethod
    def __enter__(self) -> _T_co: ...

    @abstractmethod
    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def __aenter__(self) -> _T_co:
        # The wait for a worker thread cannot be cancelled: what is started is not left behind.
        return await anyio.to_thread.run_sync(self.__enter__)

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self.__exit__, kind, exc, trace)
