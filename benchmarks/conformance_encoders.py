"""Encoders of others, each as a function of the fields that it knows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeAlias

import sseware

__all__ = ["ENCODERS"]

Name: TypeAlias = str | None


def _sseware() -> Any:
    return sseware.encode


def _sse_starlette() -> Any:
    event = import_module("sse_starlette.event").ServerSentEvent

    def encode(data: str, **fields: Any) -> bytes:
        written: bytes = event(data, **fields).encode()
        return written

    return encode


def _fastapi() -> Any:
    sse = import_module("fastapi.sse")

    def encode(data: str, **fields: Any) -> bytes:
        # What a route does with an event of one's own: it is checked when it is made.
        event = sse.ServerSentEvent(raw_data=data, **fields)
        written: bytes = sse.format_sse_event(
            data_str=event.raw_data, event=event.event, id=event.id, retry=event.retry
        )
        return written

    return encode


def _litestar() -> Any:
    message = import_module("litestar.response.sse").ServerSentEventMessage

    def encode(data: str, **fields: Any) -> bytes:
        written: bytes = message(data, **fields).encode()
        return written

    return encode


def _datastar() -> Any:
    """Its event types are its own: what can be judged is the data, an id and a retry."""
    send = import_module("datastar_py.sse").ServerSentEventGenerator._send

    def encode(data: str, id: Name = None, retry: int | None = None) -> str:
        # As its public methods do it: they split what they are given with splitlines().
        written: str = send("message", data.splitlines(), event_id=id, retry_duration=retry)
        return written

    return encode


def _aiohttp_sse() -> Any:
    response = import_module("aiohttp_sse").EventSourceResponse

    class Kept(response):  # type: ignore[misc, valid-type]  # a class of a package that may not be there
        async def write(self, data: bytes) -> None:
            self.written = data

    loop = asyncio.new_event_loop()

    async def send(data: str, fields: dict[str, Any]) -> bytes:
        kept: Any = Kept()
        await kept.send(data, **fields)
        written: bytes = kept.written
        return written

    def encode(data: str, **fields: Any) -> bytes:
        return loop.run_until_complete(send(data, fields))

    return encode


ENCODERS: dict[str, Callable[[], Any]] = {
    "sseware": _sseware,
    "sse-starlette": _sse_starlette,
    "fastapi": _fastapi,
    "litestar": _litestar,
    "datastar-py": _datastar,
    "aiohttp-sse": _aiohttp_sse,
}
"""What makes each encoder, by distribution; it raises ImportError where that is not installed."""
