"""What is known of an answer before its handler runs."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from sseware.asgi import Settings
from sseware.asgi._menu import Menu
from sseware.asgi._plan import Plan
from sseware.dialects import BufferedAnswer, Plain, StreamContext
from sseware.items import Failure
from sseware.negotiation import Request


class Broken(Plain, frozen=True):
    def fold(self, context: StreamContext) -> Any:
        raise ZeroDivisionError("broken dialect")


def plan(dialect: Any = "plain", http_version: str = "1.1", **options: Any) -> Plan:
    settings = Settings().replace({"dialect": dialect, **options})  # type: ignore[typeddict-item]  # any
    return Plan(Menu(settings).choose(Request(), {})[1], StreamContext(http_version=http_version))


def test_a_stream_begins_with_its_status_and_head() -> None:
    start = plan(status_code=202, headers={"x-a": "1"}).stream_start()
    assert (start["type"], start["status"]) == ("http.response.start", 202)
    assert (b"x-a", b"1") in start["headers"]


def test_a_head_request_is_told_the_type_where_it_is_known() -> None:
    """H9."""
    headers = dict(plan().buffered_start("application/json")["headers"])
    assert headers[b"content-type"] == b"application/json; charset=utf-8", "as the dialect writes it"
    assert dict(plan().buffered_start("x/y")["headers"])[b"content-type"] == b"x/y"
    assert b"content-length" not in headers
    assert b"content-type" not in dict(plan().buffered_start(None)["headers"])


def test_an_answer_has_its_length() -> None:
    start, body = plan().answer_messages(BufferedAnswer(200, (("content-type", "x/y"),), b"abc"))
    assert dict(start["headers"])[b"content-length"] == b"3"
    assert body == {"type": "http.response.body", "body": b"abc", "more_body": False}


def test_an_answer_to_head_keeps_the_length_and_loses_the_body() -> None:
    """H9."""
    start, body = plan().answer_messages(BufferedAnswer(406, (), b"abc"), body=False)
    assert dict(start["headers"])[b"content-length"] == b"3"
    assert body["body"] == b""


def test_a_status_without_a_body_gets_none() -> None:
    """H10."""
    start, body = plan().answer_messages(BufferedAnswer(204, (), b"abc"))
    assert b"content-length" not in dict(start["headers"])
    assert body["body"] == b""


def test_a_connection_field_of_a_dialect_stays_off_http_2() -> None:
    start, _ = plan(http_version="2").answer_messages(BufferedAnswer(200, (("connection", "close"),), b""))
    assert b"connection" not in dict(start["headers"])


def test_a_failure_is_told_by_the_dialect() -> None:
    answer = plan().failed(Failure("no", "busy", 503))
    assert (answer.status, answer.body) == (503, b'{"error":{"message":"no","code":"busy"}}')


def test_a_dialect_that_cannot_tell_a_failure_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    """X5."""
    with caplog.at_level(logging.ERROR, "sseware"):
        answer = plan(Broken()).failed(Failure("no", status=503))
    assert (answer.status, answer.body) == (500, b"internal error")
    assert "ZeroDivisionError: broken dialect" in caplog.text
