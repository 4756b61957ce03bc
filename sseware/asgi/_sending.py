"""Calling ``send``, with a deadline where it blocks and only there."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Generator
from typing import Any

import anyio

from .._types import Message, Send

__all__ = ["send_within"]


async def send_within(send: Send, message: Message, seconds: float | None) -> None:
    """Sends a message.

    Nearly every call of ``send`` returns without suspending, and a deadline costs more than the call. So the call
    is run up to its first suspension by hand; where it suspends, the deadline is set and the rest is awaited.

    Raises:
        TimeoutError: The message was not taken within ``seconds``.
    """
    if seconds is None:
        await send(message)
        return
    running = send(message).__await__()
    try:
        pending = next(running)
    except StopIteration:
        return
    with anyio.fail_after(seconds):
        await _resume(running, pending)


@types.coroutine
def _resume(running: Generator[Any, Any, None], pending: Any) -> Generator[Any, Any, None]:
    """Goes on with an awaitable that has been run up to its first suspension, as ``yield from`` would."""
    go_on: Callable[[], Any]
    while True:
        try:
            sent = yield pending
        except GeneratorExit:
            running.close()
            raise
        except BaseException as exc:  # all of them belong to the awaitable
            go_on = functools.partial(running.throw, exc)
        else:
            go_on = functools.partial(running.send, sent)
        try:
            pending = go_on()
        except StopIteration:
            return
