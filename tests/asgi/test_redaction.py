"""What may be logged of a request: one line, and no secrets."""

from __future__ import annotations

import logging
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sseware.asgi import RedactingFilter, redact


@pytest.mark.parametrize(
    ("text", "logged"),
    [
        pytest.param("/a?token=s3cret", "/a?token=[redacted]", id="a-token"),
        pytest.param("/a?x=1&api_key=s&y=2", "/a?x=1&api_key=[redacted]&y=2", id="among-others"),
        pytest.param("/a?x=1;jwt=s", "/a?x=1;jwt=[redacted]", id="after-a-semicolon"),
        pytest.param("/a?%74oken=s", "/a?%74oken=[redacted]", id="a-name-that-is-encoded"),
        pytest.param("/a?Access-Token=s", "/a?Access-Token=[redacted]", id="a-name-in-another-spelling"),
        pytest.param("https://a/?sig=s#top", "https://a/?sig=[redacted]#top", id="a-fragment-stays"),
        pytest.param("/?token=a;b'c,d=e/f", "/?token=[redacted]", id="all-that-may-belong-to-it"),
        pytest.param("/?a=1;b=2&token=s", "/?a=1;b=2&token=[redacted]", id="after-another"),
        pytest.param('"GET /?key=s HTTP/1.1" 200', '"GET /?key=[redacted] HTTP/1.1" 200', id="in-a-line"),
        pytest.param("/?token=", "/?token=[redacted]", id="an-empty-one"),
        pytest.param("/a?topic=x&tokens=5", "/a?topic=x&tokens=5", id="what-is-no-secret-stays"),
        pytest.param("token=s", "token=s", id="what-is-no-query-stays"),
        pytest.param("/a\r\nINFO forged", r"/a\x0d\x0aINFO forged", id="a-line-end"),
        pytest.param("a\x1b[2Jb\x85\u2028c", r"a\x1b[2Jb\x85\u2028c", id="other-controls"),
    ],
)
def test_a_text_is_logged_without_secrets_and_on_one_line(text: str, logged: str) -> None:
    """A1, A7."""
    assert redact(text) == logged


SEPARATORS = st.text(alphabet="?&;=#/ab \n\"'%+\x85\u2028", max_size=12)


@given(
    before=SEPARATORS,
    name=st.sampled_from(["token", "TOKEN", "%74oken", "access-token", "key", "Session_Id"]),
    value=st.text(alphabet="S3CRET!$'()*,;:@/?=%-._~", min_size=1, max_size=12),
    after=SEPARATORS,
)
def test_no_secret_and_no_control_is_left_wherever_they_stand(
    before: str, name: str, value: str, after: str
) -> None:
    """A1, A7."""
    marked = f"S{value}T"
    assert marked not in redact(f"{before}&{name}={marked}&{after}")
    assert redact(f"{before}?{name}={marked} {after}").isprintable()


def test_which_parameters_are_secret_may_be_said() -> None:
    assert redact("/?pin=1&token=2", {"pin"}) == "/?pin=[redacted]&token=2"


def test_a_hostile_query_costs_time_in_proportion() -> None:
    """A8."""
    hostile = [
        "?" + "a" * 200_000,
        "&" * 200_000,
        "?" + "a&" * 100_000,
        "?a=" * 60_000,
        "?a=1" + ";a=1" * 60_000,
        "?key=" + ";key=1" * 60_000,
    ]
    start = time.process_time()
    for text in hostile:
        redact(text)
    assert time.process_time() - start < 5


def logged(message: Any, *arguments: Any) -> str:
    """What a log says that has the filter."""
    record = logging.LogRecord("access", logging.INFO, __file__, 1, message, arguments, None)
    assert RedactingFilter().filter(record)
    return record.getMessage()


def test_an_access_log_is_redacted_argument_by_argument() -> None:
    # As uvicorn writes it; its formatter takes the arguments apart.
    line = logged('%s - "%s %s HTTP/%s" %d', "127.0.0.1:5", "GET", "/a?token=s\n", "1.1", 200)
    assert line == '127.0.0.1:5 - "GET /a?token=[redacted]\\x0a HTTP/1.1" 200'


def test_an_access_log_with_named_arguments_is_redacted_as_a_whole() -> None:
    assert (
        logged('"%(r)s" %(s)s', {"r": "GET /?key=s HTTP/1.1", "s": 200})
        == '"GET /?key=[redacted] HTTP/1.1" 200'
    )


def test_a_message_without_arguments_is_redacted_too() -> None:
    assert logged("GET /?token=s") == "GET /?token=[redacted]"
    assert logged(ValueError("no str")) == "no str"
