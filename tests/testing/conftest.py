"""The toolkit is tested in virtual time, on both event loops."""

from __future__ import annotations

from typing import Any

import pytest

from sseware.testing._clock import virtual_backend


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    """Both event loops, with virtual time."""
    return virtual_backend(request.param)
