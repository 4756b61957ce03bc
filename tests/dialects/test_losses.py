"""What becomes of each item: said by the dialect, found out by encoding, shown in a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

import pytest

from sseware import Dialect, ServerSentEvent, items
from sseware.dialects import (
    AnEvent,
    AnItem,
    DialectDecoder,
    DialectEncoder,
    DialectFold,
    Plain,
    Registry,
    StreamContext,
    fates,
    leave_out,
    loss_table,
    losses,
)
from sseware.dialects._losses import SAMPLES
from sseware.errors import InvalidItem
from sseware.events import Comment, NamedEvent
from sseware.items import Data, Failure, File, Finish, Item, Log, Start, Step, Text, Usage

BUILT_IN = Registry(installed=False)
ALL = pytest.mark.parametrize("name", BUILT_IN.names())


class Terse:
    """A dialect of texts: it counts usage for its end, keeps the start, forgets data, and leaves out all the rest."""

    name = "terse"
    default: Literal["stream", "buffered"] = "stream"
    omits: frozenset[type[Item]] = frozenset(
        {type(item) for item in SAMPLES} - {Start, Text, Usage, Finish, Failure, Step, Data}
    )

    def __init__(self) -> None:
        self.runs = 0

    def open(self, context: StreamContext) -> DialectEncoder:
        self.runs += 1
        return TerseEncoder(self, self.runs)

    def fold(self, context: StreamContext) -> DialectFold:
        return Plain().fold(context)

    def decoder(self) -> DialectDecoder:
        return Plain().decoder()


class TerseEncoder:
    def __init__(self, dialect: Terse, run: int) -> None:
        self._dialect = dialect
        self._run = run
        self._used = 0

    def start(self) -> Iterable[ServerSentEvent]:
        return [ServerSentEvent(f"{self._run}", event="run")]

    def encode(self, item: AnItem) -> Iterable[ServerSentEvent]:
        if isinstance(item, Text):
            return [ServerSentEvent(item.text), ServerSentEvent("", event="beat")]
        if isinstance(item, Usage):
            self._used += item.output_tokens
        return () if isinstance(item, Start | Usage | Finish | Step) else leave_out(self._dialect, item)

    def finish(self) -> Iterable[ServerSentEvent]:
        return [ServerSentEvent(str(self._used), event="end")]

    def fail(self, failure: Failure) -> Iterable[AnEvent]:
        return [NamedEvent(failure.message), Comment("it broke")]


def test_there_is_a_sample_of_every_item_that_a_stream_can_carry() -> None:
    every = {each for each in vars(items).values() if isinstance(each, type) and issubclass(each, Item)}
    assert {type(sample) for sample in SAMPLES} == every - {Item, File}


def test_the_plain_dialect_loses_nothing() -> None:
    assert losses(Plain()) == ()
    assert [fate.events for fate in fates(Plain())] == [
        ("start",),
        ("",),
        ("log",),
        ("thinking",),
        ("tool_call",),
        ("tool_result",),
        ("step",),
        ("progress",),
        ("usage",),
        ("finish",),
        ("error",),
    ]


def test_a_fate_is_what_the_encoder_does() -> None:
    by_type = {fate.item: fate for fate in fates(Terse())}
    assert by_type[Text].events == ("", "beat")
    assert by_type[Log].omitted
    assert (by_type[Usage].events, by_type[Usage].kept) == ((), ("end",))
    assert (by_type[Start].events, by_type[Start].kept) == ((), ())
    assert by_type[Finish].events == ("end",)
    assert by_type[Data].refused
    assert not by_type[Log].refused
    assert by_type[Failure].events == ("message",)
    assert losses(Terse()) == tuple(type(item) for item in SAMPLES if type(item) in Terse.omits)


def test_the_table_has_a_row_for_each_item_and_a_column_for_each_dialect() -> None:
    lines = loss_table([Plain(), Terse()]).splitlines()
    assert lines[:5] == [
        "| item | plain | terse |",
        "|---|---|---|",
        "| `Start` | `start` | kept |",
        "| `Text` | an unnamed event | an unnamed event, `beat` |",
        "| `Log` | `log` | - |",
    ]
    assert "| `Usage` | `usage` | kept for `end` |" in lines
    assert "| `Data` | `progress` | refused |" in lines
    assert "| `Failure` | `error` | `message` |" in lines
    assert len(lines) == 2 + len(SAMPLES)


def test_the_table_in_the_documentation_is_true() -> None:
    document = Path(__file__).parents[2] / "docs" / "dialects.md"
    table = loss_table([BUILT_IN.get(name) for name in BUILT_IN.names()])
    assert table in document.read_text(encoding="utf-8"), f"want\n{table}"


def strict_of(dialect: Dialect) -> Dialect:
    """The same dialect, strict; one that leaves nothing out need not have the option."""
    return type(dialect)(strict=True) if losses(dialect) else dialect  # type: ignore[call-arg]  # by convention


@ALL
def test_a_built_in_dialect_has_a_fate_for_every_item(name: str) -> None:
    dialect = BUILT_IN.get(name)
    assert [fate.item for fate in fates(dialect)] == [type(sample) for sample in SAMPLES]
    assert [fate.item for fate in fates(dialect) if fate.refused] == []


@ALL
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: type(sample).__name__)
def test_what_is_left_out_is_an_error_for_a_strict_dialect(name: str, sample: Item) -> None:
    if isinstance(sample, Finish | Failure):
        assert type(sample) not in losses(BUILT_IN.get(name)), "a stream must be able to end"
        return
    dialect = BUILT_IN.get(name)
    lenient, strict = takers(dialect), takers(strict_of(dialect))
    if type(sample) in losses(dialect):
        assert [list(take(sample) or ()) for take in lenient] == [[], []]
        for take in strict:
            with pytest.raises(InvalidItem, match=f"leaves {type(sample).__name__} out, and it is strict"):
                take(sample)
    else:
        for take in (*lenient, *strict):
            take(sample)


def takers(dialect: Dialect) -> list[Callable[[AnItem], Iterable[AnEvent] | None]]:
    """What takes the items of a stream, and of a fold, that have begun."""
    context = StreamContext(clock=float)
    encoder, fold = dialect.open(context), dialect.fold(context)
    list(encoder.start())
    list(encoder.encode(Text("Once ")))
    fold.add(Text("Once "))
    return [encoder.encode, fold.add]
