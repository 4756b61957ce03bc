"""What the test files have in common that a test lets pytest run."""

from __future__ import annotations

__all__ = ["TICKS"]

TICKS = """
import anyio
import pytest

START = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]}


async def ticks(scope, receive, send):
    async def tick():
        await send(START)
        for number in range(10**9):
            await send({"type": "http.response.body", "body": b"data: %d\\n\\n" % number, "more_body": True})
            await anyio.sleep(1)

    async with anyio.create_task_group() as group:
        group.start_soon(tick)
        while (await receive())["type"] != "http.disconnect":
            pass
        group.cancel_scope.cancel()

"""
"""A file's beginning: an application that sends an event a second, until its client leaves."""
