"""The header fields of an answer, merged from whoever has a say."""

from __future__ import annotations

from collections.abc import Iterable

from .._types import RawHeaders
from ..negotiation import merge_vary

__all__ = ["buffered_head", "stream_head"]

_STREAM = (
    ("content-type", "text/event-stream; charset=utf-8"),
    # A stored stream is a stale one, and a transformed one (compressed, minified) is held back.
    ("cache-control", "no-store, no-transform"),
    ("x-content-type-options", "nosniff"),
    ("x-accel-buffering", "no"),
)

# RFC 9110, section 7.6.1: a connection's own fields; HTTP/2 and later forbid them.
_HOP_BY_HOP = frozenset(("connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"))


def stream_head(
    http_version: str, dialect: Iterable[tuple[str, str]], options: Iterable[tuple[str, str]]
) -> RawHeaders:
    """Returns the header fields of a stream: ours, replaced by the dialect's, replaced by the options'."""
    headers = _replace(_replace(list(_STREAM), dialect), options)
    # A stream has no length that could be known.
    dropped = {"content-length"} if http_version == "1.1" else {"content-length", *_HOP_BY_HOP}
    return _raw((name, value) for name, value in _with_vary(headers) if name not in dropped)


def buffered_head(
    answer: Iterable[tuple[str, str]], options: Iterable[tuple[str, str]], length: int | None
) -> RawHeaders:
    """Returns the header fields of a buffered answer; ``length`` is that of its body, in bytes."""
    headers = _replace([("x-content-type-options", "nosniff")], answer)
    headers = _replace(headers, ((name, value) for name, value in options if name != "content-type"))
    headers = [(name, value) for name, value in headers if name != "content-length"]
    if length is not None:
        headers.append(("content-length", str(length)))
    return _raw(_with_vary(headers))


def _replace(headers: list[tuple[str, str]], fields: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Replaces fields by name; a name that is given twice stays twice, as Set-Cookie must."""
    fields = list(fields)
    names = {name for name, _ in fields}
    return [field for field in headers if field[0] not in names] + fields


def _with_vary(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    existing = ", ".join(value for name, value in headers if name == "vary")
    others = [field for field in headers if field[0] != "vary"]
    return [*others, ("vary", merge_vary(existing, "Accept"))]


def _raw(headers: Iterable[tuple[str, str]]) -> RawHeaders:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
