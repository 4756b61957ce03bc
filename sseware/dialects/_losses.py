"""What becomes of each item in each dialect: found out by encoding one of each, and put into a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from ..errors import InvalidItem
from ..events import NamedEvent, ServerSentEvent
from ..items import (
    Data,
    Failure,
    Finish,
    Item,
    Log,
    Start,
    Step,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Usage,
)
from ._authoring import omits_of
from ._protocols import AnEvent, Dialect, DialectEncoder, StreamContext

__all__ = ["SAMPLES", "Fate", "fates", "loss_table", "losses"]

SAMPLES: Final[tuple[Item, ...]] = (
    Start(id="run-1", name="story", meta={"lang": "en"}),
    Text("Once upon a time"),
    Log("3 files read"),
    Thinking("A story needs a hero."),
    ToolCall("call-1", "read_file", {"path": "hero.txt"}),
    ToolResult("call-1", "a fox"),
    Step("node_end", "draft", {"words": 4}),
    Data({"done": 0.5}, name="progress"),
    Usage(input_tokens=12, output_tokens=4),
    Finish(result={"words": 4}),
    Failure("the ink ran out", "out_of_ink"),
)
"""One of every item that a stream can carry."""


class Fate(msgspec.Struct, frozen=True):
    """What becomes of one type of item in one dialect.

    Attributes:
        item: The type.
        omitted: Whether the dialect leaves it out by design; with ``strict=True`` it is an error.
        events: The types of the events that it adds to a stream, ``""`` for unnamed ones.
        kept: The types of events that are there without it, and whose payload it changes.
        refused: Whether the dialect has no place for it, and refuses it.
    """

    item: type[Item]
    omitted: bool
    events: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    refused: bool = False


def losses(dialect: Dialect) -> tuple[type[Item], ...]:
    """Returns the types of items that a dialect leaves out, in the order of `sseware.items`."""
    return tuple(fate.item for fate in fates(dialect) if fate.omitted)


def fates(dialect: Dialect) -> tuple[Fate, ...]:
    """Finds out what becomes of each item, by encoding one of each.

    >>> from sseware.dialects import Plain
    >>> fates(Plain())[1]
    Fate(item=<class 'sseware.items.Text'>, omitted=False, events=('',), kept=(), refused=False)
    """
    omitted = tuple(omits_of(dialect))
    return tuple(
        Fate(type(item), omitted=True) if isinstance(item, omitted) else _fate(dialect, item)
        for item in SAMPLES
    )


def _fate(dialect: Dialect, item: Item) -> Fate:
    # Two runs of each: a payload that differs between them (a random id) is no work of the item's.
    usual = _by_type(_without(dialect, item), _without(dialect, item))
    try:
        found = _by_type(_with(dialect, item), _with(dialect, item))
    except InvalidItem:
        return Fate(type(item), omitted=False, refused=True)
    more = tuple(kind for kind in found if len(found[kind]) > len(usual.get(kind, ())))
    changed = tuple(kind for kind in found if kind not in more and found[kind] != usual.get(kind))
    return Fate(type(item), omitted=False, events=more, kept=changed)


def _with(dialect: Dialect, item: Item) -> list[AnEvent]:
    encoder, events = _opened(dialect, item)
    if isinstance(item, Failure):
        return [*events, *encoder.fail(item)]
    return [*events, *encoder.encode(item), *encoder.finish()]


def _without(dialect: Dialect, item: Item) -> list[AnEvent]:
    encoder, events = _opened(dialect, item)
    return events if isinstance(item, Finish | Failure) else [*events, *encoder.finish()]


def _opened(dialect: Dialect, item: Item) -> tuple[DialectEncoder, list[AnEvent]]:
    # The clock stands still, so that two streams differ by the item only.
    encoder = dialect.open(StreamContext(clock=float))
    events = [*encoder.start()]
    if isinstance(item, Finish | Failure) and Start not in omits_of(dialect):
        # What opens a stream may wait for its first item, and is not a part of its end.
        events += encoder.encode(Start())
    return encoder, events


def _by_type(events: Iterable[AnEvent], again: Iterable[AnEvent]) -> dict[str, list[str | None]]:
    """Returns the payloads of two runs by event type, in order; ``None`` for one that they do not share."""
    payloads: dict[str, list[str | None]] = {}
    runs = [[event for event in run if isinstance(event, ServerSentEvent)] for run in (events, again)]
    for event, other in zip(*runs, strict=True):
        name = event.event if event.event != "message" or isinstance(event, NamedEvent) else ""
        payloads.setdefault(name, []).append(event.data if event == other else None)
    return payloads


def loss_table(dialects: Sequence[Dialect]) -> str:
    """Returns a Markdown table: what each dialect makes of each item.

    A dash is what the dialect leaves out, in its given configuration; there it is an error where it is strict.
    """
    columns = [fates(dialect) for dialect in dialects]
    lines = [
        _row(["item", *(dialect.name for dialect in dialects)]),
        "|".join(["", *["---"] * (len(dialects) + 1), ""]),
        *(_row([f"`{row[0].item.__name__}`", *map(_cell, row)]) for row in zip(*columns, strict=True)),
    ]
    return "\n".join(lines) + "\n"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(fate: Fate) -> str:
    if fate.omitted or fate.refused:
        return "-" if fate.omitted else "refused"
    if fate.events:
        return ", ".join(map(_shown, fate.events))
    return f"kept for {', '.join(map(_shown, fate.kept))}" if fate.kept else "kept"


def _shown(event: str) -> str:
    return f"`{event}`" if event else "an unnamed event"
