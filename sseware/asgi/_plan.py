"""What is known of an answer before its handler runs."""

from __future__ import annotations

import msgspec

from .._types import Message, RawHeaders
from ..dialects import BufferedAnswer, Dialect, DialectFold, ItemEncoders, StreamContext, stream_headers_of
from ..items import Failure
from ._chunks import ChunkEncoder
from ._headers import buffered_head, stream_head
from ._settings import Settings

__all__ = ["Plan"]


class Plan(msgspec.Struct, frozen=True):
    """The dialect that was chosen, and what it needs.

    Attributes:
        settings: The options.
        dialect: The dialect.
        extra: What plugins add to it.
        context: What the dialect may know of the request.
    """

    settings: Settings
    dialect: Dialect
    extra: ItemEncoders
    context: StreamContext

    def encoder(self) -> ChunkEncoder:
        """Returns the encoder of the stream."""
        return ChunkEncoder(self.dialect.open(self.context), self.extra)

    def fold(self) -> DialectFold:
        """Returns the fold of the buffered answer."""
        return self.dialect.fold(self.context)

    def stream_start(self) -> Message:
        """Returns the message that begins a stream."""
        settings = self.settings
        headers = stream_head(self.context.http_version, stream_headers_of(self.dialect), settings.headers)
        return _start(settings.status_code, headers)

    def buffered_start(self, media_type: str | None) -> Message:
        """Returns the message that begins a buffered answer whose body is not known, for HEAD."""
        fields = () if media_type is None else (("content-type", media_type),)
        return _start(200, buffered_head(fields, self.settings.headers, None))

    def answer_start(self, answer: BufferedAnswer) -> Message:
        """Returns the message that begins a buffered answer."""
        return _start(answer.status, buffered_head(answer.headers, self.settings.headers, len(answer.body)))

    def failed(self, failure: Failure) -> BufferedAnswer:
        """Returns the dialect's answer to a request that failed before it had begun to answer."""
        return self.fold().fail(failure)


def _start(status: int, headers: RawHeaders) -> Message:
    return {"type": "http.response.start", "status": status, "headers": headers}
