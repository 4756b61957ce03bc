"""The laws of dialects that say what becomes of what is odd: an event, a value, a text that nobody is asked about."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from ...dialects import ChunkEncoder, Dialect, StreamContext
from ...errors import InvalidDialectEvent, InvalidEvent, InvalidItem
from ...events import ServerSentEvent
from ...items import Data, Failure, Finish, Item, Start, Text, ToolCall, ToolResult, Usage
from ._dialect_examples import ODD_VALUES, odd_events, strange_texts
from ._dialect_run import DESIGN, decoded, ends, events_of, terminators, the_dialect, written
from ._law import MUST, Broken, law

__all__ = ["DIALECT_ODD_LAWS"]

_STORY: Final = (
    Start("s1", "story"),
    Text("Once"),
    ToolCall("c1", "look", {"at": "fox"}),
    ToolResult("c1", "a fox"),
    Data({"n": 1}, "point"),
    Usage(1, 2),
)


@law(
    "dialect/total",
    MUST,
    "Any event can be read, or is refused as InvalidDialectEvent; nothing else is raised.",
    f"{DESIGN}, 6",
    needs=("hypothesis",),
    random=odd_events,
    max_examples=150,
)
def _total(target: Any, event: ServerSentEvent) -> None:
    dialect = the_dialect(target)
    named = [event, *(ServerSentEvent(event.data, event=each.event) for each in terminators(dialect))]
    for each in (*named, *_altered(dialect, event.data)):
        try:
            found = list(dialect.decoder().decode(each))
        except InvalidDialectEvent:
            continue
        except Exception as error:
            raise Broken(f"the decoder raised {error!r}", event=each) from error
        if not all(isinstance(item, Item | ServerSentEvent) for item in found):
            raise Broken("the decoder returned what is no item", event=each, got=found)


def _altered(dialect: Dialect, data: str) -> Iterator[ServerSentEvent]:
    """Yields the dialect's own events with something else in one place of their payload each."""
    try:
        other = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        other = data
    for own in events_of(written(dialect, _STORY, Finish())):
        try:
            payload = msgspec.json.decode(own.data)
        except msgspec.DecodeError:
            continue
        for changed in _with_another(payload, other):
            yield ServerSentEvent(json.dumps(changed), event=own.event)


def _with_another(payload: Any, other: Any) -> Iterator[Any]:
    """Yields an object again and again, with another value in one place each, however deep."""
    if not isinstance(payload, dict):
        return
    for name, value in payload.items():
        yield {**payload, name: other}
        yield from ({**payload, name: changed} for changed in _with_another(value, other))


@law(
    "dialect/odd-values",
    MUST,
    "A value that JSON lacks is refused as an item, or written; it never kills a stream.",
    "FAULTS E13, E8",
    examples=lambda: list(ODD_VALUES),
)
def _odd_values(target: Any, value: str) -> None:
    dialect, odd = the_dialect(target), ODD_VALUES[value]()
    for item in (Data(odd), Data(odd, "point"), ToolCall("c", "t", {"x": odd}), ToolResult("c", odd)):
        for end in (Finish(), Failure("no")):
            stream = written(dialect, [Text("a"), item, Text("b")], end)
            if len(ends(decoded(dialect, events_of(stream)))) > 1:
                raise Broken("a stream with such a value has more than one end")
        fold = dialect.fold(StreamContext(clock=float))
        try:
            fold.add(item)
            fold.finish()
        except (InvalidItem, InvalidEvent):
            continue
        except Exception as error:
            raise Broken(f"the fold raised {error!r}") from error


@law(
    "dialect/text-event",
    MUST,
    "Where texts or data are written without asking the dialect, they are what it would have said.",
    "ARCHITECTURE, tasks",
    needs=("hypothesis",),
    examples=lambda: ["a", "", "a\nb", "half \ud83d"],
    random=strange_texts,
    max_examples=60,
)
def _text_event(target: Any, text: str) -> None:
    chunks = ChunkEncoder(the_dialect(target).open(StreamContext(clock=float)))
    chunks.encode(Text("a"))
    # Where there is none of these, the dialect is asked for each.
    writers, write_data = chunks.text_writers, chunks.data_writer
    if writers is not None:
        want = chunks.encode(Text(text))
        for write in (writers.any, writers.short):
            if (got := write(text)) != want:
                raise Broken(
                    "a text that is written without asking is another one", got=repr(got), want=repr(want)
                )
        if (got := writers.several([text, text])) != want + want:
            raise Broken("texts that are written together are others", got=repr(got), want=repr(want + want))
    data = {text: [text, 1.0, None]}
    if write_data is not None and (got := write_data(data)) != (want := chunks.encode(Data(data))):
        raise Broken("data that are written without asking are others", got=repr(got), want=repr(want))


DIALECT_ODD_LAWS: Final = (_total, _odd_values, _text_event)
"""In the order in which they are told."""
