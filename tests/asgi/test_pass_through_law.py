"""The pass-through law: what is none of its business passes the middleware untouched, message for message.

SSEWARE_SLOW=1 holds it over ten thousand conversations on each event loop.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sseware import SSEMiddleware
from tests.asgi.conversations import Conversation, Recorded, conversations, hold
from tests.asgi.fakes import Message, request

SLOW = os.environ.get("SSEWARE_SLOW") == "1"
MANY, ROUNDS = (10_000, 50) if SLOW else (160, 1)
"""How many conversations are held on each event loop, over all of the middlewares, and in how many tests of each."""
ACCEPT = ["text/event-stream", "text/event-stream, */*", "*/*", "application/json", "text/plain", None]
KEPT = {b"content-encoding", b"etag", b"transfer-encoding"}
TYPES = {b"text/plain", b"application/x-ndjson", b"application/jsonl"}

WRAPS: dict[str, Callable[[Any], Any]] = {
    "a middleware": SSEMiddleware,
    "one that adapts": lambda app: SSEMiddleware(app, adapt=True),
    "one that adapts events": lambda app: SSEMiddleware(app, adapt={"text/event-stream": "machpay"}),
    "two of them": lambda app: SSEMiddleware(SSEMiddleware(app, adapt=True), adapt=True, keepalive=None),
}


def adaptable(start: Message | None, types: set[bytes]) -> bool:
    """Whether an answer could be a stream, as the documentation has it."""
    fields = (
        {} if start is None else {name.lower(): value for name, value in reversed(start.get("headers", ()))}
    )
    return (
        start is not None
        and start["status"] == 200
        and not start.get("trailers")
        and not fields.keys() & KEPT
        and fields.get(b"content-type", b"").split(b";")[0] in types
    )


def without_vary(message: Message) -> Any:
    return {
        **message,
        "headers": [field for field in message.get("headers", ()) if field[0].lower() != b"vary"],
    }


def same(got: Sequence[object], want: Sequence[object]) -> bool:
    """Whether these are the very same objects in the same order."""
    return len(got) == len(want) and all(one is other for one, other in zip(got, want, strict=True))


@pytest.mark.parametrize("turn", range(ROUNDS))
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("name", list(WRAPS))
@settings(
    max_examples=MANY // ROUNDS // len(WRAPS),
    derandomize=False,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(conversation=conversations(), accept=st.sampled_from(ACCEPT))
def test_what_is_none_of_its_business_passes(
    name: str, backend: str, turn: int, conversation: Conversation, accept: str | None
) -> None:
    """H6, H10, H12, H13, H15, C8."""
    types = (TYPES if "adapts" in name or "two" in name else set()) | (
        {b"text/event-stream"} if "events" in name else set()
    )
    may_vary = adaptable(conversation.start, types)
    scope = request(accept=None if may_vary else accept, type=conversation.kind)
    before = {**scope}
    direct, through = run(conversation, WRAPS[name], scope, backend)

    assert scope == before, "the scope that was given is not changed"
    assert {**through.scope[0], "sseware": 0} == {**scope, "sseware": 0}
    assert same(through.received, direct.received)
    assert same(through.raised, direct.raised)
    if may_vary and conversation.start in direct.sent:
        at = direct.sent.index(conversation.start)
        assert without_vary(through.sent[at]) == without_vary(direct.sent[at])
        assert same(through.sent[:at], direct.sent[:at])
        assert same(through.sent[at + 1 :], direct.sent[at + 1 :])
    else:
        assert same(through.sent, direct.sent)


def run(
    conversation: Conversation, wrap: Callable[[Any], Any], scope: Any, backend: str
) -> tuple[Recorded, Recorded]:
    async def both() -> tuple[Recorded, Recorded]:
        return await hold(conversation, lambda app: app, scope), await hold(conversation, wrap, scope)

    return anyio.run(both, backend=backend)


def test_the_law_finds_a_middleware_that_copies_its_messages() -> None:
    """The law can fail."""

    def copying(app: Any) -> Any:
        async def wrapped(scope: Any, receive: Any, send: Any) -> None:
            async def copied(message: Any) -> None:
                await send({**message})

            await app(scope, receive, copied)

        return wrapped

    start = {"type": "http.response.start", "status": 200, "headers": []}
    conversation = Conversation("http", [start, {"type": "http.response.body"}], [], listens=False)
    direct, through = run(conversation, copying, request(), "asyncio")
    assert direct.sent == through.sent
    assert not same(through.sent, direct.sent)
