"""What the tests over a real server share."""

from __future__ import annotations

from typing import Literal, cast

import pytest


@pytest.fixture(scope="module", params=["h11", "httptools"])
def http(request: pytest.FixtureRequest) -> Literal["h11", "httptools"]:
    """Both of uvicorn's HTTP implementations."""
    return cast("Literal['h11', 'httptools']", request.param)
