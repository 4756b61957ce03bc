"""An application that finds out what its server does to it; `tests.testing.test_real_servers` asks it.

It runs in the server's process, alone: it imports nothing of ours. Each probe writes down what it saw, and
``/seen?name`` answers that as JSON.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable
from typing import Any

SOON = 0.4
"""Seconds after which something counts as blocked."""

START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"text/event-stream")],
}
EVENT = b"data: x\n\n"
BIG = b"data: %s\n\n" % (b"x" * 65000)

seen: dict[str, dict[str, Any]] = {}


def body(data: bytes, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": more}


async def outcome(awaitable: Awaitable[Any], seconds: float = SOON) -> Any:
    """What comes of a call: what it returns, what it raises, or that it blocks."""
    task = asyncio.ensure_future(awaitable)
    done, _ = await asyncio.wait([task], timeout=seconds)
    if not done:
        task.cancel()
        return "blocks"
    if task.exception() is not None:
        return "OSError" if isinstance(task.exception(), OSError) else "raises"
    message = task.result()
    if message is None:
        return "returns"
    if message["type"] == "http.request":
        return ["http.request", message["body"].decode(), message["more_body"]]
    return message["type"]


async def outcomes(receive: Any, most: int, seconds: float = SOON) -> list[Any]:
    """What `receive` gives, until it blocks."""
    got: list[Any] = []
    while len(got) < most and "blocks" not in got:
        got.append(await outcome(receive(), seconds))
    return got


class Probes:
    @staticmethod
    async def scope(scope: Any, receive: Any, send: Any, note: dict[str, Any]) -> None:
        note["spec_version"] = scope["asgi"].get("spec_version")
        note["http_version"] = scope["http_version"]
        await send(START)
        await send(body(EVENT, more=False))

    @staticmethod
    async def request(scope: Any, receive: Any, send: Any, note: dict[str, Any]) -> None:
        note["messages"] = await outcomes(receive, 4)
        await send(START)
        await send(body(EVENT, more=False))

    @staticmethod
    async def two(scope: Any, receive: Any, send: Any, note: dict[str, Any]) -> None:
        # With nothing between them: granian may read the request meanwhile, in a thread of its own.
        calls = receive(), receive()
        first, second = (asyncio.ensure_future(outcome(call)) for call in calls)
        note["receives"] = [await first, await second, await outcome(receive())]
        await send(START)
        await send(body(EVENT, more=False))

    @staticmethod
    async def held(scope: Any, receive: Any, send: Any, note: dict[str, Any]) -> None:
        await send(START)
        await asyncio.sleep(2 * SOON)
        await send(body(EVENT, more=False))

    @staticmethod
    async def leave(scope: Any, receive: Any, send: Any, note: dict[str, Any]) -> None:
        await send(START)
        await send(body(EVENT))
        messages: list[Any] = []
        while "http.disconnect" not in messages:
            messages.append(await outcome(receive(), 5))
        note["messages"] = [*messages, *await outcomes(receive, 2)]
        note["sends"] = [await outcome(send(body(BIG))) for _ in range(4)]

    @staticmethod
    async def deaf(scope: Any, receive: Any, send: Any, note: dict[str, Any]) -> None:
        await send(START)
        await send(body(EVENT))
        began = time.monotonic()
        try:
            await asyncio.sleep(13)
            note["cancelled"] = None
        except asyncio.CancelledError:
            note["cancelled"] = time.monotonic() - began
            raise

    @staticmethod
    async def end(scope: Any, receive: Any, send: Any, note: dict[str, Any]) -> None:
        await send(START)
        await send(body(EVENT, more=False))
        note["messages"] = await outcomes(receive, 3)

    @staticmethod
    async def stalled(scope: Any, receive: Any, send: Any, note: dict[str, Any]) -> None:
        await send(START)
        note["sent"] = 0
        while note["sent"] < 16 * 2**20:
            if await outcome(send(body(BIG)), 2 * SOON) == "blocks":
                note["blocks"] = True
                return
            note["sent"] += len(BIG)
        note["blocks"] = False
        await send(body(b"", more=False))

    @staticmethod
    async def turns(scope: Any, receive: Any, send: Any, note: dict[str, Any]) -> None:
        turned: list[bool] = []
        await send(START)
        asyncio.get_running_loop().call_soon(turned.append, True)
        for _ in range(20):
            await send(body(EVENT))
        note["suspends"] = bool(turned)
        await send(body(EVENT, more=False))

    @staticmethod
    async def unread(scope: Any, receive: Any, send: Any, note: dict[str, Any]) -> None:
        await asyncio.sleep(3 * SOON)
        await send(START)
        note["last_send"] = await outcome(send(body(EVENT, more=False)))
        # What hangs is let go, so that the server can end.
        await outcomes(receive, 40, 0.05)

    @staticmethod
    async def lost(scope: Any, receive: Any, send: Any, note: dict[str, Any]) -> None:
        await send(START)
        await send(body(EVENT))
        await asyncio.sleep(3 * SOON)
        note["message"] = await outcome(receive())

    @staticmethod
    async def raises(scope: Any, receive: Any, send: Any, note: dict[str, Any]) -> None:
        raise ValueError("boom")


async def app(scope: Any, receive: Any, send: Any) -> None:
    """The application."""
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    name = scope["path"].strip("/")
    if name == "seen":
        await tell(scope["query_string"].decode(), send)
        return
    note = seen[name] = {"over": False}
    try:
        await getattr(Probes, name)(scope, receive, send, note)
    finally:
        note["over"] = True


async def tell(name: str, send: Any) -> None:
    """Answers what a probe saw, when it is over."""
    while not seen.get(name, {}).get("over"):
        await asyncio.sleep(0.02)
    answer = json.dumps({key: value for key, value in seen.pop(name).items() if key != "over"}).encode()
    await send({**START, "headers": [(b"content-length", b"%d" % len(answer))]})
    await send(body(answer, more=False))
