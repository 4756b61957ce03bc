"""Encoders, each as a function from texts (or JSON values) to chunks, the event object included.

What cannot be measured is left out, with its reason. The chunks differ: most peers write CRLF, some in another order.
"""

from __future__ import annotations

import asyncio
import json
import weakref
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, TypeAlias

import msgspec

from sseware.dialects import COMPACT, json_encoder
from sseware.events import ServerSentEvent
from sseware.wire import encode

from .peers import Peers, tried

__all__ = ["BARE", "DISTRIBUTIONS", "OURS", "Encode", "json_encoders", "text_encoders"]

Encode: TypeAlias = Callable[[Sequence[Any]], list[bytes]]

OURS = "sseware"
BARE = "bare concatenation"
DISTRIBUTIONS = ["sse-starlette", "fastapi", "litestar", "datastar-py", "aiohttp-sse"]


def _sseware() -> Encode:
    return lambda texts: [encode(ServerSentEvent(text, "delta")) for text in texts]


def _bare() -> Encode:
    """No encoder: whatever is in the text goes out."""
    return lambda texts: [f"event: delta\ndata: {text}\n\n".encode() for text in texts]


def _sse_starlette() -> Encode:
    event = import_module("sse_starlette.event").ServerSentEvent
    return lambda texts: [event(text, event="delta").encode() for text in texts]


def _fastapi() -> Encode:
    format_sse_event = import_module("fastapi.sse").format_sse_event
    return lambda texts: [format_sse_event(data_str=text, event="delta") for text in texts]


def _litestar() -> Encode:
    message = import_module("litestar.response.sse").ServerSentEventMessage
    return lambda texts: [message(text, event="delta").encode() for text in texts]


def _datastar() -> Encode:
    """Its own event type and a word before each line are a part of it."""
    patch = import_module("datastar_py.sse").ServerSentEventGenerator.patch_elements
    return lambda texts: [patch(text).encode() for text in texts]


def _aiohttp_sse() -> Encode:
    """Encodes in `send` only, which awaits a write, under a timeout; here the write keeps the chunk."""
    response = import_module("aiohttp_sse").EventSourceResponse

    class Kept(response):  # type: ignore[misc, valid-type]  # a class of a package that may not be there
        async def write(self, data: bytes) -> None:
            chunks.append(data)

    chunks: list[bytes] = []
    loop = asyncio.new_event_loop()

    async def send_all(texts: Sequence[str]) -> list[bytes]:
        chunks.clear()
        send = Kept().send
        for text in texts:
            await send(text, event="delta")
        return list(chunks)

    def encode_all(texts: Sequence[Any]) -> list[bytes]:
        return loop.run_until_complete(send_all(texts))

    # One loop for all turns: a new one would be a part of what is timed.
    weakref.finalize(encode_all, loop.close)
    return encode_all


def _sseware_json() -> Encode:
    """As a stream writes the dicts that its handler yields."""
    encode_json = json_encoder("delta")
    return lambda values: [encode_json(value) for value in values]


def _sseware_json_events() -> Encode:
    """As a dialect writes an event of its own."""
    dumps = COMPACT.dumps
    return lambda values: [encode(ServerSentEvent(dumps(value), "delta")) for value in values]


def _msgspec_json() -> Encode:
    """Where JSON is spelled as msgspec spells it, whatever the value is."""
    dumps = msgspec.json.Encoder().encode
    return lambda values: [encode(ServerSentEvent(dumps(value).decode(), "delta")) for value in values]


def _bare_json() -> Encode:
    dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    return lambda values: [f"event: delta\ndata: {dumps(value)}\n\n".encode() for value in values]


def _sse_starlette_json() -> Encode:
    event = import_module("sse_starlette.event").JSONServerSentEvent
    return lambda values: [event(value, event="delta").encode() for value in values]


def _fastapi_json() -> Encode:
    """As its routes do it with an event whose data is no text."""
    sse, routing = import_module("fastapi.sse"), import_module("fastapi.routing")
    plain, finite = routing.jsonable_encoder, routing._normalize_non_finite_floats

    def encode_all(values: Sequence[Any]) -> list[bytes]:
        chunks = []
        for value in values:
            event = sse.ServerSentEvent(data=value, event="delta")
            text = json.dumps(finite(plain(event.data)))
            chunks.append(sse.format_sse_event(data_str=text, event=event.event))
        return chunks

    return encode_all


def text_encoders() -> Peers[Encode]:
    """Returns our encoder, the bare f-string, and each peer that encodes here, and why the others do not."""
    return tried(
        {
            OURS: _sseware,
            BARE: _bare,
            "sse-starlette": _sse_starlette,
            "fastapi": _fastapi,
            "litestar": _litestar,
            "datastar-py": _datastar,
            "aiohttp-sse": _aiohttp_sse,
        },
        lambda encode_all: encode_all(["one"]),
    )


def json_encoders() -> Peers[Encode]:
    """Returns our way from a JSON value to a chunk, the standard library's, and those of peers that have one."""
    return tried(
        {
            OURS: _sseware_json,
            BARE: _bare_json,
            "sseware, an event each": _sseware_json_events,
            "sseware, JSON by msgspec": _msgspec_json,
            "sse-starlette": _sse_starlette_json,
            "fastapi": _fastapi_json,
        },
        lambda encode_all: encode_all([{"one": 1}]),
    )
