"""The header fields of an answer, merged from whoever has a say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from .._types import RawHeaders
from ..negotiation import merge_vary

__all__ = ["add_vary", "buffered_head", "has_body", "stream_head"]

_STREAM: Final = (
    ("content-type", "text/event-stream; charset=utf-8"),
    # A stored stream is a stale one, and a transformed one (compressed, minified) is held back.
    ("cache-control", "no-store, no-transform"),
    ("x-content-type-options", "nosniff"),
    ("x-accel-buffering", "no"),
)

# How a message is framed is for the server to say: a stream has no length that could be known, and what a length
# is that we do know is written by us.
_FRAMING: Final = frozenset(("content-length", "transfer-encoding"))
# RFC 9110, section 7.6.1: a connection's own fields, which HTTP/2 and later forbid and HTTP/1.0 does not have.
_HOP_BY_HOP: Final = frozenset(("connection", "keep-alive", "proxy-connection", "te", "upgrade"))


def has_body(status: int) -> bool:
    """Tells whether an answer of this status may have a body (RFC 9110, section 6.4.1)."""
    return status >= 200 and status not in (204, 205, 304)


def stream_head(
    http_version: str, dialect: Iterable[tuple[str, str]], options: Iterable[tuple[str, str]]
) -> RawHeaders:
    """Returns the header fields of a stream: ours, replaced by the dialect's, replaced by the options'."""
    return _raw(http_version, _replace(_replace(_STREAM, dialect), options))


def buffered_head(
    http_version: str,
    answer: Iterable[tuple[str, str]],
    options: Iterable[tuple[str, str]],
    length: int | None,
) -> RawHeaders:
    """Returns the header fields of a buffered answer: the dialect's, and the options' where it has none.

    Args:
        http_version: ``"1.0"``, ``"1.1"``, ``"2"`` or ``"3"``.
        answer: The fields of the answer.
        options: The fields that the user wants; what the body is, is for the answer to say.
        length: How many bytes the body has, or ``None`` where that is not known or it must have none.
    """
    fields = _replace((("x-content-type-options", "nosniff"),), answer)
    fields = _replace(fields, (field for field in options if field[0] != "content-type"))
    raw = _raw(http_version, fields)
    if length is not None:
        raw.append((b"content-length", str(length).encode()))
    return raw


def _replace(fields: Iterable[tuple[str, str]], others: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Replaces fields by name; a name that is given twice stays twice, as Set-Cookie must."""
    others = [(name.lower(), value) for name, value in others]
    names = {name for name, _ in others}
    return [field for field in fields if field[0] not in names] + others


def _raw(http_version: str, fields: Iterable[tuple[str, str]]) -> RawHeaders:
    dropped = _FRAMING if http_version == "1.1" else _FRAMING | _HOP_BY_HOP
    return add_vary(
        [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields if name not in dropped]
    )


def add_vary(raw: RawHeaders) -> RawHeaders:
    """Returns header fields with ``Accept`` among those on which the answer depends (RFC 9110, section 12.5.5)."""
    existing = b", ".join(value for name, value in raw if name.lower() == b"vary").decode("latin-1")
    others = [field for field in raw if field[0].lower() != b"vary"]
    return [*others, (b"vary", merge_vary(existing, "Accept").encode("latin-1"))]
