"""An offer is checked when it is made."""

from __future__ import annotations

from typing import Any

import pytest

from sseware.errors import ConfigurationError
from sseware.negotiation import Offer


@pytest.mark.parametrize(
    "media_types",
    [("text/plain",), ("application/json", "application/problem+json"), ("*/*",), ("x-a.b/c_d",)],
)
def test_media_types_are_taken(media_types: tuple[str, ...]) -> None:
    assert Offer("mine", media_types=media_types).media_types == media_types


@pytest.mark.parametrize(
    "media_types",
    [
        (),
        "text/plain",
        ["text/plain"],
        None,
        ("text",),
        ("text/",),
        ("text/*",),
        ("Text/Plain",),
        ("text/plain; charset=utf-8",),
        ("text/plain\r\nx: y",),
        (b"text/plain",),
        ("application/json", 7),
    ],
    ids=repr,
)
def test_media_types_that_are_none_are_refused(media_types: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"media.type.* of dialect 'mine' must .*got"):
        Offer("mine", media_types=media_types)


def test_a_default_that_is_none_is_refused() -> None:
    default: Any = "websocket"
    with pytest.raises(ConfigurationError, match=r"must be 'stream' or 'buffered', got 'websocket'"):
        Offer("mine", default)


def test_an_offer_says_little_by_default() -> None:
    offer = Offer("mine")
    assert (offer.default, offer.media_types, offer.stream_flag, offer.streams) == (
        "stream",
        ("application/json",),
        None,
        True,
    )
