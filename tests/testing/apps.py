"""Applications to try the toolkit on: small, and some of them bad."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import anyio.lowlevel

START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"text/event-stream")],
}


def body(data: bytes, *, more: bool = True) -> dict[str, Any]:
    """Makes a body message."""
    return {"type": "http.response.body", "body": data, "more_body": more}


def says(*chunks: bytes, then: str = "end") -> Callable[[Any, Any, Any], Any]:
    """Makes an application that sends some chunks; then it ends, waits for the client to leave, or hangs."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        for chunk in chunks:
            await send(body(chunk))
        if then == "end":
            await send(body(b"", more=False))
        elif then == "wait":
            await until_disconnect(receive)
        else:
            await anyio.sleep_forever()

    return app


async def until_disconnect(receive: Any) -> None:
    """Waits until the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def ticks(scope: Any, receive: Any, send: Any) -> None:
    """Sends a number each second, until its client leaves."""

    async def tick() -> None:
        await send(START)
        number = 0
        while True:
            await send(body(b"id: %d\ndata: %d\n\n" % (number, number)))
            number += 1
            await anyio.sleep(1)

    async with anyio.create_task_group() as group:
        group.start_soon(tick)
        await until_disconnect(receive)
        group.cancel_scope.cancel()


async def endless(scope: Any, receive: Any, send: Any) -> None:
    """Sends numbers as fast as it can, and looks for its client between two of them."""
    gone = anyio.Event()

    async def watch() -> None:
        await until_disconnect(receive)
        gone.set()

    async with anyio.create_task_group() as group:
        group.start_soon(watch)
        await send(START)
        number = 0
        while not gone.is_set():
            await send(body(b"data: %d\n\n" % number))
            number += 1
            await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Tells the request that it got, as lines of text."""
    bodies: list[bytes] = []
    if scope["http_version"] != "2" or any(name == b"content-length" for name, _ in scope["headers"]):
        while True:
            message = await receive()
            bodies.append(message["body"])
            if not message["more_body"]:
                break
    headers = b"\n".join(b"%s: %s" % field for field in scope["headers"])
    path, query = scope["path"].encode(), scope["query_string"]
    start = b"%s %s %s %s" % (scope["method"].encode(), path, scope["raw_path"], query)
    await send({**START, "headers": [(b"content-type", b"text/plain"), (b"x-mine", b"yes")]})
    await send(body(b"\n".join([start, headers, b"", b"|".join(bodies)]), more=False))
