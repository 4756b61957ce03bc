"""The command line: ``python -m sseware``, or ``sseware``."""

from ._main import main

__all__ = ["main"]
