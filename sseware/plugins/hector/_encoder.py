"""Items to Hector's events, and to its buffered answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs

from sseware import ServerSentEvent
from sseware.dialects import (
    GO,
    SPACED,
    AnItem,
    BufferedAnswer,
    StreamContext,
    bad_end,
    file_answer,
    json_answer,
    leave_out,
    refuse_owned,
)
from sseware.events import Comment
from sseware.items import Data, Failure, File, Finish, Text, Thinking, ToolCall, ToolResult

if TYPE_CHECKING:
    from ._dialect import Hector

__all__ = ["DONE", "HectorEncoder", "HectorFold"]

DONE: Final = "[DONE]"
"""What ends a stream well. It is no JSON, so that no chunk can be taken for it."""


class HectorEncoder:
    """Encodes one response.

    Args:
        dialect: The configuration.
        context: The request; its ``?debug=true`` asks for comments that describe the frames.
    """

    def __init__(self, dialect: Hector, context: StreamContext) -> None:
        self._dialect = dialect
        self._context = context
        self._debug = parse_qs(context.query).get("debug", [""])[0] == "true"
        self._held: list[str] = []
        self._frames = 0
        self._finish = Finish()

    def start(self) -> Iterable[ServerSentEvent | Comment]:
        """Returns nothing: a stream begins with its first chunk."""
        return ()

    def encode(self, item: AnItem) -> Iterable[ServerSentEvent | Comment]:
        """Returns the events of one item."""
        if isinstance(item, Finish):
            self._finish = item
            return ()
        if isinstance(item, ServerSentEvent):
            refuse_owned(self._dialect, item, self._dialect.owned)
            return (item,)
        if isinstance(item, Data):
            return self._frame(SPACED.dumps(item.value))
        text = text_of(self._dialect, item)
        if text is None:
            return leave_out(self._dialect, item)
        if not self._dialect.enable_streaming:
            self._held.append(text)
            return ()
        return [event for piece in self._pieces(text) for event in self._chunk(piece)]

    def _pieces(self, text: str) -> Iterator[str]:
        """Cuts a text into pieces of so many code points; nothing is held back for the next text."""
        size = self._dialect.chunk_size or len(text)
        return (text[start : start + size] for start in range(0, len(text), size or 1))

    def _chunk(self, text: str) -> Iterable[ServerSentEvent | Comment]:
        # An object, spelled by hand: it is what there are thousands of.
        return self._frame(f'{{"chunk": {SPACED.dumps(text)}}}')

    def _frame(self, data: str) -> Iterable[ServerSentEvent | Comment]:
        self._frames += 1
        event = ServerSentEvent(data)
        if not self._debug:
            return (event,)
        size, milliseconds = len(data.encode(errors="replace")), round(self._context.elapsed() * 1000)
        return Comment(f"chunk={self._frames} bytes={size} t={milliseconds}ms"), event

    def finish(self) -> Iterable[ServerSentEvent | Comment]:
        """Returns ``[DONE]``, or ``error`` where the run did not end well."""
        if not self._finish.ok:
            return self._error(bad_end(self._finish, "agent").message)
        held = "".join(self._held)
        return *(self._chunk(held) if held else ()), ServerSentEvent(DONE)

    def fail(self, failure: Failure) -> Iterable[ServerSentEvent | Comment]:
        """Returns ``error``; no ``[DONE]`` follows it."""
        return self._error(failure.message)

    def _error(self, message: str) -> Iterable[ServerSentEvent]:
        return (ServerSentEvent(_error_json(message), event="error"),)


class HectorFold:
    """Folds one response.

    Args:
        dialect: The configuration.
    """

    def __init__(self, dialect: Hector) -> None:
        self._dialect = dialect
        self._text: list[str] = []
        self._finish = Finish()
        self._file: File | None = None
        self.size = 0

    def add(self, item: AnItem) -> None:
        """Takes one item in."""
        if isinstance(item, Finish):
            self._finish = item
        elif isinstance(item, File):
            self._file = item
            self.size += len(item.content)
        elif isinstance(item, ServerSentEvent):
            # It belongs to the stream; a body has no place for it.
            refuse_owned(self._dialect, item, self._dialect.owned)
        elif isinstance(item, Data):
            self._add(SPACED.dumps(item.value))
        elif (text := text_of(self._dialect, item)) is not None:
            self._add(text)
        else:
            leave_out(self._dialect, item)

    def _add(self, text: str) -> None:
        self._text.append(text)
        self.size += len(text)

    def finish(self) -> BufferedAnswer:
        """Returns the answer."""
        if not self._finish.ok:
            return self.fail(bad_end(self._finish, "agent"))
        if self._file is not None:
            return file_answer(self._file)
        return json_answer(200, SPACED.dumps({"response": "".join(self._text)}))

    def fail(self, failure: Failure) -> BufferedAnswer:
        """Returns the answer to a request that failed."""
        return json_answer(failure.status, _error_json(failure.message))


def text_of(dialect: Hector, item: AnItem) -> str | None:
    """Returns what an item says in the text of the answer, or ``None`` where it says nothing there."""
    if isinstance(item, Text):
        return item.text
    if isinstance(item, Thinking):
        return f"[Thinking: {item.text}]\n" if dialect.show_thinking else None
    if isinstance(item, ToolCall):
        arguments = ", ".join(SPACED.dumps(value) for value in item.arguments.values())
        return f"[Tool: {item.name}({arguments})]\n"
    if isinstance(item, ToolResult):
        content = item.content if isinstance(item.content, str) else SPACED.dumps(item.content)
        return content if content.endswith("\n") else f"{content}\n"
    return None


def _error_json(message: str) -> str:
    # Hector's own code marshals its errors with Go's encoding/json, unlike the frames of its documents.
    return GO.dumps({"error": {"message": message}})
