"""The laws of dialects: what is written is read, a stream ends once, and nobody forges its end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from ...dialects import AnItem, Dialect, StreamContext
from ...errors import InvalidDialectEvent, TruncatedStream
from ...events import ServerSentEvent
from ...items import Data, Failure, Finish, Start, Text, ToolCall, ToolResult, Usage
from ..errors import LawSkipped
from ._dialect_examples import forged_ends, half_characters, item_lists, text_items
from ._dialect_run import (
    DESIGN,
    decoded,
    ends,
    events_of,
    promises_an_end,
    terminators,
    the_dialect,
    told_text,
    written,
)
from ._encoder_run import as_read
from ._law import MUST, Broken, law

__all__ = ["DIALECT_LAWS"]

_WORDS: Final = ("Once ", "upon ", "a midnight ", "dreary")
_MESSAGES: Final = ("the ink ran out", "data: [DONE]\n\nevent: done\ndata: {}\n\n", "half \ud83d")
_NO_TERMINATOR: Final = "the dialect has no terminator: its streams end when they end"


@law(
    "dialect/round-trip",
    MUST,
    "What is written is read: decode(encode(x)) == x.",
    "DIALECTS, the items",
    needs=("hypothesis",),
    random=text_items,
    max_examples=60,
)
def _round_trip(target: Any, items: list[AnItem]) -> None:
    dialect = the_dialect(target)
    found = decoded(dialect, events_of(written(dialect, items, Finish())))
    told, given = told_text(found), [item.text for item in items if isinstance(item, Text)]
    # Where a payload is JSON, line ends survive; where it is text, the wire knows one kind of them.
    if as_read(told) not in (as_read("".join(given)), "".join(map(as_read, given))):
        raise Broken("the text that was read is not the text that was written", got=repr(told), want=given)
    again = decoded(
        dialect, events_of(written(dialect, [i for i in found if i not in ends(found)], Finish()))
    )
    if _kinds(again) != _kinds(found) or as_read(told_text(again)) != as_read(told):
        raise Broken("what was read is written as something else", got=again, want=found)


def _kinds(items: Iterable[AnItem]) -> set[type]:
    return {type(item) for item in items}


@law(
    "dialect/items",
    MUST,
    "An item that the dialect does not leave out is read as it was written: a tool call, its result, a value.",
    "DIALECTS, the items",
    examples=lambda: [
        [ToolCall("c1", "look", {"at": "fox", "n": 1})],
        [ToolCall("c1", "look", {"at": "fox"}), ToolResult("c1", "a fox")],
        [Data({"n": 1, "text": "x"})],
    ],
)
def _items(target: Any, items: list[AnItem]) -> None:
    dialect = the_dialect(target)
    first = decoded(dialect, events_of(written(dialect, items, Finish())))
    kept = [item for item in first if type(item) in {type(each) for each in items}]
    again = decoded(dialect, events_of(written(dialect, kept, Finish())))
    if [item for item in again if type(item) in {type(each) for each in items}] != kept:
        raise Broken(
            "an item that was read is read as another one when it is written again", got=again, want=kept
        )
    if len(kept) == len(items) and [_plain(each) for each in kept] != [_plain(each) for each in items]:
        raise Broken("an item was changed on its way", got=kept, want=items)


def _plain(item: AnItem) -> object:
    # A name may stand for a value that has none.
    return item.value if isinstance(item, Data) else item


@law(
    "dialect/one-terminator",
    MUST,
    "A stream that went well has exactly one terminator, and nothing after it.",
    f"{DESIGN}, 4 and 5; FAULTS X6",
    needs=("hypothesis",),
    examples=half_characters,
    random=item_lists,
    max_examples=60,
)
def _one_terminator(target: Any, items: list[AnItem]) -> None:
    dialect = the_dialect(target)
    stream = written(dialect, items, Finish())
    _check_end(dialect, events_of(stream))


def _check_end(dialect: Dialect, events: list[ServerSentEvent]) -> None:
    decoder, ended_by = dialect.decoder(), None
    for number, event in enumerate(events):
        found = ends(_decode(decoder.decode, event))
        if ended_by is not None:
            raise Broken("something comes after the terminator", terminator=events[ended_by], then=event)
        if found:
            ended_by = number
            if len(found) > 1 or not isinstance(found[0], Finish) or not found[0].ok:
                raise Broken("a stream that went well is read as one that did not", got=found)
    if ended_by is None and promises_an_end(dialect):
        raise Broken("a stream that went well has no terminator", events=events[-2:])


def _decode(decode: Any, event: ServerSentEvent) -> list[AnItem]:
    try:
        return list(decode(event))
    except Exception as error:
        raise Broken(f"the dialect cannot read its own event {event!r}: {error!r}") from error


@law(
    "dialect/failure",
    MUST,
    "A stream that failed says so once, with its message, and never that it went well.",
    f"{DESIGN}, 4 and 5; FAULTS X3, X6",
    needs=("hypothesis",),
    examples=half_characters,
    random=item_lists,
    max_examples=60,
)
def _failure(target: Any, items: list[AnItem]) -> None:
    dialect = the_dialect(target)
    for message in _MESSAGES:
        stream = written(dialect, items, Failure(message, "out_of_ink"))
        found = ends(decoded(dialect, events_of(stream)))
        if any(isinstance(each, Finish) and each.ok for each in found):
            raise Broken("a stream that failed says that it went well", got=found)
        if len(found) != 1 or not isinstance(found[0], Failure):
            raise Broken("a stream that failed is not read as one failure", got=found)
        if as_read(message) not in as_read(found[0].message):
            raise Broken("the message of a failure was lost", got=repr(found[0].message), want=repr(message))


@law(
    "dialect/text-never-ends",
    MUST,
    "Nothing that a user yields ends a stream: neither its terminator as text, nor a forged event.",
    f"{DESIGN}, 3",
    needs=("hypothesis",),
    examples=forged_ends,
    random=text_items,
    max_examples=40,
)
def _text_never_ends(target: Any, items: list[AnItem]) -> None:
    dialect = the_dialect(target)
    for terminator in terminators(dialect):
        texts = [Text(terminator.data), Text(f"\n\nevent: {terminator.event}\ndata: {terminator.data}\n\n")]
        forged = [ServerSentEvent(terminator.data, event=terminator.event)]
        for each in (texts, forged):
            found = _read_back(dialect, [*items, *each, Text("after")])
            _check_forgery(terminator, found)


def _read_back(dialect: Dialect, items: list[AnItem]) -> list[AnItem] | None:
    """Returns what is read of items; ``None`` where an event among them is refused."""
    try:
        return decoded(dialect, events_of(written(dialect, items, Finish())))
    except Broken as broken:
        has_events = any(isinstance(item, ServerSentEvent) for item in items)
        if has_events and isinstance(broken.__cause__, InvalidDialectEvent):
            return None  # it bears a name of the dialect's, and is none of its events
        raise


def _check_forgery(terminator: ServerSentEvent, found: list[AnItem] | None) -> None:
    if found is None:
        return
    if len(ends(found)) > 1 or (ends(found) and ends(found)[0] is not found[-1]):
        raise Broken("what a user yielded ended the stream", terminator=terminator, got=found)
    if "after" not in told_text(found):
        raise Broken("text after what a user forged was lost", terminator=terminator, got=found)


@law(
    "dialect/truncated",
    MUST,
    "A stream that was cut off is never read as one that ended.",
    f"{DESIGN}, 5; FAULTS X6",
    needs=("a dialect with a terminator",),
)
def _truncated(target: Any, _: None) -> None:
    dialect = the_dialect(target)
    if not promises_an_end(dialect):
        raise LawSkipped(_NO_TERMINATOR)
    events = events_of(written(dialect, [Start(), *map(Text, _WORDS), Usage(1, 2)], Finish()))
    for count in range(len(events)):
        decoder, early = dialect.decoder(), list[Any]()
        try:
            early += [each for event in events[:count] for each in ends(_decode(decoder.decode, event))]
            decoder.close()
        except TruncatedStream:
            early_end = bool(early)
        else:
            early_end = True
        if early_end:
            raise Broken(f"a stream cut off after {count} of {len(events)} events is read as one that ended")


@law(
    "dialect/buffered",
    MUST,
    "The buffered body says what the stream said, and where it failed nothing of it.",
    f"{DESIGN}, 7; FAULTS X7",
    examples=lambda: [list(map(Text, _WORDS)), [Text("one word")]],
)
def _buffered(target: Any, items: list[Text]) -> None:
    dialect = the_dialect(target)
    fold = dialect.fold(StreamContext(clock=float))
    for item in items:
        fold.add(item)
    fold.add(Finish())
    answer = fold.finish()
    streamed = told_text(decoded(dialect, events_of(written(dialect, items, Finish()))))
    if answer.status >= 400 or not _says(answer.body, streamed, [item.text for item in items]):
        raise Broken(
            "the buffered body does not have the text of the stream", got=answer, want=repr(streamed)
        )
    fold = dialect.fold(StreamContext(clock=float))
    fold.add(items[0])
    answer = fold.fail(Failure("the ink ran out"))
    if answer.status < 400 or any(items[0].text in text for text in _strings(answer.body)):
        raise Broken("a buffered answer that failed is no failure, or has a part of the text", got=answer)


def _says(body: bytes, text: str, pieces: list[str]) -> bool:
    """Tells whether a body has a text: in one string, or in one for each piece, in their order."""
    strings = list(_strings(body))
    remaining = iter(strings)
    return any(text in each for each in strings) or all(piece in remaining for piece in pieces)


def _strings(body: bytes) -> Iterator[str]:
    yield body.decode("utf-8", "replace")
    try:
        yield from _strings_in(msgspec.json.decode(body))
    except msgspec.DecodeError:
        return


def _strings_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _strings_in(each)


DIALECT_LAWS: Final = (
    _round_trip,
    _items,
    _one_terminator,
    _failure,
    _text_never_ends,
    _truncated,
    _buffered,
)
"""In the order in which they are told."""
