"""What is wrong with the head of a response, in a sentence: for applications and live endpoints alike."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ...wire import content_type_essence

__all__ = ["caching_problem", "proxy_problem", "stream_head_problem", "vary_problem"]


def stream_head_problem(status: int, headers: Mapping[str, str]) -> str | None:
    """Tells why a head does not open an event stream."""
    kind = headers.get("content-type")
    if status != 200:
        return f"the status is {status}, not 200: a client gives up"
    if content_type_essence(kind) != "text/event-stream":
        return f"the content type is {kind!r}, not text/event-stream: a client gives up"
    charset = re.search(r'charset\s*=\s*"?([^";\s]+)', kind or "", re.IGNORECASE)
    if charset is not None and charset[1].lower() not in ("utf-8", "utf8"):
        return f"the charset is {charset[1]!r}; an event stream is UTF-8, and clients decode nothing else"
    if "content-length" in headers:
        return f"there is a Content-Length of {headers['content-length']}; a stream has none"
    return None


def _directives(headers: Mapping[str, str]) -> set[str]:
    return {part.partition("=")[0].strip().lower() for part in headers.get("cache-control", "").split(",")}


def caching_problem(headers: Mapping[str, str]) -> str | None:
    """Tells why a cache might keep a stream."""
    if _directives(headers) & {"no-store", "no-cache"}:
        return None
    return f"Cache-Control is {headers.get('cache-control')!r}; want no-store or no-cache in it"


def proxy_problem(headers: Mapping[str, str]) -> str | None:
    """Tells why a proxy might change a stream, or hold it back."""
    missing = []
    if "no-transform" not in _directives(headers):
        missing.append("Cache-Control: no-transform (a proxy that compresses may hold events back)")
    if headers.get("x-accel-buffering", "").strip().lower() != "no":
        missing.append("X-Accel-Buffering: no (nginx gathers 4 or 8 KiB otherwise)")
    return f"there is no {', and no '.join(missing)}" if missing else None


def vary_problem(heads: Iterable[tuple[str, int, Mapping[str, str]]]) -> str | None:
    """Tells which answer lacks ``Vary: Accept``, where Accept decides.

    Args:
        heads: What was accepted, the status and the header fields of each answer.
    """
    heads = list(heads)
    kinds = {(status, content_type_essence(headers.get("content-type"))) for _, status, headers in heads}
    if len(kinds) < 2:
        return None
    for accept, status, headers in heads:
        fields = {part.strip().lower() for part in headers.get("vary", "").split(",")}
        if not fields & {"accept", "*"}:
            return f"Accept decides what is answered, and the answer to {accept!r}, {status}, has no Vary: Accept"
    return None
