"""Wrong parsers: those of `tests.testing.mutants` as generators, and some that cost too much."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from sseware import EventStreamParser
from tests.testing.mutants import PLANTED, PlainParser

from .mutant import Mutant

__all__ = ["PARSERS"]


class Told(NamedTuple):
    event: str | None
    data: str
    id: str
    retry: int | None


def generated(make: type[PlainParser]) -> Callable[[Iterable[bytes]], Iterator[Told]]:
    """Makes a generator of a parser that is fed; an event tells the reconnection time so far, too."""

    def parse(chunks: Iterable[bytes]) -> Iterator[Told]:
        parser = make()
        for chunk in chunks:
            for each in parser.feed(chunk):
                yield Told(each.event, each.data, each.last_event_id, parser.reconnection_time)
        for each in parser.close() or ():
            yield Told(each.event, each.data, each.last_event_id, parser.reconnection_time)

    return parse


def typeless(chunks: Iterable[bytes]) -> Iterator[Told]:
    """Tells no type where there is none."""
    for each in generated(PlainParser)(chunks):
        yield each._replace(event=None if each.event == "message" else each.event)


def at_the_end(chunks: Iterable[bytes]) -> Iterator[Told]:
    """Reads everything before it tells anything."""
    yield from generated(PlainParser)([b"".join(list(chunks))])


def all_kept(chunks: Iterable[bytes]) -> Iterator[Any]:
    """Keeps what it has read."""
    parser, kept = EventStreamParser(), bytearray()
    for chunk in chunks:
        kept += chunk
        yield from parser.feed(chunk)


def rescanned(chunks: Iterable[bytes]) -> Iterator[Any]:
    """Looks for the end of a block from its start, whenever a piece has come."""
    parser, pending = EventStreamParser(), b""
    for chunk in chunks:
        pending += chunk
        end = pending.replace(b"\r", b"\n").rfind(b"\n\n")
        if end >= 0:
            whole, pending = pending[: end + 2], pending[end + 2 :]
            yield from parser.feed(whole)


def comments_kept(chunks: Iterable[bytes]) -> Iterator[Any]:
    """Gathers a line before it looks at it, whatever the line is."""
    parser, pieces, size = EventStreamParser(), list[bytes](), 0
    for chunk in chunks:
        pieces.append(bytes(bytearray(chunk)))
        size += len(chunk)
        if b"\n" in chunk or b"\r" in chunk or size > 17 * 2**20:
            yield from parser.feed(b"".join(pieces))
            pieces, size = [], 0


def unlimited(chunks: Iterable[bytes]) -> Iterator[Any]:
    """Waits for the end of an event as long as it takes."""
    parser = EventStreamParser(max_event_size=None)
    for chunk in chunks:
        yield from parser.feed(chunk)


_KILLERS = {
    "LF-only split": "parser/line-ends",
    "CR held back": "parser/prompt",
    "phantom event": "parser/dispatch",
    "BOM kept": "parser/bom-once",
    "BOM twice": "parser/bom-once",
    "int() retry": "parser/retry-digits",
    "NUL id": "parser/nul-id",
    "type carried over": "parser/fields",
    "dispatch at the end": "parser/unfinished-end",
    "splitlines": "parser/line-ends",
    "LF after CR counts": "parser/chunk-invariant",
    "decoded by chunk": "parser/utf-8",
    "decoded strictly": "parser/total",
    "BOM by line": "parser/bom-once",
    "value stripped": "parser/fields",
    "all spaces dropped": "parser/fields",
    "names without case": "parser/fields",
    "str.isdigit retry": "parser/retry-digits",
    "id not sticky": "parser/sticky-id",
    "empty data skipped": "parser/dispatch",
    "ends stripped": "parser/agrees",
    "empty chunk ends": "parser/chunk-invariant",
}

PARSERS = (
    *(
        Mutant(name=name, kind="parser", target=generated(PLANTED[name]), killer=killer)
        for name, killer in _KILLERS.items()
    ),
    Mutant(name="no default type", kind="parser", target=typeless, killer="parser/default-type"),
    Mutant(name="all is read first", kind="parser", target=at_the_end, killer="parser/prompt"),
    Mutant(name="all is kept", kind="parser", target=all_kept, killer="parser/bounded-memory", cost=True),
    Mutant(name="blocks rescanned", kind="parser", target=rescanned, killer="parser/linear-time", cost=True),
    Mutant(
        name="comments gathered",
        kind="parser",
        target=comments_kept,
        killer="parser/bounded-comment",
        cost=True,
    ),
    Mutant(name="no limit", kind="parser", target=unlimited, killer="parser/bounded-event", cost=True),
)
