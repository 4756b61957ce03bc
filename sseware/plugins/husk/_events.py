"""The events that are HUSK's own."""

from __future__ import annotations

from typing import Final

import msgspec

__all__ = ["OUTPUT_LIMIT", "OWNED", "Done"]

OWNED: Final = frozenset(("stdout", "stderr", "done", "error"))
"""The event types that only the dialect writes."""

OUTPUT_LIMIT: Final = "output_limit"
"""The code of the one failure that ``done`` follows: the output was larger than a stream may be."""


class Done(msgspec.Struct, frozen=True, rename="camel"):
    """The payload of ``done``.

    Attributes:
        ok: Whether the kernel did well.
        exit_code: Its exit code; ``None`` where it was killed, or never started.
    """

    ok: bool
    exit_code: int | None
