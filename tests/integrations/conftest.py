"""What the tests of frameworks share: virtual time, and both event loops where the framework runs on both."""

from __future__ import annotations

from typing import Any

import pytest

from sseware.testing._clock import virtual_backend


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    """Both event loops, with virtual time."""
    return virtual_backend(request.param)
