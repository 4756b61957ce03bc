"""What a middleware leaves in the scope for the responses below it."""

from __future__ import annotations

from typing import Final

from .._types import Scope
from ._menu import Menu
from ._passage import Passage

__all__ = ["KEY", "menu_around", "passage_around", "surround"]

KEY: Final = "sseware"
"""Under which name it is left."""


def surround(scope: Scope, around: Passage | Menu) -> Scope:
    """Returns a copy of a scope that tells what is around; what was given must not change for whoever is outside.

    Args:
        scope: The ASGI scope.
        around: The passage of a request, or the options of a middleware around a WebSocket.
    """
    inside = scope.copy()  # a third faster than unpacking
    inside[KEY] = around
    return inside


def passage_around(scope: Scope) -> Passage | None:
    """Returns the way through the middleware around a response; ``None`` without one."""
    found = scope.get(KEY)
    return found if isinstance(found, Passage) else None


def menu_around(scope: Scope) -> Menu | None:
    """Returns the options of the middleware around a response, over HTTP or a WebSocket; ``None`` without one."""
    found = scope.get(KEY)
    if isinstance(found, Passage):
        return found.menu
    return found if isinstance(found, Menu) else None
