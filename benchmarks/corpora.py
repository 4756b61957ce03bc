"""What is parsed and written: the same each time, and parsed by a test before it is timed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

__all__ = ["CHUNKINGS", "GROWTHS", "PAYLOADS", "SHAPES", "TEXTS", "Shape", "chunked"]

_WORDS = (
    "the",
    "of",
    "and",
    "stream",
    "event",
    "byte",
    "line",
    "that",
    "is",
    "in",
    "it",
    "was",
    "for",
    "on",
    "end",
)
_WORLD = (*_WORDS, "café", "naïve", "東京", "поток", "🚀")


class Shape(msgspec.Struct, frozen=True):
    """A stream.

    Attributes:
        name: What it looks like.
        blocks: Its blocks: events, and comments.
        events: How many events are in it.
    """

    name: str
    blocks: Sequence[bytes]
    events: int


def chunked(blocks: Sequence[bytes], size: int | None) -> list[bytes]:
    """Cuts a stream into chunks of a size, or into its blocks."""
    if size is None:
        return list(blocks)
    stream = b"".join(blocks)
    return [stream[i : i + size] for i in range(0, len(stream), size)]


CHUNKINGS: dict[str, int | None] = {"one event": None, "1 KiB": 1024, "16 KiB": 16384, "64 KiB": 65536}


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _token(rng: random.Random, words: Sequence[str] = _WORDS) -> str:
    return f" {rng.choice(words)}"


def _delta(rng: random.Random, number: int, words: Sequence[str] = _WORDS) -> str:
    return _compact({"index": number, "delta": {"content": _token(rng, words)}})


def _openai(rng: random.Random, number: int) -> str:
    choice = {"index": 0, "delta": {"content": _token(rng)}, "logprobs": None, "finish_reason": None}
    return _compact(
        {
            "id": "chatcmpl-AJfZcXDlGBlqXMHFJkMQnCVTbKBbt",
            "object": "chat.completion.chunk",
            "created": 1729227061 + number // 40,
            "model": "a-model-2026-08-06",
            "system_fingerprint": "fp_7d1ce4a9f0",
            "choices": [choice],
        }
    )


def _messages(rng: random.Random, count: int) -> list[bytes]:
    """Named events, most of one type, with a ping here and there."""
    blocks = []
    for number in range(count):
        name = "ping" if number % 50 == 7 else "content_block_delta"
        body: dict[str, Any] = {"type": name}
        if name != "ping":
            body |= {"index": 0, "delta": {"type": "text_delta", "text": _token(rng)}}
        blocks.append(f"event: {name}\ndata: {_compact(body)}\n\n".encode())
    return blocks


def _many_lines(rng: random.Random) -> bytes:
    lines = (" ".join(rng.choices(_WORLD, k=6)) for _ in range(20))
    return "".join(f"data: {line}\n" for line in lines).encode() + b"\n"


def _shapes() -> list[Shape]:
    rng = random.Random(20261121)
    small = [f"data: {_delta(rng, n)}\n\n".encode() for n in range(2000)]
    comments = [
        block
        for n, event in enumerate(small)
        for block in ([event, b": ping\n\n"] if n % 3 == 0 else [event])
    ]
    openai = [f"data: {_openai(rng, n)}\n\n".encode() for n in range(1000)]
    megabyte = b"data: " + (" ".join(rng.choices(_WORDS, k=300_000)).encode())[: 10**6] + b"\n\n"
    return [
        Shape("small deltas", small, 2000),
        Shape("named deltas", [b"event: delta\n" + event for event in small], 2000),
        Shape(
            "deltas, not ASCII", [f"data: {_delta(rng, n, _WORLD)}\n\n".encode() for n in range(2000)], 2000
        ),
        Shape("OpenAI-like", [*openai, b"data: [DONE]\n\n"], 1001),
        Shape("Anthropic-like", _messages(rng, 1500), 1500),
        Shape("20 data lines", [_many_lines(rng) for _ in range(150)], 150),
        Shape("1 MB lines", [megabyte] * 4, 4),
        Shape("tiny tokens", [f"data: {chr(97 + n % 26)}\n\n".encode() for n in range(3000)], 3000),
        Shape("with ids", [b"id: %d\nevent: delta\n" % n + event for n, event in enumerate(small)], 2000),
        Shape("with CRLF", [event.replace(b"\n", b"\r\n") for event in small], 2000),
        Shape("with comments", comments, 2000),
    ]


SHAPES = {shape.name: shape for shape in _shapes()}


def _short_lines(size: int) -> list[bytes]:
    # A blank line now and then: one event may have 65 536 lines.
    event = b"data: short line\n" * 10_000 + b"\n"
    return chunked([event] * (size // len(event)), 65536)


def _empty_data_lines(size: int) -> list[bytes]:
    event = b"data\n" * 50_000 + b"\n"
    return chunked([event] * (size // len(event)), 65536)


# Streams of a given number of bytes, in chunks: what takes quadratic time in some parsers.
GROWTHS: dict[str, Callable[[int], list[bytes]]] = {
    "one line in 1 KiB pieces": lambda size: chunked([b"data: " + b"x" * size + b"\n\n"], 1024),
    "short lines": _short_lines,
    "empty data lines": _empty_data_lines,
    "comments": lambda size: chunked([b": a comment\n" * (size // 12)], 65536),
}


def _payloads(count: int) -> dict[str, list[dict[str, Any]]]:
    rng = random.Random(8)
    plain: list[dict[str, Any]] = [
        {"index": n, "delta": {"type": "text", "content": _token(rng)}, "usage": {"tokens": n}}
        for n in range(count)
    ]
    return {
        "a dict": plain,
        "a dict with a float": [{**value, "seconds": n / 8} for n, value in enumerate(plain)],
    }


PAYLOADS = _payloads(1000)


def _texts() -> dict[str, list[str]]:
    rng = random.Random(9)
    return {
        "a token": [_token(rng) for _ in range(1000)],
        "a small delta": [_delta(rng, n) for n in range(1000)],
        "a sentence": [" ".join(rng.choices(_WORDS, k=16)) for _ in range(1000)],
        "an OpenAI-like chunk": [_openai(rng, n) for n in range(1000)],
        "20 lines": ["\n".join(" ".join(rng.choices(_WORDS, k=6)) for _ in range(20)) for _ in range(100)],
    }


TEXTS = _texts()
