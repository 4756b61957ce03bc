"""Which answers can be adapted: by status, media type, charset, and by what stands beside them."""

from __future__ import annotations

from typing import Any

import pytest

from sseware import SSEMiddleware
from sseware.asgi import Settings
from sseware.asgi._adapt import Adapter
from sseware.asgi._adapt_bodies import EventsBody, LinesBody, TextBody
from sseware.dialects import get_dialect
from sseware.errors import ConfigurationError, UnknownDialect

EVENTS = "text/event-stream"


def start(content_type: str | None, *headers: tuple[bytes, bytes], status: int = 200, **more: Any) -> Any:
    fields = [] if content_type is None else [(b"content-type", content_type.encode("latin-1"))]
    return {
        "type": "http.response.start",
        "status": status,
        "headers": [(b"x-a", b"1"), *fields, *headers],
        **more,
    }


def type_of(adapt: Any, message: Any) -> str | None:
    way = Adapter(adapt, Settings()).way_for(message)
    return None if way is None else way.media_type


@pytest.mark.parametrize(
    ("content_type", "want"),
    [
        ("text/plain", "text/plain"),
        ("text/plain; charset=utf-8", "text/plain"),
        ('Text/Plain;format=flowed; Charset="UTF-8"', "text/plain"),
        ("text/plain;charset=us-ascii", "text/plain"),
        ("application/x-ndjson", "application/x-ndjson"),
        ("application/jsonl; charset=utf-8", "application/jsonl"),
        ("text/plain; charset=latin-1", None),
        ("application/json", None),
        (EVENTS, None),
        ("text/html", None),
        ("nonsense", None),
        ("", None),
        (None, None),
    ],
)
def test_a_type_is_one_that_can_be_read_in_utf_8(content_type: str | None, want: str | None) -> None:
    adapter = Adapter(True, Settings())
    for _ in range(2):
        way = adapter.way_for(start(content_type))
        assert (way and way.media_type) == want


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(start("text/plain", (b"Content-Encoding", b"gzip")), id="compressed"),
        pytest.param(start("text/plain", (b"etag", b'"1"')), id="known-by-a-tag"),
        pytest.param(start("text/plain", (b"transfer-encoding", b"chunked")), id="framed-by-itself"),
        pytest.param(start("text/plain", trailers=True), id="trailers-follow"),
        pytest.param({"type": "http.response.start", "status": 200}, id="no-headers"),
    ],
)
def test_what_means_its_very_bytes_passes(message: Any) -> None:
    """H6."""
    assert type_of(True, message) is None


def test_a_mapping_adds_to_what_is_adapted_and_takes_from_it() -> None:
    adapt = {EVENTS: "machpay", "text/plain": False, "application/jsonl": True}
    assert type_of(adapt, start("text/plain")) is None
    assert type_of(adapt, start("application/jsonl")) == "application/jsonl"
    assert type_of(adapt, start("application/x-ndjson")) == "application/x-ndjson"
    assert type_of(adapt, start(EVENTS)) == EVENTS
    assert type_of({EVENTS: False}, start(EVENTS)) is None


def test_each_body_has_a_reader_of_its_own() -> None:
    adapter = Adapter({EVENTS: get_dialect("machpay")}, Settings())
    for content_type, kind in (
        ("text/plain", TextBody),
        ("application/x-ndjson", LinesBody),
        ("application/jsonl", LinesBody),
        (EVENTS, EventsBody),
    ):
        way = adapter.way_for(start(content_type))
        assert way is not None
        one, other = way.open(), way.open()
        assert type(one) is kind
        assert one is not other


def test_content_types_are_remembered_up_to_a_limit() -> None:
    adapter = Adapter(True, Settings())
    for number in range(1000):
        assert adapter.way_for(start(f"text/plain; n={number}")) is not None
    assert len(adapter._known) < 500


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Is never called."""


def handler() -> Any:
    yield "a"


@pytest.mark.parametrize(
    ("adapt", "error", "why"),
    [
        pytest.param(
            {"image/png": True}, ConfigurationError, "cannot take 'image/png'; it can", id="unknown"
        ),
        pytest.param({"application/json": True}, ConfigurationError, "cannot take", id="json-is-no-stream"),
        pytest.param({b"text/plain": True}, ConfigurationError, "cannot take b'text/plain'", id="no-str"),
        pytest.param({"text/plain": "ash"}, ConfigurationError, "must be True or False", id="text-as-ash"),
        pytest.param({EVENTS: True}, ConfigurationError, "must name the dialect", id="events-of-whom"),
        pytest.param({EVENTS: "nobody"}, UnknownDialect, "unknown dialect 'nobody'", id="events-of-nobody"),
        pytest.param({EVENTS: None}, ConfigurationError, "None", id="events-of-none"),
        pytest.param("text/plain", ConfigurationError, "adapt must be a bool, or a mapping", id="a-str"),
        pytest.param(None, ConfigurationError, "adapt must be a bool", id="none"),
        pytest.param(1, ConfigurationError, "adapt must be a bool", id="a-number"),
    ],
)
def test_what_cannot_be_adapted_is_refused_at_once(adapt: Any, error: type[Exception], why: str) -> None:
    with pytest.raises(error, match=why):
        SSEMiddleware(app, adapt=adapt)


def test_a_handler_has_nothing_to_be_adapted() -> None:
    with pytest.raises(ConfigurationError, match="is a handler"):
        SSEMiddleware(handler, adapt=True)
    SSEMiddleware(handler, adapt=False)
