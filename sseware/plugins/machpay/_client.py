"""The client's side, as MachPay's documents show it: iterate over chunks, or listen to events.

The transport is anybody's: what is read is an iterable of bytes, sync or async, such as an HTTP client's
``response.iter_bytes()``. A deadline is the caller's (``asyncio.timeout``).
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, aclosing, closing
from typing import Any, Final

from sseware import ServerSentEvent
from sseware.dialects import read_payload
from sseware.errors import ConfigurationError, StreamError
from sseware.wire import aiter_events, iter_events

from ._decoder import unnamed_chunk
from ._payloads import Chunk, End, Error, Start

__all__ = ["AsyncSkillStream", "SkillStream", "async_with_retry", "with_retry"]

_KINDS: Final[dict[str, type[Any]]] = {"start": Start, "chunk": Chunk, "end": End, "error": Error}


class _Listeners:
    """What both kinds of stream share: callbacks, and what an event means."""

    def __init__(self) -> None:
        self._callbacks: dict[str, list[Callable[[Any], object]]] = {}
        self._ended = False

    def on(self, event: str, callback: Callable[[Any], object]) -> None:
        """Calls back for each event of a kind, with its payload.

        Args:
            event: ``"start"``, ``"chunk"``, ``"end"`` or ``"error"``.
            callback: Gets a `Start`, `Chunk`, `End` or `Error`.

        Raises:
            ConfigurationError: There is no such kind.
        """
        if event not in _KINDS:
            raise ConfigurationError(f"event must be one of {', '.join(_KINDS)}, got {event!r}")
        self._callbacks.setdefault(event, []).append(callback)

    def _take(self, event: ServerSentEvent) -> Chunk | None:
        """Returns the chunk of an event, where it is one.

        Raises:
            StreamError: The event is an error.
        """
        name = "chunk" if event.event == "message" else event.event
        if name not in _KINDS or self._ended:
            return None
        payload = unnamed_chunk(event) if event.event == "message" else _read(event)
        if payload is None:
            return None
        self._ended = name in ("end", "error")
        for callback in self._callbacks.get(name, ()):
            callback(payload)
        if isinstance(payload, Error):
            raise StreamError(payload.message, code=payload.code)
        return payload if isinstance(payload, Chunk) else None

    def _close(self) -> None:
        if not self._ended:
            raise StreamError("the stream closed before its end", code="STREAM_INTERRUPTED")


def _read(event: ServerSentEvent) -> Any:
    return read_payload(event, _KINDS[event.event], dialect="machpay")


class SkillStream(_Listeners):
    r"""A stream of chunks, read from an iterable of bytes.

    >>> wire = b'event: chunk\ndata: {"text":"Once "}\n\nevent: end\ndata: ' \
    ...     b'{"tokensUsed":1,"costUsd":0.01,"durationMs":9}\n\n'
    >>> stream = SkillStream([wire])
    >>> stream.on("end", lambda summary: print(summary.tokens_used, "token"))
    >>> [chunk.text for chunk in stream]
    1 token
    ['Once ']

    Args:
        chunks: The bytes of the body, cut anywhere; closed when the iteration ends.

    Raises:
        StreamError: While iterating: the stream carried an error, or closed without ``end`` (code
            ``STREAM_INTERRUPTED``).
    """

    def __init__(self, chunks: Iterable[bytes]) -> None:
        super().__init__()
        self._chunks = chunks

    def __iter__(self) -> Iterator[Chunk]:
        with closing(iter_events(self._chunks)) as events:
            for event in events:
                if (chunk := self._take(event)) is not None:
                    yield chunk
        self._close()


class AsyncSkillStream(_Listeners):
    """A stream of chunks, read from an async iterable of bytes; see `SkillStream`.

    Args:
        chunks: The bytes of the body, cut anywhere; closed when the iteration ends.
    """

    def __init__(self, chunks: AsyncIterable[bytes]) -> None:
        super().__init__()
        self._chunks = chunks

    async def __aiter__(self) -> AsyncIterator[Chunk]:
        async with aclosing(aiter_events(self._chunks)) as events:
            async for event in events:
                if (chunk := self._take(event)) is not None:
                    yield chunk
        self._close()


def with_retry(
    open_stream: Callable[[], Iterable[Chunk]],
    *,
    attempts: int = 3,
    on_retry: Callable[[int, StreamError], object] | None = None,
) -> Iterator[Chunk]:
    """Iterates over the chunks of a stream, and starts again from scratch where it fails.

    What came before a failure has been yielded, and comes once more: MachPay's streams cannot be resumed.

    Args:
        open_stream: Asks for the stream anew.
        attempts: How often it is asked for at the most.
        on_retry: Is told the number of the attempt that failed, and why, so that it can clear what it has shown.

    Raises:
        StreamError: The last attempt failed, too.
        ConfigurationError: ``attempts`` is below 1.
    """
    _check_attempts(attempts)
    return _attempt(open_stream, attempts, on_retry)


def _attempt(
    open_stream: Callable[[], Iterable[Chunk]],
    attempts: int,
    on_retry: Callable[[int, StreamError], object] | None,
) -> Iterator[Chunk]:
    for attempt in range(1, attempts + 1):
        try:
            yield from open_stream()
        except StreamError as exc:
            if attempt == attempts:
                raise
            if on_retry is not None:
                on_retry(attempt, exc)
        else:
            return


def async_with_retry(
    open_stream: Callable[[], AsyncIterable[Chunk]],
    *,
    attempts: int = 3,
    on_retry: Callable[[int, StreamError], object] | None = None,
) -> AsyncIterator[Chunk]:
    """Iterates over the chunks of an async stream, and starts again from scratch where it fails; see `with_retry`.

    Args:
        open_stream: Asks for the stream anew.
        attempts: How often it is asked for at the most.
        on_retry: Is told the number of the attempt that failed, and why.

    Raises:
        StreamError: The last attempt failed, too.
        ConfigurationError: ``attempts`` is below 1.
    """
    _check_attempts(attempts)
    return _attempt_async(open_stream, attempts, on_retry)


async def _attempt_async(
    open_stream: Callable[[], AsyncIterable[Chunk]],
    attempts: int,
    on_retry: Callable[[int, StreamError], object] | None,
) -> AsyncIterator[Chunk]:
    for attempt in range(1, attempts + 1):
        chunks = aiter(open_stream())
        try:
            async with AsyncExitStack() as stack:
                close = getattr(chunks, "aclose", None)
                if close is not None:
                    stack.push_async_callback(close)
                async for chunk in chunks:
                    yield chunk
        except StreamError as exc:
            if attempt == attempts:
                raise
            if on_retry is not None:
                on_retry(attempt, exc)
        else:
            return


def _check_attempts(attempts: int) -> None:
    if attempts < 1:
        raise ConfigurationError(f"attempts must be 1 or more, got {attempts!r}")
