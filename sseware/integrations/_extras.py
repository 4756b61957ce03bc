"""What is said where a framework is not installed."""

from __future__ import annotations

__all__ = ["missing"]


def missing(framework: str, extra: str) -> ImportError:
    """Returns the error that names the extra."""
    return ImportError(
        f"sseware.integrations.{extra} wants {framework}, which is not installed: pip install 'sseware[{extra}]'",
        name=extra,
    )
