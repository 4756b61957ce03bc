"""Applications that nobody here wrote; what is not installed (the dependency group ``apps``) is skipped."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def anyio_backend() -> Any:
    """Asyncio alone: these applications know nothing else."""
    return "asyncio", {"use_uvloop": False}
