"""Applications that nobody here wrote; what is not installed (the dependency group ``apps``) is skipped."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def logging_is_as_it_was() -> Iterator[None]:
    """Undoes what they do to the root logger when they are imported or made."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def anyio_backend() -> Any:
    """Asyncio alone: these applications know nothing else."""
    return "asyncio", {"use_uvloop": False}
