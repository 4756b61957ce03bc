"""The application of the demo: the skills server, and beside it one handler at the paths of five systems."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from .._types import ASGIApp

__all__ = ["SYSTEMS", "together"]

SYSTEMS = "/systems"
"""Where the page of the five systems is."""


def together(skills: ModuleType, systems: ModuleType) -> ASGIApp:
    """Returns both examples as one application.

    Args:
        skills: ``examples/husk_skills.py``; it gets what the other has no path for, the lifespan among it.
        systems: ``examples/five_systems.py``.
    """

    async def app(scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("path", "/")
        theirs = path == SYSTEMS or any(route.fullmatch(path) for route, _ in systems.APPS)
        await (systems.app if theirs else skills.app)(scope, receive, send)

    return app
