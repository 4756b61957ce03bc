"""What HUSK is called, what it offers, and what it refuses to be made of."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sseware.dialects import Dialect, get_dialect, offer_of, omits_of, stream_headers_of
from sseware.errors import ConfigurationError
from sseware.items import Start, Step, Thinking, ToolCall, ToolResult, Usage
from sseware.negotiation import Offer, Request, negotiate
from sseware.plugins.husk import Husk, sseware_dialects


def test_it_is_found_by_its_name() -> None:
    assert get_dialect("husk") == Husk()
    assert list(sseware_dialects()) == [Husk()]
    assert isinstance(Husk(), Dialect)


@pytest.mark.parametrize(
    ("output", "media_type", "streams"),
    [("text", "text/plain", True), ("json", "application/json", True), ("file", "*/*", False)],
)
def test_what_it_offers_depends_on_the_output(output: Any, media_type: str, streams: bool) -> None:
    flag = ("stream", "1")
    assert offer_of(Husk(output)) == Offer("husk", "buffered", (media_type,), flag, streams)


def test_its_streams_have_a_cache_control_of_their_own() -> None:
    assert stream_headers_of(Husk()) == (("cache-control", "no-cache, no-transform"),)


def test_it_leaves_out_what_a_kernel_does_not_have() -> None:
    assert omits_of(Husk()) == {Start, Thinking, ToolCall, ToolResult, Step, Usage}


@pytest.mark.parametrize(
    ("output", "query", "accept", "expected"),
    [
        pytest.param("text", "", "*/*", "buffered", id="curl"),
        pytest.param("text", "", None, "buffered", id="no-accept"),
        pytest.param("text", "stream=1", "*/*", "stream", id="the-flag"),
        pytest.param("text", "stream=1", "text/plain", "stream", id="the-flag-over-accept"),
        pytest.param("text", "stream=true", "*/*", "buffered", id="true-is-not-1"),
        pytest.param("text", "", "text/event-stream", "stream", id="an-event-source"),
        pytest.param("text", "", "text/html, text/event-stream;q=0.1", "stream", id="html-is-not-on-offer"),
        pytest.param("text", "", "text/event-stream;q=0, */*", "buffered", id="an-excluded-stream"),
        pytest.param("text", "", "application/json", "none", id="json-of-a-text"),
        pytest.param("json", "", "application/json", "buffered", id="json"),
        pytest.param("json", "stream=1", None, "stream", id="the-flag-of-json"),
        pytest.param("file", "stream=1", "text/event-stream", "buffered", id="a-file-is-never-streamed"),
        pytest.param("file", "", "image/png", "buffered", id="a-file-may-be-anything"),
        pytest.param("file", "", "image/png;q=0", "buffered", id="a-file-is-never-refused"),
    ],
)
def test_who_gets_a_stream(output: Any, query: str, accept: str | None, expected: str) -> None:
    decision = negotiate(Request("POST", "/skills/x", query, accept), [offer_of(Husk(output))])
    assert decision.representation == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"output": "html"}, "output must be one of 'text', 'json', 'file', got 'html'"),
        ({"output": None}, "output must be one of .* got None"),
        ({"output": ["text"]}, r"output must be one of .* got \['text'\]"),
        ({"strict": 1}, "strict must be True or False, got 1"),
        ({"default": "file"}, "default must be 'stream' or 'buffered', got 'file'"),
    ],
)
def test_wrong_options_are_refused_when_they_are_given(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Husk(**options)


def test_its_schema_names_its_events_and_the_payload_of_done() -> None:
    schema = msgspec.to_builtins(Husk().schema())
    shapes = {shape["properties"]["event"]["const"]: shape["properties"]["data"] for shape in schema["anyOf"]}
    assert shapes.keys() == {"stdout", "stderr", "done", "error"}
    assert [name for name, data in shapes.items() if "contentSchema" in data] == ["done"]
    done = schema["$defs"]["Done"]
    assert done["required"] == ["ok", "exitCode"]
    assert done["properties"]["ok"] == {"type": "boolean"}
