"""Items to Chronos' events, and to its buffered answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sseware import ServerSentEvent
from sseware.dialects import (
    COMPACT,
    GO,
    AnItem,
    BufferedAnswer,
    bad_end,
    file_answer,
    json_answer,
    leave_out,
    refuse_owned,
)
from sseware.events import NamedEvent
from sseware.items import Data, Failure, File, Finish, Log, Step, Text, Thinking, ToolCall, ToolResult

from ._frames import END_TYPES, StreamEvent, check_event_type, frame, stream_event, timestamp

if TYPE_CHECKING:
    from ._dialect import Chronos

__all__ = ["ChronosEncoder", "ChronosFold"]


class ChronosEncoder:
    """Encodes one response.

    Args:
        dialect: The configuration.

    Attributes:
        ended: Whether a step has ended the stream.
    """

    def __init__(self, dialect: Chronos) -> None:
        self._dialect = dialect
        self._state: dict[str, Any] = {}
        self._node = ""
        self._finish = Finish()
        self.ended = False

    def start(self) -> Iterable[ServerSentEvent]:
        """Returns nothing: a run begins with its first node."""
        return ()

    def encode(self, item: AnItem) -> Iterable[ServerSentEvent]:
        """Returns the events of one item; none after the stream has ended."""
        if self.ended:
            return ()
        if isinstance(item, Step):
            return (self._step(item),)
        if isinstance(item, Finish):
            self._finish = item
            return ()
        if isinstance(item, ServerSentEvent):
            refuse_owned(self._dialect, item, self._dialect.owned)
            return (item,)
        if isinstance(item, Data):
            return (self._data(item),)
        return self._tool(item) if isinstance(item, ToolCall | ToolResult) else self._piece(item)

    def _step(self, item: Step) -> ServerSentEvent:
        if item.kind == "completed":
            return self._end(StreamEvent("completed", self._now(), state=item.state or self._state))
        if item.kind == "error":
            return self._error(item.error or "the node failed", item.node or self._node)
        if item.state:
            self._state = item.state
        self._node = item.node if item.kind == "node_start" else ""
        event = StreamEvent(item.kind, self._now(), item.node, item.state or {}, item.error or "")
        return self._end(event) if item.kind in END_TYPES else self._stream_event(event)

    def _data(self, item: Data) -> ServerSentEvent:
        if item.name is None:
            return self._custom("data", item.value)
        event = self._event(check_event_type(item.name), GO.dumps(item.value))
        self.ended = item.name in END_TYPES
        return event

    def _tool(self, item: ToolCall | ToolResult) -> Iterable[ServerSentEvent]:
        name = "tool_call" if isinstance(item, ToolCall) else "tool_result"
        fields = {field: getattr(item, field) for field in item.__struct_fields__}
        return (self._event(name, GO.dumps(fields)),)

    def _piece(self, item: AnItem) -> Iterable[ServerSentEvent]:
        if not isinstance(item, Text | Log | Thinking):
            return leave_out(self._dialect, item)
        name = "token" if isinstance(item, Text) else "log" if isinstance(item, Log) else "thinking"
        return (self._custom(name, item.text),) if item.text else ()

    def _custom(self, name: str, payload: Any) -> ServerSentEvent:
        # An object, spelled by hand: it is what there are thousands of.
        return self._event("custom", f'{{"custom_type":{GO.dumps(name)},"payload":{GO.dumps(payload)}}}')

    def finish(self) -> Iterable[ServerSentEvent]:
        """Returns ``completed`` with the full state, or ``error`` where the run did not end well."""
        if self.ended:
            return ()
        if not self._finish.ok:
            return (self._error(bad_end(self._finish, "run").message, self._node),)
        result = self._finish.result
        state = result if isinstance(result, dict) else self._state
        return (self._end(StreamEvent("completed", self._now(), state=state)),)

    def fail(self, failure: Failure) -> Iterable[ServerSentEvent]:
        """Returns ``error``."""
        return () if self.ended else (self._error(failure.message, self._node),)

    def _error(self, message: str, node: str) -> ServerSentEvent:
        return self._end(StreamEvent("error", self._now(), node, error=message))

    def _end(self, event: StreamEvent) -> ServerSentEvent:
        written = self._stream_event(event)
        self.ended = True
        return written

    def _stream_event(self, event: StreamEvent) -> ServerSentEvent:
        return self._event(check_event_type(event.type), stream_event(event))

    def _event(self, kind: str, payload: str) -> ServerSentEvent:
        data = frame(kind, payload)
        return NamedEvent(data, event=kind) if self._dialect.named else ServerSentEvent(data)

    def _now(self) -> str:
        return timestamp(self._dialect.now())


class ChronosFold:
    """Folds one response: the frames of the stream, as a list.

    Args:
        dialect: The configuration.
    """

    def __init__(self, dialect: Chronos) -> None:
        self._encoder = ChronosEncoder(dialect)
        self._frames: list[str] = []
        self._finish = Finish()
        self._file: File | None = None
        self.size = 0

    @property
    def ended(self) -> bool:
        """Whether a step has ended the answer."""
        return self._encoder.ended

    def add(self, item: AnItem) -> None:
        """Takes one item in."""
        if isinstance(item, File):
            self._file = item
            self.size += len(item.content)
            return
        if isinstance(item, Finish):
            self._finish = item
        self._take(self._encoder.encode(item))

    def _take(self, events: Iterable[ServerSentEvent]) -> None:
        for event in events:
            self._frames.append(event.data)
            self.size += len(event.data)

    def finish(self) -> BufferedAnswer:
        """Returns the answer."""
        if not self._finish.ok:
            failure = bad_end(self._finish, "run")
            return self.fail(failure)
        if self._file is not None:
            return file_answer(self._file)
        self._take(self._encoder.finish())
        return json_answer(200, f'{{"events":[{",".join(self._frames)}]}}')

    def fail(self, failure: Failure) -> BufferedAnswer:
        """Returns the answer to a request that failed."""
        return json_answer(failure.status, COMPACT.dumps({"error": failure.message}))
