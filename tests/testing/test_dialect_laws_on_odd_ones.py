"""The laws of dialects on odd ones: what is wrong is told, whichever of encoder, decoder and fold it is in."""

from __future__ import annotations

from typing import Any

import pytest

from sseware import ServerSentEvent
from sseware.dialects import AnItem, get_dialect
from sseware.items import Data, Failure, Finish, Item, Text, ToolCall
from sseware.testing import laws
from sseware.testing.errors import LawBroken
from tests.mutants.dialects import Around, Wrong


class ReadsMore(Wrong):
    """Reads a tool call behind each text."""

    class reader(Around):
        def decode(self, event: ServerSentEvent) -> Any:
            for item in self.inner.decode(event):
                yield item
                if isinstance(item, Text):
                    yield ToolCall("c", "t")


class Grows(Wrong):
    """Reads a value as a larger one."""

    base = "plain"

    class reader(Around):
        def decode(self, event: ServerSentEvent) -> Any:
            for item in self.inner.decode(event):
                yield Data([item.value], item.name) if isinstance(item, Data) else item


class Doubts(Wrong):
    """Reads a good end as a bad one."""

    class reader(Around):
        def decode(self, event: ServerSentEvent) -> Any:
            return [
                Finish(ok=False) if isinstance(each, Finish) else each for each in self.inner.decode(event)
            ]


class FailsTwice(Wrong):
    class reader(Around):
        def decode(self, event: ServerSentEvent) -> Any:
            for item in self.inner.decode(event):
                yield item
                if isinstance(item, Failure):
                    yield item


class DataUnasked(Wrong):
    """Says that data are an event as they are, and spells them otherwise where it is asked."""

    class encoder(Around):
        data_event = "message"


class Deaf(Wrong):
    """Reads no text."""

    class reader(Around):
        def decode(self, event: ServerSentEvent) -> Any:
            return [item for item in self.inner.decode(event) if not isinstance(item, Text)]


class ReadsNothingAtAll(Wrong):
    class reader(Around):
        def decode(self, event: ServerSentEvent) -> Any:
            return [None]


class Raises(Wrong):
    class reader(Around):
        def decode(self, event: ServerSentEvent) -> Any:
            raise KeyError("chunk")


class FoldRaises(Wrong):
    class folder(Around):
        def add(self, item: AnItem) -> None:
            raise KeyError("chunk")


@pytest.mark.parametrize(
    ("dialect", "law", "example", "told"),
    [
        pytest.param(Deaf, "round-trip", [Text("a")], "is not the text that was written", id="no-text"),
        pytest.param(
            ReadsMore, "round-trip", [Text("a")], "written as something else", id="more-than-was-written"
        ),
        pytest.param(Grows, "items", [Data({"n": 1})], "read as another one", id="another-value-each-time"),
        pytest.param(Doubts, "one-terminator", [], "read as one that did not", id="a-good-end-as-a-bad-one"),
        pytest.param(Raises, "one-terminator", [], "cannot read its own event", id="a-decoder-that-raises"),
        pytest.param(FailsTwice, "failure", [], "not read as one failure", id="two-failures"),
        pytest.param(Deaf, "text-never-ends", [], "text after what a user forged was lost", id="a-forgery"),
        pytest.param(
            Raises, "round-trip", [Text("a")], "cannot read what it has written", id="nothing-can-be-read"
        ),
        pytest.param(
            ReadsNothingAtAll, "total", ServerSentEvent("x"), "returned what is no item", id="no-item"
        ),
        pytest.param(
            DataUnasked, "text-event", "a", "data that are written without asking", id="data-unasked"
        ),
        pytest.param(FailsTwice, "odd-values", "a cycle", "more than one end", id="two-ends"),
        pytest.param(
            FoldRaises, "odd-values", "a cycle", "the fold raised KeyError", id="a-fold-that-raises"
        ),
    ],
)
def test_what_is_wrong_with_a_dialect_is_told(dialect: type, law: str, example: Any, told: str) -> None:
    with pytest.raises(LawBroken, match=told):
        laws.check(f"dialect/{law}", dialect, example)


def test_a_dialect_may_be_given_as_it_is() -> None:
    laws.check("dialect/truncated", get_dialect("hector"))


def test_a_reproducer_of_a_dialect_imports_its_items() -> None:
    (verdict,) = laws.judge([laws.get("dialect/buffered")], FoldOfAll, name="tests.mine:FoldOfAll")
    assert verdict.reproducer.startswith(
        "from tests.mine import FoldOfAll\nfrom sseware import ServerSentEvent\n"
    )
    assert "Text(text='dreary')" in verdict.reproducer


class FoldOfAll(Wrong):
    """Answers without any text."""

    class folder(Around):
        def add(self, item: AnItem) -> None:
            if not isinstance(item, Item) or isinstance(item, Text):
                return
            self.inner.add(item)
