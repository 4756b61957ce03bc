"""Texts are encoded as the events would be that they stand for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sseware import ServerSentEvent
from sseware.errors import EventTooLarge, InvalidEvent
from sseware.wire import MAX_EVENT_SIZE, encode, short_text_encoder, text_encoder, texts_encoder

PIECES = st.sampled_from(
    [
        "a",
        "\n",
        "\r",
        "\r\n",
        "\x85",
        "\u2028",
        "\ud800",
        "é",
        "🚀",
        "data: x",
        ": ",
        "id: 1",
        "\x00",
        "\ufeff",
    ]
)
HOSTILE = st.lists(PIECES | st.characters(exclude_categories=()), max_size=12).map("".join)


@pytest.mark.parametrize("event", ["message", "token", "a b: c", "é"])
@given(text=HOSTILE)
def test_a_text_is_written_as_its_event(event: str, text: str) -> None:
    """E1, E5, E6, E8."""
    want = encode(ServerSentEvent(text, event=event))
    assert text_encoder(event)(text) == want
    assert short_text_encoder(event)(text) == want


@pytest.mark.parametrize("event", ["message", "token", "a b: c", "é"])
@given(texts=st.lists(HOSTILE, max_size=5))
def test_texts_in_a_row_are_written_as_their_events(event: str, texts: list[str]) -> None:
    """E1, E5, E6, E8."""
    assert texts_encoder(event)(texts) == b"".join(
        encode(ServerSentEvent(text, event=event)) for text in texts
    )


@pytest.mark.parametrize("event", ["", "two\nlines", "cr\r", "\ud800"])
def test_a_type_that_cannot_be_written_is_refused_at_once(event: str) -> None:
    """E1."""
    for make in (text_encoder, short_text_encoder, texts_encoder):
        with pytest.raises(InvalidEvent):
            make(event)


def test_a_str_that_lies_is_taken_at_its_characters() -> None:
    class Liar(str):
        def __contains__(self, other: object) -> bool:
            return False

        def __str__(self) -> str:
            return "id: forged"

        def __format__(self, spec: str) -> str:
            return "x\n\ndata: forged"

        def replace(self, *_: object) -> str:
            return "x\n\ndata: forged"

    assert text_encoder()(Liar("a\nb")) == b"data: a\ndata: b\n\n"
    for text in ("b\nc", "b\rc", "b\ud800"):
        texts = ["a", Liar(text), Liar(text)]
        assert texts_encoder()(texts) == b"".join(map(text_encoder(), map(str.__str__, texts)))


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(InvalidEvent):
        text_encoder()(b"bytes")  # type: ignore[arg-type]  # that is the point
    with pytest.raises(InvalidEvent):
        texts_encoder()(["a", b"bytes"])  # type: ignore[list-item]  # that is the point


@pytest.mark.parametrize(("more", "fits"), [(0, True), (1, False)])
def test_a_text_has_the_limit_of_an_event(more: int, fits: bool) -> None:
    """E14."""
    text = "x" * (MAX_EVENT_SIZE - len("data: \n\n") + more)
    if fits:
        assert len(text_encoder()(text)) == MAX_EVENT_SIZE
        assert texts_encoder()([text, "a"]) == text_encoder()(text) + b"data: a\n\n"
    else:
        with pytest.raises(EventTooLarge):
            text_encoder()(text)
        with pytest.raises(EventTooLarge):
            texts_encoder()(["a", text])
