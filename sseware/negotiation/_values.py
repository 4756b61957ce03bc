"""What goes into a negotiation and what comes out of it."""

from __future__ import annotations

import re
from typing import Final, Literal

import msgspec

from ..errors import ConfigurationError

__all__ = ["ANY_TYPE", "EVENT_STREAM", "Decision", "Offer", "Request"]

EVENT_STREAM: Final = "text/event-stream"
ANY_TYPE: Final = "*/*"

_MEDIA_TYPE: Final = re.compile(r"[!#$%&'+.^_`|~0-9a-z-]+/[!#$%&'+.^_`|~0-9a-z-]+")


class Request(msgspec.Struct, frozen=True):
    """What a negotiation may know of a request.

    Attributes:
        method: The request method.
        path: The path, decoded.
        query: The query string, without its question mark, percent-encoded as it came.
        accept: The value of ``Accept``, several fields joined by commas (RFC 9110, section 5.3), or ``None``.
    """

    method: str = "GET"
    path: str = "/"
    query: str = ""
    accept: str | None = None


class Offer(msgspec.Struct, frozen=True):
    """What one dialect can answer.

    >>> Offer("husk", "buffered", media_types=("text/plain",), stream_flag=("stream", "1")).streams
    True

    Attributes:
        dialect: The name of the dialect.
        default: What a client gets that does not say what it wants.
        media_types: What the buffered answer may be, the preferred one first, in lower case and without
            parameters. ``*/*`` stands for a type that is not known beforehand: any range matches it.
        stream_flag: A query parameter and the value that asks for a stream, or ``None``.
        streams: Whether it can be streamed at all; if not, it is buffered whatever is asked.

    Raises:
        ConfigurationError: There is no media type, or one is not as described.
    """

    dialect: str
    default: Literal["stream", "buffered"] = "stream"
    media_types: tuple[str, ...] = ("application/json",)
    stream_flag: tuple[str, str] | None = None
    streams: bool = True

    def __post_init__(self) -> None:
        if self.default not in ("stream", "buffered"):
            raise ConfigurationError(
                f"default of dialect {self.dialect!r} must be 'stream' or 'buffered', got {self.default!r}"
            )
        _check_media_types(self.dialect, self.media_types)


def _check_media_types(dialect: str, media_types: object) -> None:
    if not isinstance(media_types, tuple) or not media_types:
        raise ConfigurationError(
            f"media_types of dialect {dialect!r} must be a tuple of one media type or more, "
            f"got {media_types!r}"
        )
    for media_type in media_types:
        _check_media_type(dialect, media_type)


def _check_media_type(dialect: str, media_type: object) -> None:
    if media_type == ANY_TYPE:
        return
    if not isinstance(media_type, str) or not _MEDIA_TYPE.fullmatch(media_type):
        raise ConfigurationError(
            f"a media type of dialect {dialect!r} must look like 'text/plain', in lower case, without "
            f"parameters, or be '*/*' where it is not known beforehand; got {media_type!r}"
        )


class Decision(msgspec.Struct, frozen=True):
    """What a client gets, and why.

    Attributes:
        representation: An event stream, one buffered answer, or ``"none"``: nothing that the client accepts.
        dialect: The name of the dialect; the handler's own where nothing is acceptable.
        reason: One sentence that says why, for people.
        media_type: The media type of the answer; ``None`` where there is none, or none is known beforehand.
    """

    representation: Literal["stream", "buffered", "none"]
    dialect: str
    reason: str
    media_type: str | None
