"""What dialects share: how an item is left out, an event refused, a payload read."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sseware import ServerSentEvent
from sseware.dialects import (
    Plain,
    bad_end,
    json_answer,
    leave_out,
    omits_of,
    read_payload,
    refuse_owned,
    status_of,
)
from sseware.errors import InvalidDialectEvent, InvalidItem
from sseware.items import Failure, File, Finish, Item, Log, Thinking


class Quiet(Plain, frozen=True):
    omits = frozenset({Log})
    strict: bool = False


class LoudLog(Log, frozen=True, tag="loud_log"):
    pass


def test_what_a_dialect_omits_is_nothing_unless_it_says_so() -> None:
    assert omits_of(Plain()) == frozenset()
    assert omits_of(Quiet()) == {Log}


def test_an_item_that_is_omitted_has_no_events() -> None:
    assert leave_out(Quiet(), Log("x")) == ()
    assert leave_out(Quiet(), LoudLog("x")) == ()


def test_a_strict_dialect_refuses_what_it_omits() -> None:
    with pytest.raises(
        InvalidItem, match="the plain dialect leaves Log out, and it is strict: do not yield one"
    ):
        leave_out(Quiet(strict=True), Log("x"))


@pytest.mark.parametrize(
    ("item", "why"),
    [
        pytest.param(Thinking("x"), "has no event for Thinking: no plugin encodes this type", id="of-ours"),
        pytest.param(Item(), "has no event for Item: no plugin encodes this type", id="of-a-plugin"),
        pytest.param(File(b""), "has no event for File: a file cannot be streamed", id="a-file"),
    ],
)
def test_an_item_that_nobody_has_thought_of_is_refused(item: Item, why: str) -> None:
    for dialect in (Plain(), Quiet(), Quiet(strict=True)):
        with pytest.raises(InvalidItem, match=why):
            leave_out(dialect, item)


def test_an_event_of_an_owned_name_is_refused() -> None:
    refuse_owned(Plain(), ServerSentEvent("x", event="tick"), {"done"})
    with pytest.raises(
        InvalidItem, match="the event type 'done' belongs to the plain dialect; yield an item"
    ):
        refuse_owned(Plain(), ServerSentEvent("x", event="done"), {"done"})


def test_a_payload_is_read_into_its_type() -> None:
    class Tick(msgspec.Struct):
        n: int

    assert read_payload(ServerSentEvent('{"n":1,"more":2}', event="tick"), Tick, dialect="clock") == Tick(1)


def test_a_payload_may_have_the_lone_surrogates_that_javascript_writes() -> None:
    class Said(msgspec.Struct):
        text: str

    event = ServerSentEvent(r'{"text":"a\ud800\uDFFF\ud83d"}')
    assert read_payload(event, Said, dialect="clock") == Said("a\U000103ff\ud83d")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("", id="nothing"),
        pytest.param("tick", id="text"),
        pytest.param('{"n":', id="cut-short"),
        pytest.param('{"n":"one"}', id="another-type"),
        pytest.param('"\ud800"', id="a-lone-surrogate"),
        pytest.param("[" * 100_000, id="very-deep"),
        pytest.param('{"\\ud800":' + "[" * 100_000, id="very-deep-with-a-lone-surrogate"),
        pytest.param('{"\\ud800":1', id="cut-short-with-a-lone-surrogate"),
        pytest.param('{"\\ud800":NaN}', id="a-constant-that-json-lacks"),
        pytest.param('{"\\ud800":"1"}', id="another-type-with-a-lone-surrogate"),
        pytest.param("1e999", id="out-of-range"),
    ],
)
def test_a_payload_that_is_none_is_told(data: str) -> None:
    with pytest.raises(InvalidDialectEvent) as caught:
        read_payload(ServerSentEvent(data, event="tick"), dict[str, int], dialect="clock")
    assert (caught.value.dialect, caught.value.event, caught.value.data) == ("clock", "tick", data)
    assert isinstance(caught.value.__cause__, Exception)


@pytest.mark.parametrize(
    ("finish", "status"),
    [
        pytest.param(Finish(), 200, id="well"),
        pytest.param(Finish(result={"status": 404}), 200, id="well-whatever-it-says"),
        pytest.param(Finish(ok=False), 500, id="badly"),
        pytest.param(Finish(ok=False, result={"status": 504, "error": "late"}), 504, id="badly-for-a-reason"),
        pytest.param(Finish(ok=False, result={"status": 200}), 500, id="a-good-status-of-a-bad-end"),
        pytest.param(Finish(ok=False, result={"status": "504"}), 500, id="a-text"),
        pytest.param(Finish(ok=False, result={"status": True}), 500, id="a-bool"),
        pytest.param(Finish(ok=False, result={"status": 600}), 500, id="no-http-status"),
        pytest.param(Finish(ok=False, result="504"), 500, id="another-result"),
    ],
)
def test_the_status_of_an_answer_that_ends(finish: Any, status: int) -> None:
    assert status_of(finish) == status


@pytest.mark.parametrize(
    ("finish", "failure"),
    [
        pytest.param(Finish(ok=False), Failure("the agent exited with code 0"), id="a-code"),
        pytest.param(Finish(ok=False, exit_code=None), Failure("the agent failed"), id="no-code"),
        pytest.param(
            Finish(ok=False, result={"error": "too late", "status": 504}),
            Failure("too late", status=504),
            id="a-reason-and-a-status",
        ),
        pytest.param(
            Finish(ok=False, result={"error": 7}), Failure("the agent exited with code 0"), id="no-text"
        ),
    ],
)
def test_why_a_run_ended_badly(finish: Finish, failure: Failure) -> None:
    assert bad_end(finish, "agent") == failure


def test_an_answer_of_json() -> None:
    answer = json_answer(418, '{"a":"\u00e9"}')
    assert (answer.status, answer.body) == (418, b'{"a":"\xc3\xa9"}')
    assert dict(answer.headers)["content-type"].startswith("application/json")
