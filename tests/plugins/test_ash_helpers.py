"""Ash's helper functions, as JavaScript has them; the cases are written here afresh."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sseware.plugins.ash import extract_display_items, extract_stream_delta, extract_text_from_event
from sseware.plugins.ash._messages import granular_kinds

ALL = (extract_text_from_event, extract_display_items, extract_stream_delta)


def assistant(*blocks: Any) -> dict[str, Any]:
    return {"type": "assistant", "message": {"content": list(blocks)}}


def shown_input(given: Any) -> Any:
    items = extract_display_items(assistant({"type": "tool_use", "name": "T", "input": given}))
    assert items is not None
    return items[0]["toolInput"]


def shown_result(**fields: Any) -> Any:
    items = extract_display_items({"type": "user", "tool_use_result": fields})
    return items and items[0]["content"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
SHAPED = st.fixed_dictionaries(
    {"type": st.sampled_from(["assistant", "user", "stream_event", "result"])},
    optional={
        "message": st.fixed_dictionaries({"content": JSON | st.lists(JSON)}) | JSON,
        "event": JSON,
        "tool_use_result": JSON,
    },
)


@given(JSON | SHAPED)
def test_nothing_makes_them_raise(data: Any) -> None:
    for helper in ALL:
        helper(data)


@pytest.mark.parametrize("data", [None, 3, "assistant", [], {}, {"type": "assistant"}, {"type": "user"}])
def test_what_does_not_match_is_none(data: Any) -> None:
    assert [helper(data) for helper in ALL] == [None, None, None]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        pytest.param("as it is", "as it is", id="string"),
        pytest.param("", None, id="empty-string"),
        pytest.param(
            [{"type": "text", "text": "a"}, {"type": "x"}, {"type": "text", "text": "b"}], "ab", id="joined"
        ),
        pytest.param([{"type": "text", "text": ""}], None, id="empty-text"),
        pytest.param([{"type": "text"}, {"type": "text", "text": None}], None, id="null-and-missing"),
        pytest.param([{"type": "text", "text": 1.0}, {"type": "text", "text": True}], "1true", id="not-text"),
        pytest.param([{"type": "text", "text": [1, None, "x"]}], "1,,x", id="array"),
        pytest.param([{"type": "text", "text": {}}], "[object Object]", id="object"),
        pytest.param([3, None, "x"], None, id="no-blocks"),
        pytest.param({}, None, id="object-content"),
    ],
)
def test_the_text_of_a_message(content: Any, text: str | None) -> None:
    assert extract_text_from_event({"type": "assistant", "message": {"content": content}}) == text


def test_display_items_keep_their_order_and_skip_what_they_do_not_know() -> None:
    blocks = [
        {"type": "text", "text": ""},
        {"type": "image"},
        {"type": "tool_use", "name": "T", "input": {"a": "b"}},
    ]
    assert extract_display_items(assistant(*blocks)) == [
        {"type": "text", "content": ""},
        {"type": "tool_use", "content": "T", "toolName": "T", "toolInput": "a: b"},
    ]
    assert extract_display_items(assistant({"type": "image"})) is None
    assert extract_display_items({"type": "assistant", "message": {"content": "text"}}) is None
    assert extract_display_items(assistant({"type": "text"}, {"type": "tool_use"})) == [
        {"type": "text"},
        {"type": "tool_use", "toolInput": ""},
    ]


@pytest.mark.parametrize(
    ("given_", "shown"),
    [
        pytest.param({}, "", id="empty"),
        pytest.param(None, "", id="null"),
        pytest.param(True, "", id="true"),
        pytest.param(
            {"s": "as it is", "n": 1.0, "o": {"a": [1, None]}},
            's: as it is, n: 1, o: {"a":[1,null]}',
            id="json",
        ),
        pytest.param(["x", {}], "0: x, 1: {}", id="array"),
        pytest.param(
            {"b": "1", "10": "2", "9": "3", "01": "4", "a": "5"}, "9: 3, 10: 2, b: 1, 01: 4, a: 5", id="keys"
        ),
        pytest.param(
            {"4294967295": "b", "x": "c", "4294967294": "a"}, "4294967294: a, 4294967295: b, x: c", id="index"
        ),
        pytest.param({"n": float("nan")}, "n: null", id="nan"),
    ],
)
def test_the_input_of_a_tool_is_shown_as_javascript_would(given_: Any, shown: str) -> None:
    assert shown_input(given_) == shown


def test_an_input_is_cut_after_200_utf16_units_and_never_in_a_pair() -> None:
    assert shown_input({"k": "x" * 197}) == "k: " + "x" * 197
    assert shown_input({"k": "x" * 198}) == "k: " + "x" * 197 + "..."
    assert shown_input({"k": "😀" * 98}) == "k: " + "😀" * 98
    assert shown_input({"k": "😀" * 99}) == "k: " + "😀" * 98 + "..."
    assert shown_input({"k": "x" * 196 + "\ud83d" + "y" * 9}) == "k: " + "x" * 196 + "\ud83d..."


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        pytest.param({"stdout": "out"}, "out", id="stdout"),
        pytest.param({"stdout": "", "stderr": "err"}, "\nerr", id="stderr-only"),
        pytest.param({"stdout": "a", "stderr": "b"}, "a\nb", id="both"),
        pytest.param({"stdout": " \u00a0\ufeff\u3000"}, None, id="blank-to-javascript"),
        pytest.param({"stdout": "\x1c\x85"}, "\x1c\x85", id="not-blank-to-javascript"),
        pytest.param({"stdout": 0, "stderr": []}, None, id="empty-array-is-true-and-joins-to-nothing"),
        pytest.param({"stdout": float("nan")}, None, id="nan-is-false"),
        pytest.param({"stdout": "y" * 1000}, "y" * 1000, id="exactly-1000"),
        pytest.param({"stdout": "y" * 1001}, "y" * 1000 + "\n...", id="1001"),
    ],
)
def test_the_result_of_a_tool(fields: dict[str, Any], shown: str | None) -> None:
    assert shown_result(**fields) == shown


def test_a_result_that_is_no_object_is_blank() -> None:
    assert extract_display_items({"type": "user", "tool_use_result": "text"}) is None
    assert extract_display_items({"type": "user", "tool_use_result": 0}) is None


@pytest.mark.parametrize(
    ("event", "delta"),
    [
        ({"type": "content_block_delta", "delta": {"type": "text_delta", "text": "x"}}, "x"),
        ({"type": "content_block_delta", "delta": {"type": "text_delta", "text": ""}}, ""),
        ({"type": "content_block_delta", "delta": {"type": "text_delta", "text": None}}, None),
        ({"type": "content_block_delta", "delta": {"type": "thinking_delta", "thinking": "x"}}, None),
        ({"type": "content_block_delta"}, None),
        ({"type": "message_stop"}, None),
        (None, None),
    ],
)
def test_the_delta_of_a_stream_event(event: Any, delta: str | None) -> None:
    assert extract_stream_delta({"type": "stream_event", "event": event}) == delta


def test_the_reference_cases_hold(shared: Path) -> None:
    cases = json.loads((shared / "golden/ash/extract_cases.json").read_text())
    for case in cases:
        data = case["data"]
        got = {"text": extract_text_from_event(data), "items": extract_display_items(data)}
        got["delta"] = extract_stream_delta(data)
        for name, value in got.items():
            assert value == case[name].get("value"), (case["name"], name)
        kinds = [{"type": kind, "data": payload} for kind, payload in granular_kinds(data)]
        assert [*kinds, {"type": "message", "data": data}] == case["classify"]["value"], case["name"]
