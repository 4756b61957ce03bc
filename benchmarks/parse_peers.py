"""Parsers, each as a function from chunks to a list of events; what cannot be measured is left out, with its reason.

They are called below their HTTP client: bytes in (or text, decoded incrementally as their client does), events out.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from importlib import import_module
from typing import Any, TypeAlias

from sseware.wire import EventStreamParser

from .peers import Peers, tried

__all__ = ["BARE", "DISTRIBUTIONS", "OURS", "Parse", "measurable", "parsers"]

Parse: TypeAlias = Callable[[Sequence[bytes]], list[Any]]

OURS = "sseware"
BARE = "bare split + decode"


def _sseware() -> Parse:
    def parse(chunks: Sequence[bytes]) -> list[Any]:
        feed = EventStreamParser(max_event_size=None).feed
        events: list[Any] = []
        for chunk in chunks:
            events += feed(chunk)
        return events

    return parse


def _bare() -> Parse:
    def parse(chunks: Sequence[bytes]) -> list[Any]:
        """No parser: blocks as text, wrong wherever a chunk ends within one."""
        blocks: list[Any] = []
        for chunk in chunks:
            blocks += [block.decode("utf-8", "replace") for block in chunk.split(b"\n\n")]
        return blocks

    return parse


def _launchdarkly() -> Parse:
    reader = import_module("ld_eventsource.reader")
    comment = import_module("ld_eventsource.actions").Comment

    def parse(chunks: Sequence[bytes]) -> list[Any]:
        lines = reader._BufferedLineReader.lines_from(chunks)
        return [
            event for event in reader._SSEReader(lines).events_and_comments() if type(event) is not comment
        ]

    return parse


def _decoded(chunks: Iterable[bytes]) -> Iterable[str]:
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    return (decode(chunk) for chunk in chunks)


def _httpx_sse() -> Parse:
    module = import_module("httpx_sse._decoders")

    def parse(chunks: Sequence[bytes]) -> list[Any]:
        lines, decoder = module.SSELineDecoder(), module.SSEDecoder()
        events = []
        for text in _decoded(chunks):
            for line in lines.decode(text):
                event = decoder.decode(line.rstrip("\n"))
                if event is not None:
                    events.append(event)
        return events

    return parse


def _httpx2() -> Parse:
    module = import_module("httpx2._sse")

    def parse(chunks: Sequence[bytes]) -> list[Any]:
        parser = module._SSEParser(None)
        return [event for text in _decoded(chunks) for event in parser.decode(text)]

    return parse


def _openai() -> Parse:
    decoder = import_module("openai._streaming").SSEDecoder
    return lambda chunks: list(decoder().iter_bytes(iter(chunks)))


def _anthropic() -> Parse:
    decoder = import_module("anthropic._streaming").SSEDecoder
    return lambda chunks: list(decoder().iter_bytes(iter(chunks)))


def _sseclient() -> Parse:
    client = import_module("sseclient").SSEClient
    return lambda chunks: list(client(chunks).events())


_MAKERS = {
    BARE: _bare,
    "launchdarkly-eventsource": _launchdarkly,
    "httpx-sse": _httpx_sse,
    "httpx2": _httpx2,
    "openai": _openai,
    "anthropic": _anthropic,
    "sseclient-py": _sseclient,
}
DISTRIBUTIONS = [name for name in _MAKERS if name != BARE]


@cache
def measurable() -> Peers[Parse]:
    """Returns the bare loop and each peer that parses here, and why the others do not."""
    return tried(_MAKERS, lambda parse: parse([b"data: one\n\n"]))


def parsers() -> dict[str, Parse]:
    """Returns our parser, the bare loop, and each peer that can be measured."""
    return {OURS: _sseware(), **measurable().found}
