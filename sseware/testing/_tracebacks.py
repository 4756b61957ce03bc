"""What a traceback leaves out: where a test fails, the frames of this package say nothing to those who read it."""

from __future__ import annotations

from typing import Any

from ..errors import SSEError
from .errors import TranscriptError

__all__ = ["is_failure"]


def is_failure(excinfo: Any) -> bool:
    """Tells whether an exception is one that this package means to raise, for pytest's ``__tracebackhide__``.

    Where it is anything else, a mistake of ours may be behind it, and all frames are shown.

    Args:
        excinfo: What pytest knows of the exception.
    """
    return isinstance(excinfo.value, TranscriptError | AssertionError | SSEError)
