"""Hostile and strange ``Accept``: held against a slow reference that shares nothing with the product."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sseware.negotiation import Offer, Request, negotiate

# --- The reference: one character at a time, then every range against every offer.

TOKEN_CHARACTERS = frozenset("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
Range = tuple[str, str, str | None, float]


def pieces(text: str, separator: str) -> Iterator[str]:
    piece, quoted, escaped = "", False, False
    for character in text:
        if character == separator and not quoted:
            yield piece
            piece = ""
            continue
        piece += character
        if escaped:
            escaped = False
        elif quoted and character == "\\":
            escaped = True
        elif character == '"':
            quoted = not quoted
    yield piece


def is_token(text: str) -> bool:
    return bool(text) and all(character in TOKEN_CHARACTERS for character in text)


def unquoted(text: str) -> str | None:
    """The value of a quoted string, or None where it is none."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return None
    value, rest = "", list(text[1:-1])
    while rest:
        character = rest.pop(0)
        if character == '"' or (character == "\\" and not rest):
            return None
        if character == "\\":
            character = rest.pop(0)
        if (ord(character) < 32 and character != "\t") or ord(character) == 127:
            return None
        value += character
    return value


def weight_of(text: str) -> float | None:
    whole, point, decimals = text.partition(".")
    if whole not in ("0", "1") and not (whole == "" and decimals):
        return None
    if len(decimals) > 3 or any(digit not in "0123456789" for digit in decimals):
        return None
    value = float(f"{whole or '0'}{point}{decimals or '0'}" if point else whole)
    return value if value <= 1 else None


def reference_range(element: str) -> Range | None:
    first, *parameters = pieces(element, ";")
    names = first.strip(" \t").split("/")
    if len(names) != 2 or not all(is_token(name) for name in names) or (names[0] == "*" and names[1] != "*"):
        return None
    weight, dialect, seen = 1.0, None, set()
    for parameter in parameters:
        text = parameter.strip(" \t")
        if not text:
            continue
        if "=" not in text:
            return None
        name, value = text.split("=", 1)
        name = name.lower()
        if not is_token(name) or (name in ("q", "dialect") and name in seen):
            return None
        seen.add(name)
        plain = value if is_token(value) else None if name == "q" else unquoted(value)
        if plain is None:
            return None
        if name == "q":
            found = weight_of(plain)
            if found is None:
                return None
            weight = found
        elif name == "dialect":
            dialect = plain.lower()
    return names[0].lower(), names[1].lower(), dialect, weight


def reference_match(
    ranges: list[Range], media_type: str, dialect: str, by_name: bool
) -> tuple[float, int] | None:
    matches = []
    for main, sub, name, weight in ranges:
        if name != dialect and (by_name or name is not None):
            continue
        if media_type == "*/*":
            if (main, sub) != ("text", "event-stream"):
                matches.append((0, weight))
        elif f"{main}/{sub}" == media_type:
            matches.append((4 + (name is not None), weight))
        elif sub == "*" and main == media_type.split("/")[0]:
            matches.append((2 + (name is not None), weight))
        elif main == "*":
            matches.append((0 + (name is not None), weight))
    if not matches:
        return None
    specificity, weight = max(matches)
    return (weight, specificity) if weight else None


def reference(accept: str | None, offers: list[Offer]) -> tuple[str, str]:
    """The decision where the query says nothing: (representation, dialect)."""
    ranges = [found for found in map(reference_range, pieces(accept or "", ",")) if found is not None]
    own = offers[0]
    default = own.default if own.streams else "buffered"
    if not ranges:
        return default, own.dialect
    scores: dict[tuple[str, str], tuple[float, int]] = {}
    for offer in offers:
        for media_type in ("text/event-stream", *offer.media_types):
            match = reference_match(ranges, media_type, offer.dialect, offer is not own)
            if match is not None:
                stream = offer.streams and media_type == "text/event-stream"
                key = ("stream" if stream else "buffered", offer.dialect)
                scores[key] = max(match, scores.get(key, match))
    if not scores:
        return ("none" if own.streams else "buffered"), own.dialect
    top = max(scores.values())
    best = [key for key, score in scores.items() if score == top]
    winner = next(offer for offer in offers if any(offer.dialect == name for _, name in best))
    mine = [representation for representation, name in best if name == winner.dialect]
    return (mine[0] if len(mine) == 1 else winner.default), winner.dialect


# --- Lists that are nearly right: whole elements, and the pieces that elements are made of.

OFFERS = [
    Offer("husk", "buffered", media_types=("text/plain",), stream_flag=("stream", "1")),
    Offer("ash", "stream"),
    Offer("file", "buffered", media_types=("*/*",), streams=False),
    Offer("many", "buffered", media_types=("text/html", "application/json", "text/plain")),
]

TYPES = (
    *("text/event-stream", "Text/Event-Stream", "text/plain", "text/html", "text/*", "application/json"),
    *("image/png", "application/*", "*/*", "*", "*/plain", "text", "", "text/event-stream ", "text /plain"),
)
WEIGHTS = (
    *("", ";q=1", ";q=0", ";q=0.5", " ; Q=0.50", ";q=0.501", ";q=.5", ";q=1.000", ";q=1.1", ";q=0.5555"),
    *(";q=x", ";q=", ";q=1;q=0", ';q="1"', ";q=0.", ";q", ";;q=0.9;"),
)
PARAMETERS = (
    *(
        "",
        ";charset=utf-8",
        ';a="b,c"',
        r';a="\""',
        ';a="',
        ";dialect=ash",
        ';dialect="husk"',
        ";dialect=FILE",
    ),
    *(r';dialect="\m\any"', ";dialect=nobody", ";dialect=ash;dialect=husk", ";=", ";a b", ";\t", ';a="\x01"'),
)
NOISE = (*'",;=/*\\ \tq01.', "text/event-stream", "dialect", "\x00", "é", "\ud800")

elements = st.tuples(
    st.sampled_from(TYPES), st.sampled_from(PARAMETERS), st.sampled_from(WEIGHTS), st.sampled_from(PARAMETERS)
).map("".join)
noise = st.lists(st.sampled_from(NOISE), max_size=8).map("".join)
accept_headers = st.one_of(
    st.none(),
    st.lists(elements, max_size=5).map(", ".join),
    st.lists(st.one_of(elements, noise), max_size=5).map(",".join),
)
offer_lists = st.permutations(OFFERS).flatmap(
    lambda offers: st.integers(1, 4).map(lambda n: list(offers[:n]))
)


@given(accept_headers, offer_lists)
@example("text/event-stream;q=0.5, text/event-stream;q=0", [OFFERS[0]])
@example('text/event-stream;a=",*/*;q=0', [OFFERS[0]])
@example("*/*;dialect=ash;q=0.5, text/event-stream;dialect=husk;q=0.5", OFFERS)
@example("text/event-stream;q=0, text/plain;q=0", [OFFERS[2], OFFERS[0]])
def test_every_accept_is_decided_as_the_reference_decides(accept: str | None, offers: list[Offer]) -> None:
    decision = negotiate(Request(accept=accept), offers)
    assert (decision.representation, decision.dialect) == reference(accept, offers)


def is_closed(element: str) -> bool:
    # A quote that is never closed swallows what follows: such an element cannot be moved.
    return (element.count('"') - element.count('\\"')) % 2 == 0


@given(
    st.lists(elements.filter(is_closed), max_size=5).flatmap(
        lambda found: st.tuples(st.just(found), st.permutations(found))
    ),
    offer_lists,
)
def test_the_order_of_a_list_never_matters(lists: tuple[list[str], list[str]], offers: list[Offer]) -> None:
    one, other = (negotiate(Request(accept=",".join(found)), offers) for found in lists)
    assert one == other


@given(st.text(), st.text(), offer_lists)
def test_no_text_is_too_strange(accept: str, query: str, offers: list[Offer]) -> None:
    decision = negotiate(Request(query=query, accept=accept), offers)
    assert decision.representation in ("stream", "buffered", "none")
    assert decision.dialect in {offer.dialect for offer in offers}
    assert decision.reason.isprintable()


# --- A header of 64 KiB, or of 10 000 elements, costs as much as its length.

HOSTILE: dict[str, Callable[[int], str]] = {
    "commas": lambda n: "," * n,
    "quotes": lambda n: '"' * n,
    "elements": lambda n: "t/s;q=0.5," * (n // 10),
    "distinct-elements": lambda n: ",".join(f"t{i}/s" for i in range(n // 7)),
    "opened-quotes": lambda n: 'a/b;x="' * (n // 7),
    "backslashes": lambda n: 'a/b;x="' + "\\" * n,
    "escaped-quotes": lambda n: 'a/b;x="' + '\\"' * (n // 2),
    "semicolons": lambda n: "a/b" + ";" * n,
    "semicolons-and-a-quote": lambda n: 'a/b;x="y"' + ";" * n,
    "parameters": lambda n: "a/b" + ";a=b" * (n // 4),
    "quoted-parameters": lambda n: "a/b" + ';a="b"' * (n // 6),
    "slashes": lambda n: "/" * n,
    "one-token": lambda n: "a" * n,
    "spaces": lambda n: "a/b;" + " " * n + "q=1",
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE.keys())
def test_time_is_linear_in_the_length_of_accept(make: Callable[[int], str]) -> None:
    def measure(length: int) -> float:
        request = Request(accept=make(length))
        times = []
        for _ in range(5):
            start = time.process_time()
            negotiate(request, OFFERS)
            times.append(time.process_time() - start)
        return min(times)

    # Eight times the length: eight times the time if linear, 64 if quadratic. A thousandth of a second is noise.
    assert measure(64 * 1024) < 24 * measure(8 * 1024) + 0.01


def test_ten_thousand_elements_are_all_read() -> None:
    accept = ", ".join([*(f"image/x{i};q=0.9" for i in range(10_000)), "text/event-stream;q=0.1"])
    assert negotiate(Request(accept=accept), OFFERS[:1]).representation == "stream"


@pytest.mark.parametrize("make", [lambda n: "&" * n, lambda n: "%41" * (n // 3), lambda n: "a=%&" * (n // 4)])
def test_a_long_query_is_no_crash_and_ends_in_the_default(make: Callable[[int], str]) -> None:
    assert negotiate(Request(query=make(64 * 1024)), OFFERS).representation == "buffered"
    assert negotiate(Request(query=f"{make(64 * 1024)}&stream=1"), OFFERS).representation == "stream"
