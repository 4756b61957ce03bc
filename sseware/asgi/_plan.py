"""What is known of an answer before its handler runs."""

from __future__ import annotations

import logging
from typing import Final

import msgspec

from .._types import Message, RawHeaders
from ..dialects import BufferedAnswer, DialectEncoder, DialectFold, ItemEncoders, StreamContext
from ..items import Failure
from ..wire import content_type_essence
from ._headers import buffered_head, has_body
from ._menu import Dish
from ._settings import Settings

__all__ = ["Plan"]

_log = logging.getLogger("sseware")

_LAST_RESORT: Final = BufferedAnswer(500, (("content-type", "text/plain; charset=utf-8"),), b"internal error")
"""What is answered where a dialect cannot even say that something failed."""


class Plan(msgspec.Struct, frozen=True):
    """The dialect that was chosen, and what it may know of the request.

    Attributes:
        dish: The dialect, under the options.
        context: What the dialect may know of the request.
    """

    dish: Dish
    context: StreamContext

    @property
    def settings(self) -> Settings:
        """The options."""
        return self.dish.settings

    @property
    def extra(self) -> ItemEncoders:
        """What plugins add to the dialect."""
        return self.dish.extra

    @property
    def pace(self) -> tuple[float, int | None]:
        """The pause between two events, in seconds, and how many bytes a handler may run ahead."""
        return self.dish.pace

    def encoder(self) -> DialectEncoder:
        """Returns the dialect's encoder of the stream."""
        return self.dish.dialect.open(self.context)

    def fold(self) -> DialectFold:
        """Returns the dialect's fold of the buffered answer."""
        return self.dish.dialect.fold(self.context)

    def stream_start(self) -> Message:
        """Returns the message that begins a stream."""
        return _start(self.settings.status_code, self.dish.head(self.context.http_version))

    def buffered_start(self, media_type: str | None) -> Message:
        """Returns the message that begins a buffered answer whose body is not known, for HEAD."""
        fields = () if media_type is None else (("content-type", self._spelled(media_type)),)
        return _start(200, buffered_head(self.context.http_version, fields, self.settings.headers, None))

    def _spelled(self, media_type: str) -> str:
        """Returns a media type as the dialect writes it, with its charset: as an answer without content has it."""
        try:
            written = dict(self.fold().finish().headers).get("content-type", "")
        except Exception:  # a stranger's dialect may raise anything
            _log.exception("the dialect could not answer nothing")
            return media_type
        return written if content_type_essence(written) == media_type else media_type

    def answer_messages(self, answer: BufferedAnswer, *, body: bool = True) -> tuple[Message, Message]:
        """Returns the messages of a buffered answer; ``body`` is false for HEAD."""
        carried = has_body(answer.status)
        length = len(answer.body) if carried else None
        headers = buffered_head(self.context.http_version, answer.headers, self.settings.headers, length)
        return _start(answer.status, headers), {
            "type": "http.response.body",
            "body": answer.body if body and carried else b"",
            "more_body": False,
        }

    def failed(self, failure: Failure) -> BufferedAnswer:
        """Returns the dialect's answer to a request that failed before it had begun to answer; never raises."""
        try:
            answer = self.fold().fail(failure)
        except Exception:  # a stranger's dialect may raise anything
            _log.exception("the dialect could not tell its failure")
            return _LAST_RESORT
        if failure.retry_after is None or any(name == "retry-after" for name, _ in answer.headers):
            return answer
        # RFC 9110, section 10.2.3.
        return msgspec.structs.replace(
            answer, headers=(*answer.headers, ("retry-after", str(failure.retry_after)))
        )


def _start(status: int, headers: RawHeaders) -> Message:
    return {"type": "http.response.start", "status": status, "headers": headers}
