"""The header fields of an answer: ours, the dialect's, the user's."""

from __future__ import annotations

import pytest

from sseware._types import RawHeaders
from sseware.asgi._headers import add_vary, buffered_head, has_body, stream_head


def fields(raw: RawHeaders) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in raw]


def test_a_stream_says_what_it_is_and_that_nobody_may_hold_it_back() -> None:
    """H3, H4."""
    assert fields(stream_head("1.1", (), ())) == [
        ("content-type", "text/event-stream; charset=utf-8"),
        ("cache-control", "no-store, no-transform"),
        ("x-content-type-options", "nosniff"),
        ("x-accel-buffering", "no"),
        ("vary", "Accept"),
    ]


@pytest.mark.parametrize(
    ("dialect", "options", "want"),
    [
        pytest.param([("cache-control", "no-cache")], [], "no-cache", id="the-dialect-replaces-ours"),
        pytest.param([], [("cache-control", "private")], "private", id="the-user-replaces-ours"),
        pytest.param(
            [("cache-control", "no-cache")],
            [("cache-control", "private")],
            "private",
            id="the-user-has-the-last-word",
        ),
        pytest.param([("Cache-Control", "no-cache")], [], "no-cache", id="a-name-has-no-case"),
    ],
)
def test_a_field_is_replaced_by_whoever_knows_better(
    dialect: list[tuple[str, str]], options: list[tuple[str, str]], want: str
) -> None:
    """H3."""
    found = [value for name, value in fields(stream_head("1.1", dialect, options)) if name == "cache-control"]
    assert found == [want]


def test_a_field_that_is_given_twice_stays_twice() -> None:
    cookies = [("set-cookie", "a=1"), ("set-cookie", "b=2")]
    assert [field for field in fields(stream_head("1.1", (), cookies)) if field in cookies] == cookies


@pytest.mark.parametrize(
    ("http_version", "kept"),
    [("1.0", False), ("1.1", True), ("2", False), ("3", False)],
)
def test_a_connection_field_is_kept_on_http_1_1_only(http_version: str, kept: bool) -> None:
    husk = [("connection", "keep-alive"), ("keep-alive", "timeout=5")]
    for raw in (stream_head(http_version, husk, ()), buffered_head(http_version, husk, (), 3)):
        assert (("connection", "keep-alive") in fields(raw)) is kept
        assert (("keep-alive", "timeout=5") in fields(raw)) is kept


@pytest.mark.parametrize("name", ["content-length", "transfer-encoding", "Content-Length"])
def test_how_a_stream_is_framed_is_for_the_server_to_say(name: str) -> None:
    """H5."""
    names = [found for found, _ in fields(stream_head("1.1", [(name, "7")], [(name, "7")]))]
    assert name.lower() not in names


def test_a_buffered_answer_has_its_own_length_whatever_anybody_says() -> None:
    """H5."""
    raw = buffered_head("1.1", [("content-length", "99")], [("content-length", "98")], 3)
    assert [value for name, value in fields(raw) if name == "content-length"] == ["3"]


def test_a_body_that_is_not_known_has_no_length() -> None:
    assert "content-length" not in dict(fields(buffered_head("1.1", (), (), None)))


def test_what_a_buffered_body_is_the_answer_says_and_not_the_user() -> None:
    raw = buffered_head("1.1", [("content-type", "text/plain")], [("content-type", "x/y"), ("x-a", "1")], 0)
    assert dict(fields(raw))["content-type"] == "text/plain"
    assert dict(fields(raw))["x-a"] == "1"


@pytest.mark.parametrize(
    ("existing", "want"),
    [
        pytest.param([], "Accept", id="none"),
        pytest.param(["Accept-Encoding"], "Accept-Encoding, Accept", id="merged"),
        pytest.param(["Origin", "Cookie"], "Origin, Cookie, Accept", id="two-fields-become-one"),
        pytest.param(["accept"], "accept", id="once"),
        pytest.param(["*"], "*", id="a-star-says-it-all"),
    ],
)
def test_every_answer_varies_by_accept(existing: list[str], want: str) -> None:
    """H2."""
    given = [("Vary", value) for value in existing]
    for raw in (stream_head("1.1", (), given), buffered_head("1.1", (), given, 1)):
        assert [value for name, value in fields(raw) if name == "vary"] == [want]
    raw = add_vary([(b"Vary", value.encode()) for value in existing])
    assert fields(raw) == [("vary", want)]


@pytest.mark.parametrize(
    ("status", "want"), [(199, False), (200, True), (204, False), (205, False), (304, False), (500, True)]
)
def test_some_statuses_have_no_body(status: int, want: bool) -> None:
    """H10."""
    assert has_body(status) is want
