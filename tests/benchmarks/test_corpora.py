"""What is timed is what it says it is: every corpus is parsed here first, by the reference, too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from benchmarks.corpora import CHUNKINGS, GROWTHS, PAYLOADS, SHAPES, TEXTS, chunked
from benchmarks.encode_peers import BARE as BARE_ENCODER
from benchmarks.encode_peers import OURS as OUR_ENCODER
from benchmarks.encode_peers import json_encoders, text_encoders
from benchmarks.parse_peers import OURS, parsers
from sseware.testing import reference_parse
from sseware.wire import EventStreamParser

shapes = pytest.mark.parametrize("shape", SHAPES.values(), ids=lambda shape: shape.name)


def seen(events: Iterable[Any]) -> list[tuple[str, str, str]]:
    return [(event.event, event.data, event.last_event_id) for event in events]


@shapes
def test_a_shape_has_the_events_that_the_standard_finds_in_it_however_it_is_cut(shape: Any) -> None:
    stream = b"".join(shape.blocks)
    expected = seen(reference_parse(stream[: 2 * 10**5]).events)
    parse = parsers()[OURS]
    for size in CHUNKINGS.values():
        events = parse(chunked(shape.blocks, size))
        assert len(events) == shape.events
        assert seen(events)[: len(expected)] == expected


@shapes
def test_each_block_of_a_shape_is_complete(shape: Any) -> None:
    for block in shape.blocks:
        assert block.endswith((b"\n\n", b"\r\n\r\n"))


def test_shapes_look_as_their_names_say() -> None:
    assert all(b"".join(shape.blocks).isascii() for name, shape in SHAPES.items() if name == "small deltas")
    assert not b"".join(SHAPES["deltas, not ASCII"].blocks).isascii()
    assert all(block.count(b"data: ") == 20 for block in SHAPES["20 data lines"].blocks)
    assert all(len(block) == 10**6 + 8 for block in SHAPES["1 MB lines"].blocks)
    assert b"\r\n" in SHAPES["with CRLF"].blocks[0]
    assert any(block.startswith(b":") for block in SHAPES["with comments"].blocks)
    assert 40 < len(SHAPES["small deltas"].blocks[0]) < 60
    assert SHAPES["OpenAI-like"].blocks[-1] == b"data: [DONE]\n\n"


@pytest.mark.parametrize(
    ("name", "events"),
    [("one line in 1 KiB pieces", 1), ("short lines", 1), ("empty data lines", 0), ("comments", 0)],
)
def test_a_growing_stream_is_as_long_as_it_is_asked_to_be(name: str, events: int) -> None:
    size = 200_000
    chunks = GROWTHS[name](size)
    assert size * 0.8 <= sum(map(len, chunks)) <= size + 10 or name == "empty data lines"
    parser = EventStreamParser()
    assert sum(len(parser.feed(chunk)) for chunk in chunks) == events


def test_empty_data_lines_grow_in_events_of_250_kilobytes() -> None:
    assert sum(map(len, GROWTHS["empty data lines"](10**6))) == 3 * 250_001


@pytest.mark.parametrize("corpus", TEXTS)
def test_what_we_write_is_what_is_read(corpus: str) -> None:
    texts = TEXTS[corpus]
    chunks = text_encoders().found[OUR_ENCODER](texts)
    assert [event.data for chunk in chunks for event in EventStreamParser().feed(chunk)] == texts
    if corpus != "20 lines":
        assert chunks == text_encoders().found[BARE_ENCODER](texts)


@pytest.mark.parametrize("corpus", PAYLOADS)
def test_a_dict_is_written_as_one_line_of_json(corpus: str) -> None:
    values = PAYLOADS[corpus]
    for name in (OUR_ENCODER, "sseware, an event each", "sseware, JSON by msgspec"):
        chunks = json_encoders().found[name](values)
        assert [event.json() for chunk in chunks for event in EventStreamParser().feed(chunk)] == values
