"""What a dialect says of its buffered answer, held against the answers that it makes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sseware import EventStream, get_dialect
from sseware.items import Data, Finish, Start, Text, ToolCall, ToolResult, Usage
from sseware.plugins.machpay import MachPay
from tests.asgi.fakes import answer, request

pytestmark = pytest.mark.anyio

validators = pytest.importorskip("jsonschema.validators")

STORIES: dict[str, list[Any]] = {
    "nothing": [],
    "a-text": [Start("run-1", name="story"), "Once ", "upon "],
    "tools": [ToolCall("t1", "look_up", {"a": 1}), ToolResult("t1", "found"), Text("So.")],
    "data": [Data({"a": 1}), Usage(1, 2), Finish(result={"b": 2})],
}
DIALECTS = ["plain", "machpay", "ash", "hector", "chronos"]


@pytest.mark.parametrize("story", list(STORIES))
@pytest.mark.parametrize("name", DIALECTS)
async def test_an_answer_fits_its_schema(name: str, story: str) -> None:
    dialect: Any = get_dialect(name)
    server = await answer(EventStream(STORIES[story], dialect=dialect), request(accept="application/json"))
    assert server.status == 200
    schema = dialect.buffered_schemas()["application/json"]
    validators.Draft202012Validator(schema).validate(json.loads(server.body))


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("body", [{}, {"error": "no"}, [], {"response": 3}])
def test_another_body_does_not_fit(name: str, body: Any) -> None:
    dialect: Any = get_dialect(name)
    schema = dialect.buffered_schemas()["application/json"]
    validators.Draft202012Validator.check_schema(schema)
    assert not validators.Draft202012Validator(schema).is_valid(body)


def test_a_configured_dialect_says_the_same() -> None:
    default: Any = get_dialect("machpay")
    assert MachPay(skill_id="x").buffered_schemas() == default.buffered_schemas()
