"""What a process has open, and whom it has started, as far as Linux tells."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

__all__ = ["children", "descriptors"]


def descriptors() -> set[str]:
    """This process's open descriptors, each with what it leads to."""
    found: set[str] = set()
    for link in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # the one that lists them
            found.add(f"{link.name} -> {link.readlink()}")
    return found


def children() -> set[str]:
    """The ids of this process's children, dead ones that nobody waited for included; none off Linux."""
    found: set[str] = set()
    for task in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):  # a thread that ended since it was listed
            found.update(task.read_text(encoding="ascii").split())
    return found
