"""Hector: an agent's answer in chunks."""

from collections.abc import Iterable

from sseware.dialects import Dialect, hookimpl

from ._decoder import Chunk
from ._dialect import Hector

__all__ = ["Chunk", "Hector", "sseware_dialects"]


@hookimpl
def sseware_dialects() -> Iterable[Dialect]:
    """Provides Hector in its default configuration."""
    return [Hector()]
