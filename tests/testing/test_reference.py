"""`reference_parse`, sentence by sentence; the conformance vectors hold it in `test_conformance_vectors.py`."""

from __future__ import annotations

import msgspec
import pytest

from sseware.events import MAX_RETRY
from sseware.testing import ReferenceEvent, ReferenceResult, reference_parse


def event(data: str, type: str = "message", last: str = "", **own: str | int | None) -> ReferenceEvent:
    return msgspec.structs.replace(ReferenceEvent(data, type, last), **own)


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        pytest.param(b"", (), id="nothing-is-a-stream"),
        pytest.param(b"data: a\n\n", (event("a"),), id="lf-ends-lines"),
        pytest.param(b"data: a\r\n\r\n", (event("a"),), id="crlf-ends-lines-once"),
        pytest.param(b"data: a\r\r", (event("a"),), id="cr-ends-lines-at-the-end-too"),
        pytest.param(b"data: \x0b\xc2\x85\xe2\x80\xa8\n\n", (event("\x0b\x85\u2028"),), id="nothing-else-does"),
        pytest.param(b"data:  a\n\n", (event(" a"),), id="one-space-is-removed"),
        pytest.param(b"data\n\n", (event(""),), id="a-name-alone-has-an-empty-value"),
        pytest.param(b"data: a\ndata\n\n", (event("a\n"),), id="one-lf-is-dropped-from-the-end"),
        pytest.param(b":data: a\n\n", (), id="a-colon-begins-a-comment"),
        pytest.param(b"Data: a\nfoo: b\n\n", (), id="other-names-are-ignored"),
        pytest.param(b"event: x\n\ndata: a\n\n", (event("a"),), id="a-block-without-data-resets-the-type"),
        pytest.param(b"event: x\ndata: a\n\ndata: b\n\n", (event("a", "x"), event("b")), id="an-event-does-too"),
        pytest.param(b"data: a\n", (), id="the-end-dispatches-nothing"),
    ],
)  # fmt: skip
def test_dispatches(stream: bytes, events: tuple[ReferenceEvent, ...]) -> None:
    assert reference_parse(stream) == ReferenceResult(events)


@pytest.mark.parametrize(
    ("stream", "last_event_id"),
    [
        pytest.param(b"", "before", id="nothing-keeps-what-was-before"),
        pytest.param(b"id: 7\n", "before", id="an-id-waits-for-a-blank-line"),
        pytest.param(b"id: 7\n\n", "7", id="a-blank-line-commits-without-data"),
        pytest.param(b"id: 7\nid: 8\n\n", "8", id="the-last-one-counts"),
        pytest.param(b"id\n\n", "", id="an-empty-id-resets"),
        pytest.param(b"id: 7\0\n\n", "before", id="nul-is-ignored"),
    ],
)
def test_the_last_event_id_string(stream: bytes, last_event_id: str) -> None:
    assert reference_parse(stream, last_event_id="before").last_event_id == last_event_id


def test_an_event_has_the_last_event_id_string_of_its_dispatch() -> None:
    events = reference_parse(b"data: a\n\nid: 7\ndata: b\n\ndata: c\n\n", last_event_id="6").events
    assert events == (event("a", last="6"), event("b", last="7", id="7"), event("c", last="7"))


@pytest.mark.parametrize(
    ("value", "milliseconds"),
    [
        pytest.param("1500", 1500, id="digits"),
        pytest.param("007", 7, id="zeros-first"),
        pytest.param("", None, id="an-empty-value-is-ignored"),
        pytest.param("-1", None, id="a-sign-is-no-digit"),
        pytest.param("٣", None, id="digits-are-ascii"),
        pytest.param("1" + "0" * 400, MAX_RETRY, id="it-saturates"),
        pytest.param(str(MAX_RETRY), MAX_RETRY, id="the-largest"),
    ],
)
def test_the_reconnection_time(value: str, milliseconds: int | None) -> None:
    assert reference_parse(f"retry: {value}\n".encode()).reconnection_time == milliseconds


def test_an_event_tells_which_id_and_retry_its_own_block_set() -> None:
    stream = b"id: 1\nretry: 5\ndata: a\n\nid: 2\nretry: 6\n\ndata: b\n\nid: \0\nretry: x\ndata: c\n\n"
    first, second, third = reference_parse(stream).events
    assert (first.id, first.retry) == ("1", 5)
    assert (second.id, second.retry, second.last_event_id) == (None, None, "2")
    assert (third.id, third.retry) == (None, None)


def test_a_prefix_is_interpreted_for_itself() -> None:
    stream = b"data: a\r\n\r\ndata: b\r\n\r\n"
    counts = [len(reference_parse(stream[:length]).events) for length in range(len(stream) + 1)]
    assert counts == [0] * 10 + [1] * 11 + [2] * 2


def test_a_result_is_frozen_and_can_be_pasted() -> None:
    result = reference_parse(b"id: 1\ndata: a\n\n")
    assert hash(result) == hash(eval(repr(result)))
    with pytest.raises(AttributeError):
        result.last_event_id = "x"  # type: ignore[misc]  # that it is refused is the point
