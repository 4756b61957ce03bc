"""Events as values: checked when they are made, frozen, equal where all that is written is."""

from __future__ import annotations

import copy
import gc
import pickle
from typing import Any

import msgspec
import pytest

from sseware import events as module
from sseware.errors import InvalidEvent
from sseware.events import MAX_RETRY, ReceivedEvent, ServerSentEvent, check_id, check_retry, check_type

make: Any = ServerSentEvent


@pytest.mark.parametrize(
    ("field", "value"),
    [(field, value) for field in ("data", "event", "id") for value in (5, b"a", ["a"], {"a": 1})]
    + [("data", None), ("event", None)],
)
def test_a_field_of_text_must_be_a_str(field: str, value: object) -> None:
    with pytest.raises(InvalidEvent) as caught:
        make(**{field: value})
    assert (caught.value.field, caught.value.value) == (field, value)
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize("event", ["", "a\n", "a\rb", "\r\n", "a\ud800"])
def test_a_type_must_be_one_line_that_is_not_empty(event: str) -> None:
    """E1, E7."""
    for _ in range(2):
        with pytest.raises(InvalidEvent, match="event must be one non-empty line without surrogates"):
            ServerSentEvent(event=event)


@pytest.mark.parametrize(
    "event", ["a", " ", "a b", "\t", "\x00", "\x0b\x0c\x85\u2028", "\ufeff", "é", "x" * 1000]
)
def test_a_type_may_be_any_other_line(event: str) -> None:
    for _ in range(2):
        assert ServerSentEvent(event=event).event == event


@pytest.mark.parametrize("code", [*range(0x20), *range(0x7F, 0xA0), 0xD800, 0xDFFF])
def test_an_id_must_be_without_control_characters_and_surrogates(code: int) -> None:
    """E2, E7, E8."""
    for value in (chr(code), f"a{chr(code)}", f"{chr(code)}a"):
        with pytest.raises(InvalidEvent, match="id must be a str without control characters"):
            ServerSentEvent(id=value)


@pytest.mark.parametrize("value", ["", "7", " 7 ", "é", "\u2028", "\xa0", "\xad", "\U000e0001", "\u0378"])
def test_an_id_may_have_any_other_character(value: str) -> None:
    assert ServerSentEvent(id=value).id == value


@pytest.mark.parametrize("retry", [True, False, -1, 1.0, float("nan"), "5", MAX_RETRY + 1, 10**30])
def test_a_retry_must_be_a_whole_number_of_milliseconds(retry: object) -> None:
    """E4."""
    with pytest.raises(InvalidEvent, match="retry must be a whole number of milliseconds from 0 to"):
        make(retry=retry)


@pytest.mark.parametrize("retry", [0, 1, MAX_RETRY])
def test_a_retry_may_be_any_such_number(retry: int) -> None:
    assert ServerSentEvent(retry=retry).retry == retry


def test_a_field_is_checked_whatever_the_others_are() -> None:
    for fields in ({"id": "7"}, {"retry": 5}, {"event": "x"}, {"data": "a\nb"}):
        for wrong in ({"id": "\n"}, {"retry": -1}, {"event": "\r"}, {"data": 5}):
            with pytest.raises(InvalidEvent):
                make(**{**fields, **wrong})


@pytest.mark.parametrize("name", ["data", "event", "id", "retry", "last_event_id", "other"])
def test_an_event_is_frozen(name: str) -> None:
    """E10."""
    with pytest.raises(AttributeError):
        setattr(ServerSentEvent("a"), name, "b")


def test_events_are_equal_where_all_that_is_written_is() -> None:
    one, other = ServerSentEvent("a", event="x", last_event_id="7"), ServerSentEvent("a", event="x")
    assert one == other
    assert hash(one) == hash(other)
    assert one == ReceivedEvent("a", event="x")
    for different in (
        ServerSentEvent("b", event="x"),
        ServerSentEvent("a"),
        ServerSentEvent("a", event="x", id=""),
        ServerSentEvent("a", event="x", retry=0),
        "a",
    ):
        assert one != different
    assert one.__eq__("a") is NotImplemented


@pytest.mark.parametrize(
    "event",
    [
        ServerSentEvent("a", event="x", id="7", retry=5, last_event_id="7"),
        ReceivedEvent("a", event="x", id="\t7\x01", retry=5, last_event_id="\t7\x01"),
    ],
)
def test_an_event_survives_a_pickle_and_a_copy(event: ServerSentEvent) -> None:
    for twin in (pickle.loads(pickle.dumps(event)), copy.copy(event), copy.deepcopy(event)):
        assert twin == event
        assert type(twin) is type(event)
        assert twin.last_event_id == event.last_event_id


def test_what_is_replaced_is_checked() -> None:
    """E10."""
    event = ServerSentEvent("a", event="x")
    assert msgspec.structs.replace(event, data="b") == ServerSentEvent("b", event="x")
    assert ServerSentEvent(**{**msgspec.structs.asdict(event), "data": "b"}) == ServerSentEvent(
        "b", event="x"
    )
    with pytest.raises(InvalidEvent):
        pickle.loads(pickle.dumps(event).replace(b"x\x94", b"\n\x94"))


def test_a_decoded_event_is_checked() -> None:
    """E10."""
    event = ServerSentEvent("a", event="x")
    assert msgspec.json.decode(msgspec.json.encode(event), type=ServerSentEvent) == event
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"type":"event","event":"a\\nb"}', type=ServerSentEvent)


def test_a_subclass_is_checked_too() -> None:
    """E10."""

    class Mine(ServerSentEvent, frozen=True):
        extra: int = 0

    assert Mine("a", extra=1) == ServerSentEvent("a")
    with pytest.raises(InvalidEvent):
        Mine("a", event="x\n")


def test_a_received_event_is_told_as_it_came() -> None:
    event = ReceivedEvent("a", id="7\x01", last_event_id="7\x01")
    assert (event.id, event.last_event_id) == ("7\x01", "7\x01")
    assert isinstance(event, ServerSentEvent)


def test_a_received_event_prints_as_what_can_be_pasted_into_a_test() -> None:
    event = ReceivedEvent("a", event="x", last_event_id="7")
    assert repr(event) == "ServerSentEvent(data='a', event='x', last_event_id='7')"
    assert repr(ReceivedEvent()) == "ServerSentEvent()"


def test_a_received_event_is_made_without_checks_whichever_way_msgspec_looks_for_them() -> None:
    hidden = vars(ReceivedEvent)["__post_init__"]
    assert not hasattr(ReceivedEvent, "__post_init__")
    assert hidden(ReceivedEvent()) is None


def test_events_are_no_work_for_the_garbage_collector() -> None:
    assert not gc.is_tracked(ServerSentEvent("a"))
    assert not gc.is_tracked(ReceivedEvent("a"))


def test_data_are_decoded_as_json() -> None:
    assert ServerSentEvent('{"a": [1]}').json() == {"a": [1]}
    assert ServerSentEvent(r'["a\ud800", "\ud83d\ude00"]').json() == ["a\ud800", "\U0001f600"]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("{", id="cut-short"),
        pytest.param("", id="nothing"),
        pytest.param('"\ud800"', id="a-surrogate-that-is-not-escaped"),
        pytest.param("[" * 100_000, id="very-deep"),
        pytest.param(r'["\ud800", NaN]', id="a-constant-that-json-lacks"),
        pytest.param(r'["\ud800", ' + "9" * 5000 + "]", id="a-number-that-python-does-not-read"),
        pytest.param(r'["\ud800",' + "[" * 100_000, id="very-deep-with-a-surrogate"),
    ],
)
def test_data_that_are_no_json_are_refused(data: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        ServerSentEvent(data).json()


def test_types_are_remembered_up_to_a_bound() -> None:
    for i in range(1000):
        assert ServerSentEvent(event=f"type-{i}").event == f"type-{i}"
    assert len(module._known_types) <= 256
    assert all(len(known) < 100 for known in module._known_types)
    assert ServerSentEvent("a").event == "message"


def test_the_checks_can_be_used_by_themselves() -> None:
    check_type("x")
    check_id("7")
    check_retry(5)
    for check, value in ((check_type, ""), (check_id, "\n"), (check_retry, -1)):
        with pytest.raises(InvalidEvent):
            check(value)
