"""The laws of applications that time shows: who ends when, who waits for whom, and what silence sounds like."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

import anyio
import anyio.lowlevel

from ...dialects import get_dialect
from ...errors import SSEError, TruncatedStream
from ...items import Failure, Finish
from .._personalities import get_personality
from .._stream import SSEStream
from ..errors import AppLeaked, LawSkipped, TranscriptError
from ._app_run import (
    SERVERS,
    AppTarget,
    as_target,
    asked,
    listen,
    never_rests,
    opened,
    pass_time,
    run,
    settled,
)
from ._law import MUST, SHOULD, Broken, law

__all__ = ["APP_LIFE_LAWS"]

_BLOCKING: Final = ("uvicorn", "hypercorn", "granian", "asgi-2.4", "lockstep")
_SLACK: Final = 131_072
_ROUNDS: Final = 400
_STALL: Final = 300.0
_LISTENING: Final = 200.0
_LONGEST_SILENCE: Final = 60.0


@law(
    "app/cleanup-idle",
    MUST,
    "When a client leaves while nothing happens, the application ends, on every server.",
    "FAULTS G1, C6",
    examples=lambda: SERVERS,
)
def _cleanup_idle(app: Any, server: str) -> None:
    target = as_target(app)

    async def main() -> None:
        async with opened(target, server) as stream:
            await listen(stream, most=3, seconds=2)
            await pass_time(stream, 3)
            await stream.disconnect()

    run(main)


@law(
    "app/cleanup-busy",
    MUST,
    "When a client stops to read and leaves, the application ends, on every server; also before its first event.",
    "FAULTS G2, G3, G8",
    examples=lambda: SERVERS,
)
def _cleanup_busy(app: Any, server: str) -> None:
    target = as_target(app)

    async def main() -> None:
        async with opened(target, server) as stream:
            await stream.disconnect()
        async with opened(target, server) as stream:
            with stream.paused():
                await pass_time(stream, 3)
                await stream.disconnect()

    run(main)


@law(
    "app/backpressure",
    MUST,
    "A client that stops to read stops the application: it does not send on into the server's memory.",
    "FAULTS C7",
    needs=("an application that sends more than a server takes",),
    examples=lambda: _BLOCKING,
)
def _backpressure(app: Any, server: str) -> None:
    target, mark = as_target(app), get_personality(server).high_water or 0

    async def main() -> None:
        waiting = -1
        try:
            async with opened(target, server) as stream:
                with stream.paused():
                    waiting = await _run_ahead(stream, mark)
        except TranscriptError:
            if waiting < 0:
                raise  # otherwise it is what it does when its client has left, which another law tells
        if waiting > mark + _SLACK:
            raise Broken(
                f"{waiting} bytes lie with a server that takes {mark} for a client that does not read"
            )
        if waiting <= mark:
            raise LawSkipped(f"it sent {waiting} bytes to a client that did not read, which any server takes")

    run(main)


async def _run_ahead(stream: SSEStream, mark: int) -> int:
    """Returns how many bytes lie with the server when the application has stopped, or has sent far too much."""
    for _ in range(_ROUNDS):
        if stream.waiting > mark + _SLACK or not await never_rests(stream):
            break
    for _ in range(20):
        if stream.waiting > mark:
            await anyio.lowlevel.checkpoint()
        else:
            await anyio.sleep(0.5)
    return stream.waiting


@law(
    "app/stalled-reader",
    SHOULD,
    "A client that has stopped to read for five minutes is given up.",
    "FAULTS C3",
    needs=("an application that sends more than a server takes",),
)
def _stalled_reader(app: Any, _: None) -> None:
    target = as_target(app)

    async def main() -> None:
        async with opened(target) as stream:
            with stream.paused():
                await stream._exchange.wait(lambda: stream.app_finished, _STALL)
                if stream.waiting <= 65536:
                    raise LawSkipped(
                        f"it sent {stream.waiting} bytes in {_STALL:g} s, which the server takes: nothing stalls"
                    )
                if not stream.app_finished:
                    raise Broken(f"after {_STALL:g} s it still waits for a client that does not read")
                _ = stream.app_exception

    run(main)


@law(
    "app/keepalive",
    SHOULD,
    "A silent stream sends a comment after at most a minute, and in steady intervals.",
    "WHATWG HTML 9.2.7; FAULTS C1",
    needs=("a stream that is silent for a while",),
)
def _keepalive(app: Any, _: None) -> None:
    target = as_target(app)

    async def main() -> None:
        async with opened(target) as stream:
            await settled(stream, _LISTENING)
            _check_silence(stream)

    run(main)


def _check_silence(stream: SSEStream) -> None:
    at = [chunk.at for chunk in stream.chunks]
    gaps = [late - early for early, late in pairwise([*at, stream.elapsed] if stream.ending is None else at)]
    if max(gaps, default=0) < 5 and stream.elapsed < _LISTENING:
        raise LawSkipped(f"it was never silent: {len(at)} chunks in {stream.elapsed:g} s")
    if max(gaps, default=stream.elapsed) > _LONGEST_SILENCE + 0.5:
        raise Broken(
            f"it was silent for {max(gaps, default=stream.elapsed):g} s, and nothing told that it lives"
        )
    with_events = {event.chunk for event in stream.events}
    quiet = [number for number in range(1, len(at)) if number not in with_events]
    # The gap before a keepalive that follows a keepalive.
    steps = [at[number] - at[number - 1] for number in quiet if number - 1 in quiet]
    if steps and max(steps) - min(steps) > 0.05 * min(steps) + 0.01:
        raise Broken("the keepalives drift", gaps=[round(step, 3) for step in steps[:10]])


@law(
    "app/two-loops",
    MUST,
    "It runs on two event loops, one after the other: nothing of the first is used on the second.",
    "FAULTS S6",
)
def _two_loops(app: Any, _: None) -> None:
    target, told = as_target(app), list[int]()

    async def main() -> None:
        try:
            async with opened(target) as stream:
                await listen(stream, most=3, seconds=30)
                told.append(len(stream.events))
        except AppLeaked:
            return

    run(main)
    try:
        run(main)
    except Broken as broken:
        raise Broken(f"on a second event loop {broken.what}", **broken.details) from broken
    if told[1:] and told[1] < told[0]:
        raise Broken(f"on a second event loop it told {told[1]} events, and {told[0]} on the first")


@law(
    "app/error-before-start",
    MUST,
    "An error before the first event is a status of 400 or more, and not a stream that breaks.",
    "FAULTS X1",
    needs=("a path at which it fails: failing_before",),
)
def _error_before_start(app: Any, _: None) -> None:
    target = as_target(app)
    if target.failing_before is None:
        raise LawSkipped("nobody said at which path it fails before its first event (failing_before)")

    async def main() -> None:
        async with asked(target, path=target.failing_before) as stream:
            exception = stream.app_exception
            if stream.status < 400:
                raise Broken(f"it failed, and the status is {stream.status}", raised=repr(exception))

    run(main)


@law(
    "app/error-after-start",
    MUST,
    "After an error in mid-stream no client takes the end for success: it is told, or the stream is cut off.",
    "FAULTS X3, X6",
    needs=("a path at which it fails: failing_after",),
)
def _error_after_start(app: Any, _: None) -> None:
    target = as_target(app)
    if target.failing_after is None:
        raise LawSkipped("nobody said at which path it fails in the middle of a stream (failing_after)")

    async def main() -> None:
        async with asked(target, path=target.failing_after) as stream:
            await settled(stream, 30)
            exception = stream.app_exception
            if stream.ending is None:
                raise Broken("it failed, and the stream goes on for 30 s")
            if stream.ending == "complete" and not _tells_failure(target, stream):
                raise Broken(
                    "it failed, and the stream ends as one that is complete", raised=repr(exception),
                    events=[(event.event, event.data) for event in stream.events[-3:]],
                )  # fmt: skip

    run(main)


def _tells_failure(target: AppTarget, stream: SSEStream) -> bool:
    if target.dialect is None:
        return any(event.event == "error" or '"error"' in event.data for event in stream.events[-3:])
    decoder = get_dialect(target.dialect).decoder()
    try:
        items = [item for event in stream.events for item in decoder.decode(event)]
        decoder.close()
    except TruncatedStream:
        return True
    except SSEError as error:
        raise Broken(f"the stream is not of the dialect {target.dialect}: {error}") from error
    ends = [item for item in items if isinstance(item, Failure | Finish)]
    return any(isinstance(end, Failure) or not end.ok for end in ends)


APP_LIFE_LAWS: Final = (
    _cleanup_idle,
    _cleanup_busy,
    _backpressure,
    _stalled_reader,
    _keepalive,
    _two_loops,
    _error_before_start,
    _error_after_start,
)
"""In the order in which they are told."""
