"""What a model streams, as Chronos' providers have it: partial responses, and tool calls that come in pieces."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Mapping
from contextlib import AsyncExitStack
from typing import Any

import msgspec

from sseware.errors import InvalidItem
from sseware.items import Item, Text, Thinking, ToolCall, Usage

__all__ = ["ChatResponse", "ModelToolCall", "ModelUsage", "chat_items"]


class ModelToolCall(msgspec.Struct, frozen=True):
    """A call of a tool, or a piece of one.

    Attributes:
        id: The id of the call; a piece without one belongs to the call before it.
        name: The name of the tool.
        arguments: The arguments, or a piece of them: the text of a JSON object.
    """

    id: str = ""
    name: str = ""
    arguments: str = ""


class ModelUsage(msgspec.Struct, frozen=True):
    """What a response has cost so far.

    Attributes:
        prompt_tokens: Of the question.
        completion_tokens: Of the answer.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0


class ChatResponse(msgspec.Struct, frozen=True):
    """What a provider's ``StreamChat`` sends.

    Attributes:
        content: The text, or a piece of it.
        delta: Whether it is a piece: a response that is not is whole, and repeats the pieces before it.
        tool_calls: Calls of tools, or pieces of them.
        reasoning: What the model thinks, apart from its answer.
        usage: What it has cost so far.
    """

    content: str = ""
    delta: bool = False
    tool_calls: tuple[ModelToolCall, ...] = ()
    reasoning: str = ""
    usage: ModelUsage = ModelUsage()


async def chat_items(responses: AsyncIterable[ChatResponse | Mapping[str, Any]]) -> AsyncIterator[Item]:
    """Yields what a model's stream means: text and thinking at once, each tool call when it is complete.

    A handler yields on what comes out; any dialect can carry it.

    Args:
        responses: Partial responses, as values or as the JSON objects that Chronos makes of them; closed at the end.

    Raises:
        InvalidItem: The arguments of a tool call are no JSON object.
        msgspec.ValidationError: A response has another shape.
    """
    stream = aiter(responses)
    close = getattr(stream, "aclose", None)
    async with AsyncExitStack() as stack:
        if close is not None:
            stack.push_async_callback(close)
        calls: list[ModelToolCall] = []
        usage = ModelUsage()
        streamed = False
        async for each in stream:
            response = each if isinstance(each, ChatResponse) else msgspec.convert(each, ChatResponse)
            if response.usage != ModelUsage():
                usage = response.usage
            if streamed and not response.delta:
                calls = list(response.tool_calls) or calls
                continue
            streamed = streamed or response.delta
            if response.reasoning:
                yield Thinking(response.reasoning)
            if response.content:
                yield Text(response.content)
            for piece in response.tool_calls:
                _gather(calls, piece)
    for call in calls:
        yield ToolCall(call.id, call.name, _arguments(call))
    if usage != ModelUsage():
        yield Usage(usage.prompt_tokens, usage.completion_tokens)


def _gather(calls: list[ModelToolCall], piece: ModelToolCall) -> None:
    """Joins a piece to its call, or begins another one."""
    known = (at for at, call in enumerate(calls) if call.id == piece.id)
    at = next(known, None) if piece.id else len(calls) - 1 if calls else None
    if at is None:
        calls.append(piece)
        return
    call = calls[at]
    calls[at] = ModelToolCall(call.id, call.name or piece.name, call.arguments + piece.arguments)


def _arguments(call: ModelToolCall) -> dict[str, Any]:
    try:
        return msgspec.json.decode(call.arguments or "{}", type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as exc:
        raise InvalidItem(
            f"the arguments of the tool call {call.name!r} must be a JSON object, got {call.arguments[:200]!r}: {exc}"
        ) from exc
