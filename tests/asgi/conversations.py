"""ASGI conversations: what an application may send and ask for, in any order that the specification allows."""

from __future__ import annotations

from typing import Any, NamedTuple

import anyio
import anyio.lowlevel
from hypothesis import strategies as st

from tests.asgi.fakes import Message

__all__ = ["Conversation", "Recorded", "conversations", "hold"]

HEADERS = [
    (b"content-type", b"application/json"),
    (b"content-type", b"text/plain; charset=utf-8"),
    (b"content-type", b"application/x-ndjson"),
    (b"content-type", b"application/jsonl"),
    (b"content-type", b"text/event-stream"),
    (b"Content-Type", b"text/html"),
    (b"content-encoding", b"gzip"),
    (b"transfer-encoding", b"chunked"),
    (b"etag", b'"1"'),
    (b"vary", b"Origin"),
    (b"Vary", b"accept, cookie"),
    (b"set-cookie", b"a=1"),
    (b"set-cookie", b"b=2"),
    (b"x-latin", b"\xe9"),
]
BEFORE = [
    "http.response.early_hint",
    "http.response.debug",
    "http.response.push",
    "http.response.of_the_future",
]


class Conversation(NamedTuple):
    """What an application does for one request.

    Attributes:
        kind: The type of the scope.
        steps: What it does: messages are sent, ``"receive"`` and ``"turn"`` are what they say, exceptions are raised.
        incoming: What the server has for it before the client leaves.
        listens: Whether another of its tasks waits for the client to leave all the while.
    """

    kind: str
    steps: list[Any]
    incoming: list[Message]
    listens: bool

    @property
    def start(self) -> Message | None:
        """The head that it sends, if it gets there."""
        heads = [
            step for step in self.steps if isinstance(step, dict) and step["type"] == "http.response.start"
        ]
        return heads[0] if heads else None


class Recorded(NamedTuple):
    """What both sides of a middleware saw.

    Attributes:
        received: What the application was given, in order.
        sent: What the server was given.
        raised: What was raised to the server.
        scope: What the application was called with.
    """

    received: list[Message]
    sent: list[Message]
    raised: list[BaseException]
    scope: list[Any]


def _starts() -> st.SearchStrategy[Message]:
    return st.fixed_dictionaries(
        {
            "type": st.just("http.response.start"),
            "status": st.sampled_from([200, 200, 200, 201, 204, 206, 301, 304, 404, 500]),
        },
        optional={
            "headers": st.lists(st.sampled_from(HEADERS), max_size=5)
            | st.lists(st.sampled_from(HEADERS), max_size=5).map(tuple),
            "trailers": st.booleans(),
            "of_the_future": st.none(),
        },
    )


def _bodies(*, more: bool) -> st.SearchStrategy[Message]:
    optional: dict[str, Any] = {"body": st.binary(max_size=20) | st.binary(max_size=9).map(bytearray)}
    required: dict[str, Any] = {"type": st.just("http.response.body")}
    if more:
        zerocopy = st.fixed_dictionaries(
            {
                "type": st.just("http.response.zerocopysend"),
                "file": st.integers(3, 9),
                "more_body": st.just(True),
            }
        )
        return st.fixed_dictionaries({**required, "more_body": st.just(True)}, optional=optional) | zerocopy
    path = st.fixed_dictionaries({"type": st.just("http.response.pathsend"), "path": st.just("/etc/motd")})
    return st.fixed_dictionaries(required, optional={**optional, "more_body": st.just(False)}) | path


@st.composite
def _answers(draw: st.DrawFn) -> list[Message]:
    """The messages of one answer, which may stop anywhere."""
    before = [{"type": kind} for kind in draw(st.lists(st.sampled_from(BEFORE), max_size=2))]
    start = draw(_starts())
    rest = [*draw(st.lists(_bodies(more=True), max_size=5)), draw(_bodies(more=False))]
    if start.get("trailers"):
        rest.append({"type": "http.response.trailers", "headers": []})
    elif draw(st.booleans()) and all(each["type"] == "http.response.body" for each in rest):
        length = sum(len(each.get("body", b"")) for each in rest)
        fields = start.get("headers", [])
        start = {**start, "headers": type(fields)([*fields, (b"content-length", b"%d" % length)])}
    messages = [*before, start, *rest]
    # A head is the least that is sent; who sends less is told so.
    return messages[: draw(st.integers(len(before) + 1, len(messages)))]


@st.composite
def _others(draw: st.DrawFn, kind: str) -> list[Message]:
    """What is said where there is no HTTP request; nobody checks it."""
    kinds = st.sampled_from([f"{kind}.{each}" for each in ("accept", "send", "close", "startup.complete")])
    return draw(
        st.lists(st.fixed_dictionaries({"type": kinds}, optional={"text": st.text(max_size=3)}), max_size=5)
    )


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    """Conversations over HTTP for the most part, which may break off by an exception."""
    kind = draw(st.sampled_from(["http", "http", "http", "http", "websocket", "lifespan", "of-the-future"]))
    messages = draw(_answers() if kind == "http" else _others(kind))
    between = st.lists(st.sampled_from(["receive", "turn"]), max_size=2)
    steps: list[Any] = draw(between)
    for message in messages:
        steps += [message, *draw(between)]
    if draw(st.booleans()):
        steps.append(draw(st.sampled_from([ValueError("its own"), OSError("its own"), KeyboardInterrupt()])))
    incoming = [
        {"type": f"{kind}.request", "body": part, "more_body": True}
        for part in draw(st.lists(st.binary(max_size=5), max_size=3))
    ]
    return Conversation(kind, steps, incoming, draw(st.booleans()))


async def hold(conversation: Conversation, wrap: Any, scope: Any) -> Recorded:
    """Holds a conversation through a middleware; both of its sides are written down."""
    recorded = Recorded([], [], [], [])
    incoming = iter(conversation.incoming)

    async def receive() -> Message:
        await anyio.lowlevel.checkpoint()
        return next(incoming, GONE)

    async def send(message: Message) -> None:
        await anyio.lowlevel.checkpoint()
        recorded.sent.append(message)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        recorded.scope.append(scope)

        async def listen() -> None:
            while (message := await receive()) is not GONE:
                recorded.received.append(message)
            recorded.received.append(message)

        async def take_steps() -> None:
            for step in conversation.steps:
                if isinstance(step, dict):
                    await send(step)
                elif step == "turn":
                    await anyio.lowlevel.checkpoint()
                elif isinstance(step, BaseException):
                    raise step
                elif not conversation.listens and GONE not in recorded.received:
                    recorded.received.append(await receive())

        if not conversation.listens:
            await take_steps()
            return
        raised: BaseException | None = None
        async with anyio.create_task_group() as group:
            group.start_soon(listen)
            try:
                await take_steps()
            except (Exception, KeyboardInterrupt) as exc:  # not for the task group, which would wrap it
                raised = exc
        if raised is not None:
            raise raised

    try:
        await wrap(app)(scope, receive, send)
    except (Exception, KeyboardInterrupt) as exc:
        recorded.raised.append(exc)
    return recorded


GONE: Message = {"type": "http.disconnect"}
