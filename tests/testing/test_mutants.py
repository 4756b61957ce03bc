"""The tests are tested: each wrong parser of `mutants.py` is found by everything that is to find it."""

from __future__ import annotations

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from sseware.testing import PrefixMismatch, check_prefixes
from sseware.testing.strategies import chunkings, wire_streams
from sseware.testing.vectors import check_vector, load_vectors
from tests.fuzz.hunt import STANDARD, hunt
from tests.testing.mutants import PLANTED, PlainParser

NAMED_BY_THE_ISSUE = (
    "LF-only split",
    "CR held back",
    "phantom event",
    "BOM kept",
    "BOM twice",
    "int() retry",
    "NUL id",
    "type carried over",
    "uncommitted id shown",
    "dispatch at the end",
    "splitlines",
)
FOUND_BY = {
    "LF-only split": "eol",
    "CR held back": "eol",
    "phantom event": "dispatch",
    "BOM kept": "bom",
    "BOM twice": "bom",
    "int() retry": "retry",
    "NUL id": "id",
    "type carried over": "event",
    "uncommitted id shown": "eof",
    "dispatch at the end": "eof",
    "splitlines": "lookalike",
    "LF after CR counts": "eol",
    "decoded by chunk": "utf8",
    "decoded strictly": "utf8",
    "BOM by line": "bom",
    "value stripped": "field",
    "all spaces dropped": "field",
    "names without case": "field",
    "str.isdigit retry": "retry",
    "retry at dispatch": "retry",
    "id only with data": "id",
    "id not sticky": "id",
    "empty data skipped": "data",
    "ends stripped": "data",
}
CHUNKS = wire_streams().flatmap(chunkings)


@settings(max_examples=100)
@given(CHUNKS, st.sampled_from(("", "before")))
def test_the_plain_parser_is_right(chunks: list[bytes], before: str) -> None:
    check_prefixes(PlainParser, chunks, last_event_id=before)


def test_the_plain_parser_passes_the_vectors_and_the_hunt() -> None:
    for vector in load_vectors():
        check_vector(PlainParser, vector)
    assert hunt(7, 400, make_parser=PlainParser, compare=STANDARD).found == ""


@pytest.mark.parametrize("name", NAMED_BY_THE_ISSUE)
def test_the_strategies_find(name: str) -> None:
    # The rarest is found by one example in a hundred.
    @settings(max_examples=4_000, derandomize=True, database=None, phases=[Phase.generate])
    @given(CHUNKS)
    def check(chunks: list[bytes]) -> None:
        check_prefixes(PLANTED[name], chunks)

    with pytest.raises(PrefixMismatch):
        check()


@pytest.mark.parametrize("name", PLANTED)
def test_the_hunt_finds(name: str) -> None:
    tally = hunt(20, 2_000, make_parser=PLANTED[name], compare=STANDARD)
    assert "the parser and the standard differ" in tally.found


@pytest.mark.parametrize(("name", "group"), FOUND_BY.items())
def test_a_vector_finds(name: str, group: str) -> None:
    with pytest.raises(PrefixMismatch):
        for vector in load_vectors(f"sse/parse/{group}/"):
            check_vector(PLANTED[name], vector)


def test_each_wrong_parser_has_a_group_of_vectors_that_finds_it() -> None:
    # An empty chunk is in no feeding of a vector.
    assert set(PLANTED) - set(FOUND_BY) == {"empty chunk ends"}
