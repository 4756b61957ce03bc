"""From what a handler yields to items."""

from __future__ import annotations

import pytest

from sseware.asgi._reader import ItemReader
from sseware.errors import InvalidItem
from sseware.items import Data, Log, Text


@pytest.mark.parametrize(
    ("value", "want"),
    [
        ("a", Text("a")),
        (Log("a"), Log("a")),
        ({"a": 1}, Data({"a": 1})),
        (b"a", Text("a")),
        (memoryview(b"a"), Text("a")),
    ],
)
def test_a_value_is_spelled_out(value: object, want: object) -> None:
    """E11, E12."""
    assert ItemReader().read(value) == want


def test_a_code_point_may_be_split_over_yields_and_over_what_comes_between() -> None:
    """E12."""
    reader = ItemReader()
    assert reader.read(b"a\xc3") == Text("a")
    assert reader.read(Log("x")) == Log("x")
    assert reader.read(bytearray(b"\xa9")) == Text("\xe9")
    assert reader.rest() is None


def test_bytes_without_a_whole_code_point_are_no_item() -> None:
    assert ItemReader().read(b"\xf0\x9f") is None


def test_what_was_never_completed_is_left_at_the_end() -> None:
    reader = ItemReader()
    reader.read(b"\xf0\x9f")
    assert reader.rest() == Text("\ufffd")
    assert reader.rest() is None


def test_nothing_is_left_where_no_bytes_came() -> None:
    assert ItemReader().rest() is None


def test_what_cannot_be_sent_is_refused() -> None:
    """E11."""
    with pytest.raises(InvalidItem, match="object"):
        ItemReader().read(object())
