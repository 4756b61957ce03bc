"""The conformance vectors: are they right, are they enough, and does our parser pass them in every feeding?"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import pytest

from sseware.testing import PrefixMismatch, PrefixOracle, check_prefixes, reference_parse
from sseware.testing.vectors import (
    ResponseVector,
    Vector,
    check_vector,
    feedings,
    load_response_vectors,
    load_vectors,
)
from sseware.wire import EventStreamParser, is_event_stream
from tests.testing.mutants import DecodedStrictly, DispatchAtEnd, IdOnlyWithData, LfOnly, PlainParser

VECTORS = load_vectors()
RESPONSES = load_response_vectors()
ALL: tuple[Vector | ResponseVector, ...] = (*VECTORS, *RESPONSES)

WPT_FORMAT_CASES = {
    "format-bom",
    "format-bom-2",
    "format-comments",
    "format-data-before-final-empty-line",
    "format-field-data",
    "format-field-event",
    "format-field-event-empty",
    "format-field-id",
    "format-field-id-2",
    "format-field-id-3",
    "format-field-id-null",
    "format-field-parsing",
    "format-field-retry",
    "format-field-retry-bogus",
    "format-field-retry-empty",
    "format-field-unknown",
    "format-leading-space",
    "format-mime-bogus",
    "format-mime-trailing-semicolon",
    "format-mime-valid-bogus",
    "format-newlines",
    "format-null-character",
    "format-utf-8",
}
"""The tests of Web Platform Tests, ``eventsource/``, whose names begin with ``format``."""


def of(vectors: Sequence[Vector | ResponseVector]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("vector", [pytest.param(vector, id=vector.id) for vector in vectors])


@of(VECTORS)
def test_our_parser_passes_whole_byte_by_byte_and_in_every_two_parts(vector: Vector) -> None:
    """P1."""
    assert check_vector(EventStreamParser, vector) == max(2, len(vector.wire) + 1)


@of(VECTORS)
def test_the_reference_agrees_with_the_hand(vector: Vector) -> None:
    oracle = PrefixOracle(vector.wire, last_event_id=vector.initial_last_event_id)
    whole = oracle.at(len(vector.wire))
    assert [(e.data, e.event, e.last_event_id) for e in whole.events] == [
        (e.data, e.event, e.last_event_id) for e in vector.events
    ]
    assert whole.last_event_id == vector.last_event_id
    assert whole.reconnection_time == vector.reconnection_time
    for length in range(len(vector.wire) + 1) if len(vector.wire) < 200 else around(vector.due):
        assert len(oracle.at(length).events) == sum(due <= length for due in vector.due)


def around(due: tuple[int, ...]) -> list[int]:
    return sorted({length for at in due for length in (at - 1, at)})


@of(RESPONSES)
def test_our_client_opens_what_the_standard_opens(vector: ResponseVector) -> None:
    assert is_event_stream(vector.status, vector.content_type) is vector.opens


def test_there_are_enough_of_them_and_each_has_a_name_of_its_own() -> None:
    assert len(VECTORS) >= 200
    assert len({(vector.wire, vector.initial_last_event_id) for vector in VECTORS}) == len(VECTORS)
    for group, members in groupby(ALL, key=lambda vector: vector.id.rpartition("/")[0]):
        numbers = [vector.id.removeprefix(f"{group}/") for vector in members]
        assert numbers == [str(number) for number in range(1, len(numbers) + 1)]


def test_each_says_what_it_shows_and_where_that_stands() -> None:
    for vector in ALL:
        assert vector.rule.endswith(".")
        assert vector.section.startswith(("HTML 9.2.", "Encoding ", "Fetch ", "MIME Sniffing "))


def test_every_format_case_of_wpt_has_a_vector() -> None:
    assert {case for vector in ALL for case in vector.wpt} == WPT_FORMAT_CASES


def test_they_can_be_had_by_group() -> None:
    assert {vector.id.split("/")[2] for vector in load_vectors("sse/parse/bom/")} == {"bom"}
    assert {vector.status for vector in load_response_vectors("sse/response/type/")} == {200}
    assert load_vectors("nothing/") == ()


def test_a_stream_is_fed_whole_byte_by_byte_and_in_every_two_parts() -> None:
    assert list(feedings(b"abc")) == [(b"abc",), (b"a", b"b", b"c"), (b"a", b"bc"), (b"ab", b"c")]
    assert list(feedings(b"")) == [(b"",), ()]


@pytest.mark.parametrize(
    ("wrong", "name", "what"),
    [
        pytest.param(LfOnly, "eol/3", "events", id="a-missing-event"),
        pytest.param(DecodedStrictly, "utf8/4", "an error", id="an-error"),
        pytest.param(DispatchAtEnd, "eof/2", "events after close", id="an-event-too-many"),
        pytest.param(IdOnlyWithData, "id/7", "last_event_id or reconnection_time", id="a-lost-id"),
    ],
)
def test_a_wrong_parser_is_told_what_is_wrong(wrong: type[PlainParser], name: str, what: str) -> None:
    with pytest.raises(PrefixMismatch) as caught:
        check_vector(wrong, load_vectors(f"sse/parse/{name}")[0])
    assert caught.value.what == what


def test_the_reference_and_our_parser_agree_with_the_vectors_beside_this_checkout(shared: Path) -> None:
    rows = json.loads((shared / "vectors" / "parsing.json").read_text(encoding="utf-8"))
    assert len(rows) > 300
    for row in rows:
        wire = base64.b64decode(row["input_b64"])
        before = row.get("initial_last_event_id", "")
        result = reference_parse(wire, last_event_id=before)
        assert [(e.event, e.data, e.last_event_id) for e in result.events] == [
            (e["type"], e["data"], e["id"]) for e in row["events"]
        ], row["name"]
        assert result.last_event_id == row["last_event_id"], row["name"]
        assert result.reconnection_time == row["reconnection_time"], row["name"]
        # Prefixes are quadratic: the few long streams are compared at their ends alone.
        cuts = wire if len(wire) < 250 else b""
        for chunks in ([wire], [bytes((byte,)) for byte in cuts] or [wire[:1], wire[1:]]):
            check_prefixes(EventStreamParser, chunks, last_event_id=before)


def test_each_event_of_the_vectors_beside_this_checkout_is_out_when_it_is_due(shared: Path) -> None:
    rows = json.loads((shared / "vectors" / "parsing.json").read_text(encoding="utf-8"))
    timed = [row for row in rows if "emit_at" in row]
    assert timed
    for row in timed:
        wire = base64.b64decode(row["input_b64"])
        parser = EventStreamParser(last_event_id=row.get("initial_last_event_id", ""))
        out = [at for at in range(len(wire)) for _ in parser.feed(wire[at : at + 1])]
        assert [at + 1 for at in out] == row["emit_at"], row["name"]


def test_our_client_opens_what_the_responses_beside_this_checkout_open(shared: Path) -> None:
    rows = json.loads((shared / "vectors" / "http.json").read_text(encoding="utf-8"))["responses"]
    assert rows
    for row in rows:
        assert is_event_stream(row["status"], row["content_type"]) is (row["outcome"] == "open"), row
