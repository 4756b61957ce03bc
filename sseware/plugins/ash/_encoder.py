"""Items to Ash's events, and to its buffered answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from sseware import ServerSentEvent
from sseware.dialects import (
    COMPACT,
    AnItem,
    BufferedAnswer,
    bad_end,
    file_answer,
    json_answer,
    leave_out,
    refuse_owned,
)
from sseware.events import NamedEvent
from sseware.items import Data, Failure, File, Finish, Start, Text, Thinking, ToolCall, ToolResult, Usage

from . import _messages

if TYPE_CHECKING:
    from ._dialect import Ash

__all__ = ["AshEncoder", "AshFold"]


class AshEncoder:
    """Encodes one response.

    Pieces of text (or thinking) are gathered into one block; its complete message is written when something else
    comes, and at the end. Where partial messages are wanted, each piece is written as it comes, too.

    Args:
        dialect: The configuration.
    """

    def __init__(self, dialect: Ash) -> None:
        self._dialect = dialect
        self._session_id = dialect.session_id
        self._kind = ""
        self._pieces: list[str] = []
        self._usage: tuple[int, int] | None = None
        self._finish = Finish()

    @property
    def session_id(self) -> str:
        """The identity of the session, made where nobody has given one."""
        if self._session_id is None:
            self._session_id = self._dialect.new_id()
        return self._session_id

    def start(self) -> Iterable[ServerSentEvent]:
        """Returns nothing: a session begins with its `Start`, where there is one."""
        return ()

    def encode(self, item: AnItem) -> Iterable[ServerSentEvent]:
        """Returns the events of one item."""
        if isinstance(item, Text):
            return self._piece("text", item.text)
        if isinstance(item, Thinking):
            return self._piece("thinking", item.text)
        if isinstance(item, ServerSentEvent):
            refuse_owned(self._dialect, item, self._dialect.owned)
            return *self._close_block(), item
        message = self._message(item)
        if message is not None:
            return *self._close_block(), *self._written(message)
        return self._kept(item)

    def _message(self, item: AnItem) -> Any:
        """Returns the message that an item is, or ``None``."""
        if isinstance(item, Data):
            return item.value
        if isinstance(item, ToolCall):
            return _messages.assistant(_messages.tool_block(item))
        if isinstance(item, ToolResult):
            text = item.content if isinstance(item.content, str) else COMPACT.dumps(item.content)
            return _messages.tool_result(item, text)
        return None

    def _kept(self, item: AnItem) -> Iterable[ServerSentEvent]:
        """Keeps what is for later."""
        if isinstance(item, Start):
            return self._open_session(item)
        if isinstance(item, Usage):
            so_far = self._usage or (0, 0)
            self._usage = (so_far[0] + item.input_tokens, so_far[1] + item.output_tokens)
        elif isinstance(item, Finish):
            self._finish = item
        elif not isinstance(item, Data):
            return leave_out(self._dialect, item)
        return ()

    def _open_session(self, item: Start) -> Iterable[ServerSentEvent]:
        if item.id is not None:
            self._session_id = item.id
        if not self._dialect.granular:
            return ()
        version = {} if self._dialect.version is None else {"version": self._dialect.version}
        return (_event("session_start", {"sessionId": self.session_id, **version}),)

    def _piece(self, kind: str, text: str) -> Iterable[ServerSentEvent]:
        if not text:
            return ()
        closed: tuple[ServerSentEvent, ...] = self._close_block() if kind != self._kind else ()
        self._kind = kind
        self._pieces.append(text)
        if not self._dialect.include_partial_messages:
            return closed
        if self._dialect.granular:
            return *closed, *self._written(_messages.delta(kind, text))
        return *closed, NamedEvent(_messages.delta_text(kind, COMPACT.dumps(text)))

    def _close_block(self) -> tuple[ServerSentEvent, ...]:
        """Returns the complete message of the block that is open."""
        if not self._pieces:
            return ()
        text, self._pieces = "".join(self._pieces), []
        block = _messages.text_block(text) if self._kind == "text" else _messages.thinking_block(text)
        self._kind = ""
        return tuple(self._written(_messages.assistant(block)))

    def _written(self, message: Any) -> Iterator[ServerSentEvent]:
        """Yields the event of a message, and before it the later kinds where they are wanted."""
        if _messages.is_partial(message) and not self._dialect.include_partial_messages:
            return
        if self._dialect.granular:
            for kind, payload in _messages.granular_kinds(message):
                yield _event(kind, payload)
        yield _event("message", message)

    def finish(self) -> Iterable[ServerSentEvent]:
        """Returns what is open, a result message where there is something to tell, and ``done``."""
        if not self._finish.ok:
            return self.fail(bad_end(self._finish, "agent"))
        events = [*self._close_block()]
        if self._finish.result is not None or self._usage is not None:
            events += self._written(_messages.result(self.session_id, self._finish.result, self._usage))
        return *events, self._done()

    def fail(self, failure: Failure) -> Iterable[ServerSentEvent]:
        """Returns what is open, ``error`` and ``done``, which in Ash says that the turn is over, however it went."""
        return *self._close_block(), _event("error", {"error": failure.message}), self._done()

    def _done(self) -> ServerSentEvent:
        return _event("done", {"sessionId": self.session_id})


def _event(kind: str, payload: Any) -> ServerSentEvent:
    # Ash's clients split lines by themselves, and want to see that a message is one.
    return NamedEvent(COMPACT.dumps(payload), event=kind)


class AshFold:
    """Folds one response: the messages of the stream, as a list, without the partial ones.

    Args:
        dialect: The configuration of a stream with whole messages only.
    """

    def __init__(self, dialect: Ash) -> None:
        self._encoder = AshEncoder(dialect)
        self._messages: list[str] = []
        self._finish = Finish()
        self._file: File | None = None
        self.size = 0

    def add(self, item: AnItem) -> None:
        """Takes one item in."""
        if isinstance(item, File):
            self._file = item
            self.size += len(item.content)
            return
        if isinstance(item, Finish):
            self._finish = item
        if isinstance(item, Text | Thinking):
            self.size += len(item.text)
        self._take(self._encoder.encode(item))

    def _take(self, events: Iterable[ServerSentEvent]) -> None:
        for event in events:
            if event.event == "message":
                self._messages.append(event.data)
                self.size += len(event.data)

    def finish(self) -> BufferedAnswer:
        """Returns the answer."""
        if not self._finish.ok:
            return self.fail(bad_end(self._finish, "agent"))
        if self._file is not None:
            return file_answer(self._file)
        self._take(self._encoder.finish())
        session_id = COMPACT.dumps(self._encoder.session_id)
        return json_answer(200, f'{{"messages":[{",".join(self._messages)}],"sessionId":{session_id}}}')

    def fail(self, failure: Failure) -> BufferedAnswer:
        """Returns the answer to a request that failed."""
        return json_answer(
            failure.status, COMPACT.dumps({"error": failure.message, "statusCode": failure.status})
        )
