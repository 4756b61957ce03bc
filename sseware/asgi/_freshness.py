"""Whether a generator has been begun: each serves one response."""

from __future__ import annotations

import inspect
import sys
from types import AsyncGeneratorType, CoroutineType, GeneratorType

from ..errors import HandlerReused

__all__ = ["check_fresh"]


def check_fresh(content: object) -> None:
    """Refuses a generator, async or sync, or a coroutine that runs or has run.

    Raises:
        HandlerReused: It does, or has.
    """
    if not _is_fresh(content):
        raise HandlerReused(f"{content!r} runs or has run; make a new one for each response")


def _is_fresh(content: object) -> bool:
    if isinstance(content, AsyncGeneratorType):
        return _is_created(content)
    if isinstance(content, GeneratorType):
        return inspect.getgeneratorstate(content) == inspect.GEN_CREATED
    if isinstance(content, CoroutineType):
        return inspect.getcoroutinestate(content) == inspect.CORO_CREATED
    # Whatever else there is does not tell.
    return True


if sys.version_info >= (3, 12):  # pragma: no cover  # one of the two is never run; CI runs both versions

    def _is_created(generator: AsyncGeneratorType[object, None]) -> bool:
        return inspect.getasyncgenstate(generator) == inspect.AGEN_CREATED

else:  # pragma: no cover
    import opcode

    _RETURN_GENERATOR = opcode.opmap["RETURN_GENERATOR"]

    def _is_created(generator: AsyncGeneratorType[object, None]) -> bool:
        # Python 3.11 has no inspect.getasyncgenstate. A generator that was never begun stands at the instruction
        # that made it.
        frame = generator.ag_frame
        return frame is not None and frame.f_code.co_code[frame.f_lasti] == _RETURN_GENERATOR
