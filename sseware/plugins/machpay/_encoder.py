"""Items to MachPay's events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sseware import ServerSentEvent
from sseware.dialects import COMPACT, AnItem, StreamContext, bad_end, leave_out, refuse_owned
from sseware.items import Data, Failure, Finish, Text, Usage
from sseware.items import Start as StartItem

from ._billing import Meter
from ._payloads import End, Error, Start
from ._timestamps import timestamps

if TYPE_CHECKING:
    from ._dialect import MachPay

__all__ = ["MachPayEncoder", "code_of"]


class MachPayEncoder:
    """Encodes one response.

    ``start`` is written with the first item, because a `Start` item may say what is in it.

    Args:
        dialect: The configuration.
        context: The request.
    """

    def __init__(self, dialect: MachPay, context: StreamContext) -> None:
        self._dialect = dialect
        self._context = context
        self._meter = Meter(dialect.count_tokens)
        self._timestamp = timestamps(dialect.now)
        self._index = 0
        self._chunk_event = dialect.chunk_event or "message"
        self._finish = Finish()
        self._opened = False

    def start(self) -> Iterable[ServerSentEvent]:
        """Returns nothing yet."""
        return ()

    def encode(self, item: AnItem) -> Iterable[ServerSentEvent]:
        """Returns the events of one item."""
        if self._opened:
            return self._chunk(item.text) if type(item) is Text else self._encode(item)
        if isinstance(item, StartItem):
            return self._open(item)
        return *self._open(StartItem()), *self._encode(item)

    def _open(self, item: StartItem) -> tuple[ServerSentEvent, ...]:
        if self._opened:
            return ()
        self._opened = True
        payload = Start(item.id or self._dialect.new_id("exec"), item.name or self._dialect.skill_id)
        return (_event("start", payload),)

    def _encode(self, item: AnItem) -> tuple[ServerSentEvent, ...]:
        if isinstance(item, Text):
            return self._chunk(item.text)
        if isinstance(item, Data):
            return self._chunk(COMPACT.dumps(item.value))
        if isinstance(item, Usage):
            self._meter.report(item.output_tokens)
        elif isinstance(item, Finish):
            self._finish = item
        elif isinstance(item, ServerSentEvent):
            refuse_owned(self._dialect, item, self._dialect.owned)
            return (item,)
        elif not isinstance(item, StartItem):
            return leave_out(self._dialect, item)
        return ()

    def _chunk(self, text: str) -> tuple[ServerSentEvent, ...]:
        if not text:
            return ()
        self._meter.add(text)
        index = self._index
        self._index = index + 1
        # A `Chunk`, spelled by hand: it is what there are thousands of.
        payload = f'{{"text":{COMPACT.dumps(text)},"index":{index},"timestamp":"{self._timestamp()}"}}'
        return (ServerSentEvent(payload, event=self._chunk_event),)

    def finish(self) -> Iterable[ServerSentEvent]:
        """Returns ``end``, or ``error`` where the run did not end well."""
        opening = self._open(StartItem())
        if not self._finish.ok:
            return *opening, _event("error", Error("INTERNAL_ERROR", bad_end(self._finish, "skill").message))
        tokens, milliseconds = self._meter.tokens, round(self._context.elapsed() * 1000)
        cost = self._dialect.prices.cost(tokens=tokens, milliseconds=milliseconds)
        return *opening, _event("end", End(tokens, cost, milliseconds))

    def fail(self, failure: Failure) -> Iterable[ServerSentEvent]:
        """Returns ``error``; no ``end`` follows it, and nothing is billed."""
        return *self._open(StartItem()), _event("error", Error(code_of(failure), failure.message))


def _event(name: str, payload: Any) -> ServerSentEvent:
    return ServerSentEvent(COMPACT.dumps(payload), event=name)


def code_of(failure: Failure) -> str:
    """Returns MachPay's spelling of a failure's code, which is in upper case."""
    return failure.code.upper()
