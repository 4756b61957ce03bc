"""Items to MachPay's buffered answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sseware import ServerSentEvent
from sseware.dialects import (
    COMPACT,
    AnItem,
    BufferedAnswer,
    StreamContext,
    bad_end,
    file_answer,
    json_answer,
    leave_out,
    refuse_owned,
)
from sseware.items import Data, Failure, File, Finish, Text, Usage
from sseware.items import Start as StartItem

from ._billing import Meter
from ._encoder import code_of

if TYPE_CHECKING:
    from ._dialect import MachPay

__all__ = ["MachPayFold"]

_ERROR_TYPES: Final = {
    400: "ValidationError",
    401: "AuthenticationError",
    403: "AuthorizationError",
    404: "NotFoundError",
    429: "RateLimitError",
    503: "SkillUnavailable",
}


class MachPayFold:
    """Folds one response.

    Args:
        dialect: The configuration.
        context: The request.
    """

    def __init__(self, dialect: MachPay, context: StreamContext) -> None:
        self._dialect = dialect
        self._context = context
        self._meter = Meter(dialect.count_tokens)
        self._start: StartItem | None = None
        self._text: list[str] = []
        self._finish = Finish()
        self._file: File | None = None
        self.size = 0

    def add(self, item: AnItem) -> None:
        """Takes one item in."""
        if isinstance(item, Text):
            self._add_text(item.text)
        elif isinstance(item, Data):
            self._add_text(COMPACT.dumps(item.value))
        elif isinstance(item, StartItem):
            self._start = self._start or item
        elif isinstance(item, Usage):
            self._meter.report(item.output_tokens)
        elif isinstance(item, Finish):
            self._finish = item
        elif isinstance(item, File):
            self._file = item
            self.size += len(item.content)
        elif isinstance(item, ServerSentEvent):
            # It belongs to the stream; a body has no place for it.
            refuse_owned(self._dialect, item, self._dialect.owned)
        else:
            leave_out(self._dialect, item)

    def _add_text(self, text: str) -> None:
        if text:
            self._meter.add(text)
            self._text.append(text)
            self.size += len(text)

    def finish(self) -> BufferedAnswer:
        """Returns the answer."""
        if not self._finish.ok:
            return self.fail(bad_end(self._finish, "skill"))
        if self._file is not None:
            return file_answer(self._file)
        dialect, start = self._dialect, self._start or StartItem()
        tokens, milliseconds = self._meter.tokens, round(self._context.elapsed() * 1000)
        body = {
            "success": True,
            "data": {
                "text": "".join(self._text),
                "tokens_used": tokens,
                "processing_time_ms": milliseconds,
            },
            "meta": {
                "skill_id": start.name or dialect.skill_id,
                "version": dialect.version,
                "execution_id": start.id or dialect.new_id("exec"),
                "cost_usd": dialect.prices.cost(tokens=tokens, milliseconds=milliseconds),
            },
        }
        return json_answer(200, COMPACT.dumps(body))

    def fail(self, failure: Failure) -> BufferedAnswer:
        """Returns the answer to a request that failed."""
        kind = _ERROR_TYPES.get(failure.status)
        if kind is None:
            kind = "ValidationError" if failure.status < 500 else "InternalError"
        error: dict[str, Any] = {"code": code_of(failure), "message": failure.message, "type": kind}
        if failure.retry_after is not None:
            error["retry_after"] = failure.retry_after
        error["request_id"] = self._dialect.new_id("req")
        return json_answer(failure.status, COMPACT.dumps({"error": error}))
