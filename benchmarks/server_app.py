"""A server in a process of its own: ``python -m benchmarks.server_app ENGINE PEER DESCRIPTOR`` serves on an inherited socket."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import socket
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from sseware import SSEMiddleware

from .driver_peers import MAKERS, OURS, OURS_IN_STARLETTE
from .exchange import PATH
from .handlers import Handler
from .servers import ENGINES

__all__ = ["BURST", "BURSTS", "GROUPS", "IN_GROUP", "PAUSES", "TEXT", "main"]

TEXT = "the quick brown fox jumps over the lazy dog"
BURST = 20_000
BURSTS = (20, 40, 200, 2_000, BURST)
IN_GROUP = 8
GROUPS = 100
PAUSES = (2, 50, 500)
"""Milliseconds between the events of a stream."""


def _burst(events: int) -> Handler:
    async def handler(before: str, after: str) -> AsyncIterator[str]:
        for _ in range(events):
            yield f"{before}{TEXT}{after}"

    return handler


async def _groups(before: str, after: str) -> AsyncIterator[str]:
    for _ in range(GROUPS):
        for _ in range(IN_GROUP):
            yield f"{before}{TEXT}{after}"
        await asyncio.sleep(0.005)


class _Audience:
    """Whom the streams are for that do not end: who does not hear that its client has left goes on for nobody."""

    number = 0

    def changes(self) -> None:
        self.number += 1


def _ticks(pause: float, audience: _Audience) -> Handler:
    async def handler(before: str, after: str) -> AsyncIterator[str]:
        number = audience.number
        while audience.number == number:
            yield f"{before}{TEXT}{after}"
            await asyncio.sleep(pause)

    return handler


async def _idle(before: str, after: str) -> AsyncIterator[str]:
    yield f"{before}{TEXT}{after}"
    await asyncio.Event().wait()


def _application(peer: str) -> Any:
    make, audience = MAKERS[peer], _Audience()
    apps = {
        "/groups": make(_groups),
        "/idle": make(_idle),
        **{f"/burst/{events}": make(_burst(events)) for events in BURSTS},
        **{f"/ticks/{pause}": make(_ticks(pause / 1000, audience)) for pause in PAUSES},
    }

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for _ in range(2):
                message = await receive()
                await send({"type": f"{message['type']}.complete"})
        elif scope["path"] in {"/figures", "/hush"}:
            if scope["path"] == "/hush":
                audience.changes()
            body = json.dumps(_figures()).encode()
            headers = [(b"content-length", str(len(body)).encode())]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body})
        else:
            # Each application knows one path, as its framework's route has it.
            routed = {**scope, "path": PATH, "raw_path": PATH.encode()}
            await apps[scope["path"]](routed, receive, send)

    # As it is meant to be used: the middleware hears the signal that stops the server.
    return SSEMiddleware(app) if peer in {OURS, OURS_IN_STARLETTE} else app


def _figures() -> dict[str, float]:
    """Returns what this process has used: seconds of processor, KiB, tasks, times that it slept."""
    spent = time.process_time()
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    status = Path("/proc/self/status").read_text("ascii")
    slept = int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0])
    return {
        "seconds": spent,
        "kib": pages * os.sysconf("SC_PAGE_SIZE") / 1024,
        "tasks": len(asyncio.all_tasks()),
        "slept": slept,
        "after": time.process_time(),
    }


def main(engine: str, peer: str, descriptor: str) -> None:
    """Serves until a signal comes."""
    # It warns of each chunk for a client that has left.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    ENGINES[engine].serve(_application(peer), socket.socket(fileno=int(descriptor)))


if __name__ == "__main__":
    main(*sys.argv[1:])
