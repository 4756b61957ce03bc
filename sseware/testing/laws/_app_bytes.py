"""The laws of applications that compare two answers: compressed and not, whole and resumed."""

from __future__ import annotations

import zlib
from typing import Any, Final

from ...wire import EventStreamParser
from .._stream import SSEStream
from ..errors import AppLeaked, LawSkipped, SSETimeout
from ._app_run import AppTarget, as_target, listen, opened, run, settled
from ._law import MUST, Broken, law

__all__ = ["APP_BYTES_LAWS"]

_LISTENING: Final = 30.0
_LATE: Final = 0.1
_EVENTS: Final = 6
_HINT: Final = "leave text/event-stream out of compression, or flush after each event"


@law(
    "app/compression",
    MUST,
    "A client that takes gzip gets each event as soon as one that does not: no middleware gathers a stream.",
    "RFC 9110 8.4; FAULTS H7",
    needs=("a stream that lasts, or has pauses",),
)
def _compression(app: Any, _: None) -> None:
    target = as_target(app)

    async def main() -> None:
        plain = await _times(target, "identity")
        if not plain:
            raise LawSkipped(f"no event came within {_LISTENING:g} s, so that none can be late")
        try:
            packed = await _times(target, "gzip")
        except SSETimeout:
            raise Broken(
                "with Accept-Encoding: gzip not even the head comes: a middleware gathers the stream",
                hint=_HINT,
            ) from None
        for number, at in enumerate(plain):
            came = packed[number] if number < len(packed) else None
            if came is None or came > at + _LATE:
                when = f"at {came:g} s" if came is not None else f"not within {_LISTENING:g} s"
                raise Broken(
                    f"with Accept-Encoding: gzip event {number + 1}, due at {at:g} s, came {when}: "
                    "a GZip middleware holds events back",
                    hint=_HINT,
                )

    run(main)


async def _times(target: AppTarget, coding: str) -> list[float]:
    """Returns when each of the first events came, decompressed as a client does it."""
    times: list[float] = []
    try:
        async with opened(target, headers={"accept-encoding": coding}) as stream:
            await settled(stream, _LISTENING, chunks=50)
            times = _decompressed_times(stream)
    except AppLeaked:
        pass
    return times


def _decompressed_times(stream: SSEStream) -> list[float]:
    coding = stream.headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("identity", "gzip", "deflate"):
        raise LawSkipped(f"the answer has the content coding {coding!r}, which cannot be undone here")
    # 47: gzip or zlib, whichever it is.
    undo = zlib.decompressobj(47) if coding != "identity" else None
    parser, times = EventStreamParser(max_event_size=None), list[float]()
    for chunk in stream.chunks:
        try:
            data = undo.decompress(chunk.data) if undo is not None else chunk.data
        except zlib.error as error:
            raise Broken(f"the content coding is {coding}, and the body is not: {error}") from error
        times += [chunk.at for _ in parser.feed(data)]
    return times


@law(
    "app/resume",
    MUST,
    "A client that was cut off and comes back with Last-Event-ID has everything, once, and in order.",
    "WHATWG HTML 9.2.4; FAULTS B1, B2",
    needs=("events with ids, and a stream that is the same twice",),
)
def _resume(app: Any, _: None) -> None:
    target = as_target(app)

    async def main() -> None:
        whole = await _some_events(target)
        if not any(last for _, _, last in whole):
            raise LawSkipped("the events have no ids, so that a client cannot tell where it was")
        if await _some_events(target) != whole:
            raise LawSkipped("the stream is not the same twice, so that nobody can tell what is missing")
        # A cut within an event leaves a client where a cut before that event does.
        for had in range(1, len(whole)):
            last = whole[had - 1][2]
            if not last:
                continue
            again = await _some_events(target, len(whole) - had, last)
            want = [(kind, data) for kind, data, _ in whole[had:]]
            got = [(kind, data) for kind, data, _ in again]
            if got != want:
                raise Broken(
                    f"after a cut behind event {had}, with Last-Event-ID {last!r}, it goes on elsewhere",
                    got=got,
                    want=want,
                )

    run(main)


async def _some_events(
    target: AppTarget, most: int = _EVENTS, last_event_id: str | None = None
) -> list[tuple[str, str, str]]:
    told: list[tuple[str, str, str]] = []
    try:
        async with opened(target, last_event_id=last_event_id) as stream:
            await listen(stream, most=most, seconds=30)
            told = [(event.event, event.data, event.last_event_id) for event in stream.events[:most]]
    except AppLeaked:
        pass
    return told


APP_BYTES_LAWS: Final = (_compression, _resume)
"""In the order in which they are told."""
