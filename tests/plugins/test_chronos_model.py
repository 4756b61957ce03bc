"""A model's stream as Chronos has it: partial responses, tool calls in pieces."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec
import pytest

from sseware.errors import InvalidItem
from sseware.items import Item, Text, Thinking, ToolCall, Usage
from sseware.plugins.chronos import ChatResponse, ModelToolCall, ModelUsage, chat_items

pytestmark = pytest.mark.anyio


async def items_of(*responses: ChatResponse | Mapping[str, Any]) -> list[Item]:
    async def stream() -> AsyncIterator[ChatResponse | Mapping[str, Any]]:
        for response in responses:
            yield response

    return [item async for item in chat_items(stream())]


def partial(content: str = "", *calls: ModelToolCall, **more: Any) -> ChatResponse:
    return ChatResponse(content, delta=True, tool_calls=calls, **more)


@pytest.mark.parametrize(
    ("responses", "expected"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([partial("Once "), partial(""), partial("upon")], [Text("Once "), Text("upon")], id="pieces"),
        pytest.param([ChatResponse("all of it")], [Text("all of it")], id="one-whole-response"),
        pytest.param([partial("Once "), partial("upon"), ChatResponse("Once upon")], [Text("Once "), Text("upon")],
            id="a-whole-response-repeats-its-pieces"),
        pytest.param([partial(reasoning="Hm."), partial("Yes.")], [Thinking("Hm."), Text("Yes.")], id="reasoning"),
        pytest.param(
            [partial("Wait.", ModelToolCall("a", "find", '{"wo')), partial("", ModelToolCall("a", "", 'rd":1}')),
             partial(".")],
            [Text("Wait."), Text("."), ToolCall("a", "find", {"word": 1})], id="a-call-in-pieces-of-one-id"),
        pytest.param(
            [partial("", ModelToolCall("a", "find", "{")), partial("", ModelToolCall(arguments="}"))],
            [ToolCall("a", "find")], id="a-piece-without-an-id-belongs-to-the-call-before"),
        pytest.param(
            [partial("", ModelToolCall("a", "find", '{"n":')), partial("", ModelToolCall("b", "ask")),
             partial("", ModelToolCall("a", "", "2}"))],
            [ToolCall("a", "find", {"n": 2}), ToolCall("b", "ask")], id="calls-in-turns"),
        pytest.param([partial("", ModelToolCall(name="find"))], [ToolCall("", "find")], id="a-call-without-an-id"),
        pytest.param(
            [partial("", ModelToolCall("a", "find", "{")),
             ChatResponse(tool_calls=(ModelToolCall("a", "find", '{"n":3}'),))],
            [ToolCall("a", "find", {"n": 3})], id="a-whole-response-knows-its-calls-best"),
        pytest.param(
            [partial("a", usage=ModelUsage(3, 1)), partial("b", usage=ModelUsage(3, 2)), ChatResponse()],
            [Text("a"), Text("b"), Usage(3, 2)], id="usage-is-told-once-as-it-was-last"),
        pytest.param(
            [{"content": "a", "delta": True, "role": "x", "usage": {"prompt_tokens": 1, "completion_tokens": 1}}],
            [Text("a"), Usage(1, 1)], id="as-the-json-that-go-makes"),
    ],
)  # fmt: skip
async def test_a_stream_of_responses_means(responses: list[Any], expected: list[Item]) -> None:
    assert await items_of(*responses) == expected


@pytest.mark.parametrize("arguments", ["{", "[]", '"a"', "\ud800", "[" * 100_000])
async def test_arguments_that_are_no_object_are_refused(arguments: str) -> None:
    with pytest.raises(InvalidItem, match="the arguments of the tool call 'find' must be a JSON object"):
        await items_of(partial("", ModelToolCall("a", "find", arguments)))


async def test_a_response_of_another_shape_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        await items_of({"content": 5})


async def test_the_stream_is_closed_where_it_is_left_and_need_not_be_closable() -> None:
    closed: list[str] = []

    async def stream() -> AsyncIterator[ChatResponse]:
        try:
            yield partial("a")
            yield partial("b")
        finally:
            closed.append("closed")

    items = chat_items(stream())
    assert await anext(items) == Text("a")
    await items.aclose()  # type: ignore[attr-defined]  # it is a generator
    assert closed == ["closed"]

    class Empty:
        def __aiter__(self) -> Empty:
            return self

        async def __anext__(self) -> ChatResponse:
            raise StopAsyncIteration

    assert [item async for item in chat_items(Empty())] == []
