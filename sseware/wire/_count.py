"""How many events there are in bytes that we have written ourselves."""

from __future__ import annotations

__all__ = ["count_events"]


def count_events(chunk: bytes) -> int:
    r"""Counts the events in bytes that the encoders of this package have written; a comment is none.

    It trusts where they put a blank line, and what they begin a block with, and does not read. For what comes from
    others there is the parser.

    >>> count_events(b": hello\n\nevent: note\ndata: a\n\ndata: b\n\n")
    2

    Args:
        chunk: Whole events.
    """
    blocks = chunk.count(b"\n\n")
    if not blocks:
        return 0
    # An event begins with id, event or data; what begins with a retry has nothing else.
    others = int(chunk[0] in b":r")
    if blocks > 1:
        others += chunk.count(b"\n\n:") + chunk.count(b"\n\nr")
    return blocks - others
