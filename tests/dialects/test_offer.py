"""What a dialect offers is read off its attributes, which it need not have."""

from __future__ import annotations

from typing import Any

import pytest

from sseware.dialects import Plain, Registry, offer_of, pace_of, stream_headers_of
from sseware.errors import ConfigurationError
from sseware.negotiation import Offer


class Full(Plain, frozen=True):
    media_types = ("text/plain", "application/json")
    stream_flag = ("stream", "1")
    streams = False
    stream_headers = (("cache-control", "no-cache"),)


def test_what_a_dialect_does_not_say_is_the_default() -> None:
    assert offer_of(Plain(name="calm", default="buffered")) == Offer("calm", "buffered")
    assert stream_headers_of(Plain()) == ()


def test_what_it_says_is_offered() -> None:
    assert offer_of(Full()) == Offer(
        "plain", "stream", ("text/plain", "application/json"), ("stream", "1"), streams=False
    )
    assert stream_headers_of(Full()) == (("cache-control", "no-cache"),)


def test_an_offer_that_is_none_is_told_where_the_dialect_is_given() -> None:
    class Wrong(Plain, frozen=True):
        media_types: Any = "text/plain"

    with pytest.raises(ConfigurationError, match="media_types of dialect 'plain' must be a tuple"):
        Registry(installed=False).get(Wrong())


class Paced(Plain, frozen=True):
    pause: Any = 0.05
    run_ahead: Any = 1024


def test_a_pace_is_what_a_dialect_says_or_none() -> None:
    assert pace_of(Plain()) == (0.0, None)
    assert pace_of(Paced()) == (0.05, 1024)
    assert pace_of(Paced(pause=1, run_ahead=None)) == (1, None)


@pytest.mark.parametrize("pause", [-1, float("inf"), float("nan"), "1", None, True])
def test_a_pause_that_is_none_is_told(pause: Any) -> None:
    with pytest.raises(ConfigurationError, match="pause of 'plain' must be a number of seconds, got "):
        pace_of(Paced(pause=pause))


@pytest.mark.parametrize("run_ahead", [0, -1, 1.5, "1", True])
def test_a_run_ahead_that_is_none_is_told(run_ahead: Any) -> None:
    with pytest.raises(
        ConfigurationError, match="run_ahead of 'plain' must be 1 or more bytes, or None, got "
    ):
        pace_of(Paced(run_ahead=run_ahead))
