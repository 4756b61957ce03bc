"""MachPay: paid skills that stream, and the client's side of them."""

from collections.abc import Iterable

from sseware.dialects import Dialect, hookimpl
from sseware.errors import StreamError

from ._billing import Pricing
from ._client import AsyncSkillStream, SkillStream, async_with_retry, with_retry
from ._dialect import MachPay
from ._payloads import Chunk, End, Error, Start

__all__ = [
    "AsyncSkillStream",
    "Chunk",
    "End",
    "Error",
    "MachPay",
    "Pricing",
    "SkillStream",
    "Start",
    "StreamError",
    "async_with_retry",
    "sseware_dialects",
    "with_retry",
]


@hookimpl
def sseware_dialects() -> Iterable[Dialect]:
    """Provides MachPay in its default configuration."""
    return [MachPay()]
