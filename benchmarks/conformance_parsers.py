"""Parsers of others as generators of events, so that it can be seen when an event comes.

Each is called below its HTTP client, as that client calls it: bytes in (or text, decoded as the client does it),
events out.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import Any, NamedTuple, TypeAlias

from sseware import EventStreamParser

__all__ = ["PARSERS", "Parse"]

Parse: TypeAlias = Callable[[Iterable[bytes]], Iterator[Any]]


def _sseware() -> Any:
    return EventStreamParser


def _launchdarkly() -> Parse:
    reader = import_module("ld_eventsource.reader")
    comment = import_module("ld_eventsource.actions").Comment

    def parse(chunks: Iterable[bytes]) -> Iterator[Any]:
        lines = reader._BufferedLineReader.lines_from(chunks)
        for event in reader._SSEReader(lines).events_and_comments():
            if type(event) is not comment:
                yield event

    return parse


def _decoded(chunks: Iterable[bytes]) -> Iterator[str]:
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    for chunk in chunks:
        yield decode(chunk)


def _httpx_sse() -> Parse:
    module = import_module("httpx_sse._decoders")

    def parse(chunks: Iterable[bytes]) -> Iterator[Any]:
        lines, decoder = module.SSELineDecoder(), module.SSEDecoder()
        for text in _decoded(chunks):
            for line in lines.decode(text):
                event = decoder.decode(line.rstrip("\n"))
                if event is not None:
                    yield event

    return parse


def _httpx2() -> Parse:
    module = import_module("httpx2._sse")

    def parse(chunks: Iterable[bytes]) -> Iterator[Any]:
        parser = module._SSEParser(None)
        for text in _decoded(chunks):
            yield from parser.decode(text)

    return parse


def _streaming(package: str) -> Callable[[], Parse]:
    def make() -> Parse:
        decoder = import_module(f"{package}._streaming").SSEDecoder

        def parse(chunks: Iterable[bytes]) -> Iterator[Any]:
            yield from decoder().iter_bytes(iter(chunks))

        return parse

    return make


def _sseclient() -> Parse:
    client = import_module("sseclient").SSEClient

    def parse(chunks: Iterable[bytes]) -> Iterator[Any]:
        yield from client(chunks).events()

    return parse


class _Told(NamedTuple):
    event: str
    data: str
    id: str | None


class _TextInPlaceOfJSON:
    """Stands for orjson: langgraph-sdk takes all data for JSON, and the laws speak of any text."""

    JSONDecodeError = ValueError

    @staticmethod
    def loads(text: bytes | str) -> str:
        return text if isinstance(text, str) else bytes(text).decode("utf-8", "replace")


def _langgraph() -> Parse:
    module: Any = import_module("langgraph_sdk.sse")
    module.orjson = _TextInPlaceOfJSON

    def parse(chunks: Iterable[bytes]) -> Iterator[_Told]:
        lines, decoder = module.BytesLineDecoder(), module.SSEDecoder()
        for chunk in chunks:
            for line in lines.decode(chunk):
                event = decoder.decode(line)
                if event is not None:
                    yield _Told(event.event, "" if event.data is None else event.data, event.id)

    return parse


PARSERS: dict[str, Callable[[], Any]] = {
    "sseware": _sseware,
    "launchdarkly-eventsource": _launchdarkly,
    "httpx-sse": _httpx_sse,
    "httpx2": _httpx2,
    "openai": _streaming("openai"),
    "anthropic": _streaming("anthropic"),
    "sseclient-py": _sseclient,
    "langgraph-sdk": _langgraph,
}
"""What makes each parser, by distribution; it raises ImportError where that is not installed."""
