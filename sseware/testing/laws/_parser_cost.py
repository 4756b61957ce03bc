"""The laws of parsers that say what reading costs, in memory and in time."""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Iterable, Iterator
from typing import Final

from ..errors import LawSkipped
from ._law import MUST, SHOULD, Broken, law
from ._reading import Parse, read

__all__ = ["PARSER_COST_LAWS"]

_KIB: Final = 1024
_MIB: Final = 1024 * _KIB


class _Repeated(Iterable[bytes]):
    """One chunk, many times over, that takes no memory.

    Args:
        chunk: The chunk.
        count: How many times it comes.
        first: What comes before it.
        last: What comes after it.
    """

    def __init__(self, chunk: bytes, count: int, *, first: bytes = b"", last: bytes = b"") -> None:
        self._chunk = chunk
        self._count = count
        self._first = first
        self._last = last

    def __iter__(self) -> Iterator[bytes]:
        # A list of references to the same bytes.
        yield from [self._first, *[self._chunk] * self._count, self._last]


def _peak(parse: Parse, chunks: Iterable[bytes]) -> int:
    """Returns how many bytes a parser held at its worst, beyond what it began with."""
    _check_lazy(parse)
    was_tracing = tracemalloc.is_tracing()
    if not was_tracing:
        tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        read(parse, chunks, keep=False)
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        if not was_tracing:
            tracemalloc.stop()
    return peak


def _check_lazy(parse: Parse) -> None:
    """Skips a parser that returns its events when the stream has ended: whoever calls it holds all of it anyway."""
    if not read(parse, [b"data: x\n\n"]).lazy:
        raise LawSkipped("the parser returns its events when the stream has ended; make it a generator")


@law(
    "parser/bounded-memory",
    MUST,
    "What was told is let go: a long stream of small events takes no more memory than a short one.",
    "FAULTS P10",
    needs=("a parser that is a generator, an async generator, or a class with feed()",),
)
def _bounded_memory(parse: Parse, _: None) -> None:
    chunk = b"event: delta\ndata: a few words of it\n\n" * 200
    most = 512 * _KIB
    peak = _peak(parse, _Repeated(chunk, 200))
    if peak > most:
        size = len(chunk) * 200 // _KIB
        raise Broken(
            f"the parser held {peak // _KIB} KiB of a stream of {size} KiB", most=f"{most // _KIB} KiB"
        )


@law(
    "parser/bounded-comment",
    SHOULD,
    "A comment that never ends takes no memory: nobody will see it.",
    "FAULTS P10",
    needs=("a parser that is a generator, an async generator, or a class with feed()",),
)
def _bounded_comment(parse: Parse, _: None) -> None:
    piece = b"c" * (64 * _KIB)
    peak = _peak(parse, _Repeated(piece, 64, first=b":", last=b"\n\n"))
    if peak > _MIB:
        raise Broken(f"the parser held {peak // _KIB} KiB of a comment of 4096 KiB", most="1024 KiB")


@law(
    "parser/bounded-event",
    SHOULD,
    "An event that never ends is refused: there is a limit, and an error for reaching it.",
    "FAULTS P10",
    needs=("a parser that is a generator, an async generator, or a class with feed()",),
)
def _bounded_event(parse: Parse, _: None) -> None:
    _check_lazy(parse)
    piece = b"d" * (512 * _KIB)
    try:
        read(parse, _Repeated(piece, 40, first=b"data: "), keep=False)
    except Broken:
        return  # it raised: that is what is wanted here
    raise Broken("the parser read a line of 20 MiB without an end, and said nothing")


_SHAPES: Final = {
    "one data line in pieces": (b"x" * 128, b"data: ", b"\n\n"),
    "many data lines in one event": (b"data: x\n" * 8, b"", b"\n"),
    "many events in small chunks": (b"data: x\n\ndata: y\n\ndata: z\n\n" * 8, b"", b""),
}
_FEW: Final = 300
_MORE: Final = 8
_MOST: Final = 3
_ENOUGH: Final = 2


class _TooSlow(BaseException):
    """Ends a reading that takes too long, whatever the parser catches."""


def _seconds(parse: Parse, shape: str, count: int, *, times: int = 1, most: float = 60.0) -> float:
    """Returns how long a parser reads so many pieces so many times, or the most that it may take.

    No garbage is collected meanwhile: in a large test session one collection takes longer than all the reading.
    """
    chunk, first, last = _SHAPES[shape]
    collects = gc.isenabled()
    gc.disable()
    began = time.thread_time()

    def look() -> None:
        if time.thread_time() - began > most:
            raise _TooSlow

    try:
        for _ in range(times):
            read(parse, _Repeated(chunk, count, first=first, last=last), keep=False, taken=look)
        return time.thread_time() - began
    except _TooSlow:
        return most
    finally:
        if collects:
            gc.enable()


@law(
    "parser/linear-time",
    MUST,
    "Eight times the bytes take about eight times as long, however small the pieces are.",
    "FAULTS P12",
    examples=lambda: list(_SHAPES),
)
def _linear_time(parse: Parse, shape: str) -> None:
    # The few are read as often as makes them as many bytes as the many, so that both take equally long where a
    # parser is linear, and both meet the machine's fast and slow moments; and by turns. Of the few the shortest
    # counts. The many are read again before anything is said, and once is not enough: the machine may have been
    # slow each time that the few were read.
    few = _seconds(parse, shape, _FEW, times=_MORE)
    linear = 0
    for _ in range(10):
        few = max(min(few, _seconds(parse, shape, _FEW, times=_MORE)), 1e-3)
        most = few * _MOST
        linear += _seconds(parse, shape, _FEW * _MORE, most=most) < most
        if linear == _ENOUGH:
            return
    raise Broken(f"{_MORE} times as many pieces took more than {_MORE * _MOST} times as long", shape=shape)


PARSER_COST_LAWS: Final = (_bounded_memory, _bounded_comment, _bounded_event, _linear_time)
"""In the order in which they are told."""
