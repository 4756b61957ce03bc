"""The table of decisions: who asks for what, and what they get."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
import pytest

from sseware.errors import ConfigurationError
from sseware.negotiation import Decision, Offer, Request, negotiate

HUSK = Offer("husk", "buffered", media_types=("text/plain",), stream_flag=("stream", "1"))
ASH = Offer("ash", "stream", media_types=("application/json",))
FILE = Offer("husk", "buffered", media_types=("*/*",), stream_flag=("stream", "1"), streams=False)
ANY = Offer("any", "buffered", media_types=("*/*",))
TWO_TYPES = Offer("two", "buffered", media_types=("text/html", "text/plain"))

Representation = Literal["stream", "buffered", "none"]


def decide(offers: list[Offer], accept: str | None = None, query: str = "") -> Decision:
    return negotiate(Request(method="POST", path="/skills/uppercase", query=query, accept=accept), offers)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("stream=1", "stream", id="the-flag-streams"),
        pytest.param("a=b&stream=1&c=d", "stream", id="among-other-parameters"),
        pytest.param("stream=1&stream=0", "stream", id="the-first-value-counts"),
        pytest.param("stream=0&stream=1", "buffered", id="a-later-value-does-not"),
        pytest.param("stream=true", "buffered", id="true-is-not-1"),
        pytest.param("stream=1.0", "buffered", id="compared-as-text"),
        pytest.param("stream=1%20", "buffered", id="a-trailing-space-is-part-of-the-value"),
        pytest.param("stream=", "buffered", id="an-empty-value"),
        pytest.param("stream", "buffered", id="no-value"),
        pytest.param("Stream=1", "buffered", id="names-keep-their-case"),
        pytest.param("stream=%31", "stream", id="a-percent-encoded-value"),
        pytest.param("str%65am=1", "stream", id="a-percent-encoded-name"),
        pytest.param("xstream=1", "buffered", id="not-a-suffix"),
        pytest.param("stream=%", "buffered", id="a-broken-escape"),
        pytest.param("stream=%ff%fe", "buffered", id="an-escape-that-is-not-utf-8"),
        pytest.param("&&=&=1&", "buffered", id="nothing-but-separators"),
        pytest.param("dialect=ash", "buffered", id="without-an-allow-list-dialect-is-no-parameter-of-ours"),
    ],
)
def test_only_the_flag_of_the_query_counts(query: str, expected: Representation) -> None:
    assert decide([HUSK], query=query).representation == expected


@pytest.mark.parametrize("accept", ["text/plain", "text/event-stream;q=0", "image/png", "*/*", None])
def test_the_flag_wins_over_accept(accept: str | None) -> None:
    decision = decide([HUSK], accept, "stream=1")
    assert decision == Decision("stream", "husk", "The query says stream=1.", "text/event-stream")


@pytest.mark.parametrize(
    ("accept", "husk", "ash"),
    [
        pytest.param(None, "buffered", "stream", id="no-accept-is-the-default"),
        pytest.param("", "buffered", "stream", id="an-empty-accept-too"),
        pytest.param(" ,, ,\t", "buffered", "stream", id="empty-elements-too"),
        pytest.param("*/*", "buffered", "stream", id="anything-is-the-default"),
        pytest.param("*/*;q=0.1", "buffered", "stream", id="anything-at-any-weight"),
        pytest.param("text/event-stream", "stream", "stream", id="an-event-source"),
        pytest.param("TEXT/Event-Stream", "stream", "stream", id="without-regard-to-case"),
        pytest.param("text/event-stream, */*", "stream", "stream", id="named-beats-anything-at-equal-weight"),
        pytest.param("*/*, text/event-stream", "stream", "stream", id="in-either-order"),
        pytest.param("text/*, text/event-stream", "stream", "stream", id="named-beats-a-range"),
        pytest.param("text/event-stream;q=0.1, */*", "buffered", "buffered", id="the-higher-weight-wins"),
        pytest.param("text/html, text/event-stream;q=0.1", "stream", "stream", id="html-is-not-on-offer"),
        pytest.param("text/event-stream, text/plain", "buffered", "stream", id="a-tie-is-the-default"),
        pytest.param("text/event-stream, application/json", "stream", "stream", id="ties-per-offer"),
        pytest.param("application/json", "none", "buffered", id="json-is-not-text"),
        pytest.param("text/plain", "buffered", "none", id="text-is-not-json"),
        pytest.param("text/*", "buffered", "stream", id="a-range-of-types"),
        pytest.param("application/*", "none", "buffered", id="another-range-of-types"),
        pytest.param("application/*, */*", "buffered", "buffered", id="a-range-beats-anything"),
        pytest.param("image/png", "none", "none", id="nothing-acceptable"),
        pytest.param("text/event-stream;q=0", "none", "none", id="excluded-and-nothing-else"),
        pytest.param("text/event-stream;q=0, */*", "buffered", "buffered", id="excluded-from-anything"),
        pytest.param("*/*;q=0", "none", "none", id="everything-excluded"),
        pytest.param("*/*;q=0, text/event-stream", "stream", "stream", id="everything-else-excluded"),
        pytest.param("text/*;q=0, */*", "none", "buffered", id="a-range-excluded"),
        pytest.param("text/event-stream;q=0.001", "stream", "stream", id="the-least-weight"),
        pytest.param("text/event-stream;q=0.000", "none", "none", id="zero-in-three-digits"),
        pytest.param("text/event-stream;q=0.901, */*;q=0.9", "stream", "stream", id="three-digits-count"),
        pytest.param("text/event-stream;Q=0.1, */*;q=0.2", "buffered", "buffered", id="q-in-either-case"),
        pytest.param("text/event-stream;q=.2, */*;q=0.1", "stream", "stream", id="java-has-no-leading-zero"),
        pytest.param(
            "text/html, image/gif, *; q=.2, */*; q=.2", "buffered", "stream", id="the-whole-accept-of-java"
        ),
        pytest.param(
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "buffered",
            "stream",
            id="a-browser-that-opens-the-address",
        ),
        pytest.param(
            "text/event-stream;charset=utf-8", "stream", "stream", id="other-parameters-are-ignored"
        ),
        pytest.param('text/event-stream;a="b,c;q=0", */*', "stream", "stream", id="a-comma-in-quotes"),
        pytest.param(r'text/event-stream;a="\",";q=0, */*', "buffered", "buffered", id="an-escaped-quote"),
        pytest.param("text/event-stream;;q=0.5;, */*;q=0.1", "stream", "stream", id="empty-parameters"),
        pytest.param(
            "text/event-stream;q=0.1, text/event-stream;q=0.9, */*;q=0.5", "stream", "stream", id="duplicates"
        ),
        pytest.param("text/event-stream;q=0.9;ext=1, */*", "buffered", "buffered", id="extensions-after-q"),
    ],
)
def test_accept(accept: str | None, husk: Representation, ash: Representation) -> None:
    assert decide([HUSK], accept).representation == husk
    assert decide([ASH], accept).representation == ash


@pytest.mark.parametrize(
    "element",
    [
        "text",
        "/",
        "text/",
        "/event-stream",
        "*",
        "*/event-stream",
        "text/event-stream/x",
        "text /event-stream",
        "text/event stream",
        "text/event-stream;q",
        "text/event-stream;q=",
        "text/event-stream;q=2",
        "text/event-stream;q=1.001",
        "text/event-stream;q=0.1234",
        "text/event-stream;q=-1",
        "text/event-stream;q=+1",
        "text/event-stream;q=1e0",
        "text/event-stream;q=nan",
        "text/event-stream;q=.",
        'text/event-stream;q="1"',
        "text/event-stream;q =1",
        "text/event-stream;q= 1",
        "text/event-stream;q=1;q=1",
        "text/event-stream;=x",
        "text/event-stream;a",
        "text/event-stream;a=b c",
        'text/event-stream;a="b"c',
        'text/event-stream;a="b\x00"',
        'text/event-stream;a="never closed',
        'text/event-stream;a="never closed\\',
        "text/event-stream q=1",
        "tëxt/event-stream",
        "text\\/event-stream",
        "\x00",
        "٣/٣;q=٣",
        "text/event-stream;q=٠",
    ],
)
def test_a_malformed_element_is_skipped(element: str) -> None:
    assert decide([HUSK], element).representation == "buffered"
    assert decide([ASH], element).representation == "stream"
    assert decide([HUSK], f"application/json, {element}").representation == "none"
    assert decide([ASH], f"application/json, {element}").representation == "buffered"


@pytest.mark.parametrize(
    ("accept", "query"),
    [
        (None, "stream=1"),
        ("text/event-stream", ""),
        ("text/event-stream", "stream=1"),
        ("*/*;q=0", ""),
        ("text/event-stream;dialect=ash", ""),
        ("nonsense", ""),
    ],
)
def test_what_cannot_be_streamed_is_buffered_whatever_is_asked(accept: str | None, query: str) -> None:
    decision = decide([FILE], accept, query)
    assert (decision.representation, decision.media_type) == ("buffered", None)
    assert decision.reason == "The husk answer cannot be streamed, so that it is buffered whatever is asked."


@pytest.mark.parametrize(
    ("accept", "query", "expected"),
    [
        pytest.param(None, "", ("buffered", "husk"), id="the-handlers-own-by-default"),
        pytest.param("text/event-stream", "", ("stream", "husk"), id="a-stream-is-the-handlers-own"),
        pytest.param("application/json", "", ("none", "husk"), id="a-type-alone-chooses-no-dialect"),
        pytest.param("text/event-stream;dialect=ash", "", ("stream", "ash"), id="chosen-by-accept"),
        pytest.param('text/event-stream;dialect="ash"', "", ("stream", "ash"), id="chosen-in-quotes"),
        pytest.param(r'text/event-stream;dialect="\a\sh"', "", ("stream", "ash"), id="chosen-in-escapes"),
        pytest.param("text/event-stream;DIALECT=Ash", "", ("stream", "ash"), id="chosen-in-any-case"),
        pytest.param("text/event-stream;dialect=husk", "", ("stream", "husk"), id="the-own-by-name"),
        pytest.param(
            "text/event-stream;dialect=nobody", "", ("none", "husk"), id="an-unknown-name-in-accept"
        ),
        pytest.param(
            "text/event-stream;dialect=nobody, */*", "", ("buffered", "husk"), id="unknown-but-not-only"
        ),
        pytest.param("application/json;dialect=ash", "", ("buffered", "ash"), id="a-buffered-one-by-name"),
        pytest.param("*/*;dialect=ash", "", ("stream", "ash"), id="anything-of-a-dialect-is-its-default"),
        pytest.param(
            "text/event-stream, text/event-stream;dialect=ash",
            "",
            ("stream", "ash"),
            id="by-name-is-more-specific",
        ),
        pytest.param(
            "text/event-stream, text/event-stream;dialect=ash;q=0.9",
            "",
            ("stream", "husk"),
            id="weight-comes-first",
        ),
        pytest.param(
            "text/event-stream;dialect=ash, text/event-stream;dialect=husk",
            "",
            ("stream", "husk"),
            id="the-own-comes-first-in-a-tie",
        ),
        pytest.param(
            "text/event-stream;dialect=husk;q=0, */*", "", ("buffered", "husk"), id="excluded-by-name"
        ),
        pytest.param(
            "text/event-stream;dialect=ash;dialect=husk",
            "",
            ("buffered", "husk"),
            id="two-names-are-malformed",
        ),
        pytest.param(None, "dialect=ash", ("stream", "ash"), id="chosen-by-the-query"),
        pytest.param("application/json", "dialect=ash", ("buffered", "ash"), id="the-query-and-a-type"),
        pytest.param("text/plain", "dialect=ash", ("none", "ash"), id="the-query-and-a-type-that-it-lacks"),
        pytest.param(
            "text/event-stream;dialect=husk", "dialect=ash", ("none", "ash"), id="two-that-contradict"
        ),
        pytest.param(None, "dialect=husk", ("buffered", "husk"), id="the-own-by-the-query"),
        pytest.param(None, "dialect=nobody", ("none", "husk"), id="an-unknown-name-in-the-query"),
        pytest.param(None, "dialect=ASH", ("none", "husk"), id="the-query-keeps-its-case"),
        pytest.param(None, "dialect=", ("none", "husk"), id="an-empty-name"),
        pytest.param(None, "dialect=ash&dialect=nobody", ("stream", "ash"), id="the-first-name-counts"),
        pytest.param(None, "dialect=..%2f..%2fetc", ("none", "husk"), id="a-name-is-not-a-path"),
        pytest.param(
            "text/event-stream", "stream=1&dialect=ash", ("stream", "ash"), id="a-flag-of-another-dialect"
        ),
        pytest.param("text/event-stream;dialect=ash", "stream=1", ("stream", "husk"), id="the-own-flag-wins"),
    ],
)
def test_a_client_may_choose_from_the_allow_list(
    accept: str | None, query: str, expected: tuple[Representation, str]
) -> None:
    decision = decide([HUSK, ASH], accept, query)
    assert (decision.representation, decision.dialect) == expected


def test_a_range_that_names_another_dialect_is_not_for_the_only_offer() -> None:
    assert decide([HUSK], "text/event-stream;dialect=ash").representation == "none"
    assert decide([HUSK], "text/event-stream;dialect=husk").representation == "stream"


def test_the_handlers_own_offer_may_be_in_the_allow_list_too() -> None:
    decision = decide([HUSK, HUSK, ASH], "text/event-stream;dialect=husk, */*;q=0.5")
    assert (decision.representation, decision.dialect) == ("stream", "husk")
    assert decide([HUSK, HUSK], query="dialect=nobody").representation == "buffered"


@pytest.mark.parametrize(
    ("accept", "query", "expected"),
    [
        ("text/event-stream", "", ("buffered", "husk")),
        ("text/event-stream;dialect=ash", "", ("stream", "ash")),
        ("application/json;dialect=ash", "", ("buffered", "ash")),
        ("image/png", "", ("buffered", "husk")),
        ("image/png;dialect=ash", "", ("buffered", "husk")),
        (None, "", ("buffered", "husk")),
        (None, "dialect=ash", ("stream", "ash")),
        (None, "dialect=husk&stream=1", ("buffered", "husk")),
    ],
)
def test_beside_a_file_another_dialect_counts_only_by_name(
    accept: str | None, query: str, expected: tuple[Representation, str]
) -> None:
    decision = decide([FILE, ASH], accept, query)
    assert (decision.representation, decision.dialect) == expected


def test_a_dialect_that_cannot_be_streamed_may_be_chosen_by_name() -> None:
    decision = decide([ASH, FILE], "text/event-stream;dialect=husk")
    assert (decision.representation, decision.dialect) == ("buffered", "husk")


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        pytest.param("image/png", ("buffered", None), id="the-type-may-turn-out-to-be-anything"),
        pytest.param("text/event-stream", ("stream", "text/event-stream"), id="but-not-an-event-stream"),
        pytest.param(
            "image/png, text/event-stream", ("stream", "text/event-stream"), id="named-is-more-specific"
        ),
        pytest.param("image/png, text/event-stream;q=0.9", ("buffered", None), id="the-higher-weight-wins"),
        pytest.param("image/png;q=0", ("none", None), id="an-exclusion-is-no-match"),
        pytest.param("image/png;dialect=any", ("buffered", None), id="by-name"),
        pytest.param("image/png;dialect=ash", ("none", None), id="by-another-name"),
        pytest.param("*/*", ("buffered", None), id="the-default"),
    ],
)
def test_a_type_that_is_not_known_beforehand_matches_any_range(
    accept: str, expected: tuple[Representation, str | None]
) -> None:
    decision = decide([ANY], accept)
    assert (decision.representation, decision.media_type) == expected


def test_an_unknown_type_of_another_dialect_is_matched_by_name_only() -> None:
    assert decide([ASH, ANY], "image/png").representation == "none"
    assert decide([ASH, ANY], "image/png;dialect=any").dialect == "any"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, "text/html"),
        ("*/*", "text/html"),
        ("text/plain", "text/plain"),
        ("text/plain, text/html", "text/html"),
        ("text/plain, text/html;q=0.9", "text/plain"),
        ("text/plain, */*", "text/plain"),
    ],
)
def test_among_buffered_types_the_accepted_one_is_decided(accept: str | None, expected: str) -> None:
    decision = decide([TWO_TYPES], accept)
    assert (decision.representation, decision.media_type) == ("buffered", expected)


@pytest.mark.parametrize(
    ("offers", "accept", "query", "reason"),
    [
        ([HUSK], None, "", "Accept says nothing, and the default of husk is a buffered answer."),
        ([ASH], "??", "", "Accept says nothing, and the default of ash is a stream."),
        (
            [HUSK],
            "*/*",
            "",
            "Accept takes text/plain and text/event-stream alike, and the default of husk is a buffered "
            "answer.",
        ),
        (
            [HUSK],
            "text/event-stream",
            "",
            "Accept takes text/event-stream, q=1, and nothing else that is on offer.",
        ),
        (
            [HUSK],
            "text/event-stream, */*;q=0.25",
            "",
            "Accept weighs text/event-stream, q=1, above text/plain, q=0.25.",
        ),
        (
            [HUSK],
            "text/event-stream;q=.5, */*;q=0.5",
            "",
            "Accept names text/event-stream more specifically than text/plain, at the same weight, q=0.5.",
        ),
        ([HUSK], "image/png", "", "Accept takes none of text/plain, text/event-stream."),
        (
            [HUSK, ASH],
            "*/*;dialect=husk, text/event-stream;dialect=ash",
            "",
            "Accept names text/event-stream of ash more specifically than text/plain of husk, at the same "
            "weight, q=1.",
        ),
        (
            [HUSK, ASH],
            "text/event-stream;dialect=ash, text/event-stream;dialect=husk",
            "",
            "Accept takes text/event-stream of husk and text/event-stream of ash alike, and husk comes "
            "first.",
        ),
        (
            [HUSK, ASH],
            None,
            "dialect=%0d%0aevil",
            r"The query asks for the dialect '\r\nevil', which is not on offer.",
        ),
    ],
)
def test_the_reason_is_a_sentence_for_people(
    offers: list[Offer], accept: str | None, query: str, reason: str
) -> None:
    assert decide(offers, accept, query).reason == reason


def test_a_reason_stays_short_and_in_one_line() -> None:
    reason = decide([HUSK, ASH], query=f"dialect=%0a{'x' * 10_000}").reason
    assert len(reason) < 120
    assert "\n" not in reason


def test_nothing_on_offer_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="the handler's own offer"):
        negotiate(Request(), [])


def test_a_decision_is_pure() -> None:
    request = Request(query="stream=1", accept="text/event-stream;q=0.3, */*")
    before = msgspec.structs.asdict(request)
    assert negotiate(request, (HUSK, ASH)) == negotiate(request, [HUSK, ASH])
    assert msgspec.structs.asdict(request) == before


@pytest.mark.parametrize("value", [Request(), HUSK, decide([HUSK])], ids=["request", "offer", "decision"])
def test_values_are_frozen(value: Any) -> None:
    with pytest.raises(AttributeError):
        setattr(value, value.__struct_fields__[0], "x")
