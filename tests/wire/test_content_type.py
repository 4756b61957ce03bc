"""Which responses are event streams."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from sseware.errors import NotAnEventStream
from sseware.wire import check_event_stream, content_type_essence, is_event_stream


@pytest.mark.parametrize(
    "content_type",
    [
        pytest.param("text/event-stream", id="the-type-alone"),
        pytest.param("text/event-stream;", id="a-trailing-semicolon"),
        pytest.param("text/event-stream;charset=windows-1252", id="a-charset-is-not-obeyed"),
        pytest.param("TEXT/Event-Stream", id="case-does-not-matter"),
        pytest.param(" \ttext/event-stream \t; charset=utf-8", id="whitespace-around-it"),
        pytest.param("application/json, text/event-stream; charset=utf-8", id="the-last-value-counts"),
        pytest.param("text/event-stream, */*", id="any-type-is-passed-over"),
        pytest.param("text/event-stream, nonsense", id="an-invalid-value-is-passed-over"),
        pytest.param("text/event-stream;x=; =;;", id="broken-parameters-do-not-matter"),
        pytest.param('text/html;x="a, b", text/event-stream', id="a-comma-in-quotes-divides-nothing"),
        pytest.param(r'text/html;x="\", b", text/event-stream', id="an-escaped-quote-ends-no-quotes"),
    ],
)
def test_opens(content_type: str) -> None:
    assert is_event_stream(200, content_type)
    check_event_stream(200, content_type)


@pytest.mark.parametrize(
    ("status", "content_type"),
    [
        pytest.param(200, None, id="no-content-type"),
        pytest.param(200, "", id="an-empty-content-type"),
        pytest.param(200, "application/json", id="another-type"),
        pytest.param(200, "text/event-streams", id="a-longer-name"),
        pytest.param(200, "x-text/event-stream-ish", id="it-is-inside-of-another-name"),
        pytest.param(200, "text/event-stream bogus", id="something-after-the-name"),
        pytest.param(200, "text /event-stream", id="a-space-in-the-name"),
        pytest.param(200, "text/event-stream, application/json", id="the-last-value-is-another-type"),
        pytest.param(200, 'text/html;x=", text/event-stream', id="in-quotes-without-an-end"),
        pytest.param(204, "text/event-stream", id="204-stop-reconnecting"),
        pytest.param(206, "text/event-stream", id="206-is-not-200"),
        pytest.param(301, "text/event-stream", id="a-redirect-is-not-200"),
        pytest.param(503, "text/event-stream", id="503-is-not-200"),
    ],
)
def test_does_not_open(status: int, content_type: str | None) -> None:
    """P14."""
    assert not is_event_stream(status, content_type)
    with pytest.raises(NotAnEventStream) as caught:
        check_event_stream(status, content_type)
    assert (caught.value.status, caught.value.content_type) == (status, content_type)
    assert str(status) in str(caught.value)


def test_the_essence_is_in_lower_case_and_without_parameters() -> None:
    assert content_type_essence("Text/HTML; Charset=UTF-8") == "text/html"
    assert content_type_essence("nonsense") is None


@pytest.mark.parametrize("unit", [",", '"', '"\\', "a/", "a/b;", " "])
def test_a_long_header_is_read_in_linear_time(unit: str) -> None:
    started = time.process_time()
    content_type_essence(unit * (200_000 // len(unit)))
    assert time.process_time() - started < 5


def test_classifies_the_given_responses(shared: Path) -> None:
    responses = json.loads((shared / "vectors" / "http.json").read_text(encoding="utf-8"))["responses"]
    assert len(responses) > 20
    wrong = [
        r for r in responses if is_event_stream(r["status"], r["content_type"]) != (r["outcome"] == "open")
    ]
    assert not wrong
