"""What every peer streams: a generator of texts, or of texts that are events already."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TypeAlias

__all__ = ["AN_EVENT", "A_TEXT", "Handler"]

Handler: TypeAlias = Callable[[str, str], AsyncIterator[str]]
"""Yields texts; what it is called with goes before and after each, so that a peer may get a whole event."""

A_TEXT = ("", "")
AN_EVENT = ("data: ", "\n\n")
