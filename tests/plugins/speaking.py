"""What a dialect makes of items, in a stream and in a body, and what it reads of bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import Any

import anyio

from sseware import ServerSentEvent
from sseware.dialects import AnItem, Dialect, StreamContext, decode
from sseware.events import Comment
from sseware.items import Failure
from sseware.wire import encode, encode_comment

__all__ = ["body_of", "items_of", "stream_of", "stream_of_run"]


def stream_of(
    dialect: Dialect,
    items: Iterable[AnItem],
    *,
    fail: Failure | None = None,
    context: StreamContext | None = None,
) -> bytes:
    """What the driver writes for these items."""
    encoder = dialect.open(context or StreamContext())
    events = [*encoder.start()]
    for item in items:
        events += encoder.encode(item)
    events += encoder.finish() if fail is None else encoder.fail(fail)
    return b"".join(map(_written, events))


def stream_of_run(dialect: Dialect, items: Sequence[AnItem]) -> bytes:
    """What the driver writes for these items, of which the first failure is the handler's last word."""
    before = takewhile(lambda item: not isinstance(item, Failure), items)
    fail = next((item for item in items if isinstance(item, Failure)), None)
    return stream_of(dialect, before, fail=fail)


def _written(event: ServerSentEvent | Comment) -> bytes:
    return encode_comment(event.text) if isinstance(event, Comment) else encode(event)


def body_of(
    dialect: Dialect, items: Iterable[AnItem], *, context: StreamContext | None = None
) -> tuple[int, Any]:
    """The status of the answer to these items, and the JSON of its body."""
    folded = dialect.fold(context or StreamContext())
    for item in items:
        folded.add(item)
    answer = folded.finish()
    return answer.status, json.loads(answer.body)


def items_of(dialect: Dialect | str, wire: bytes) -> list[AnItem]:
    """What a client reads."""

    async def main() -> list[AnItem]:
        return [item async for item in decode([wire], dialect)]

    return anyio.run(main)
