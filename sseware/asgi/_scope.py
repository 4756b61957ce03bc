"""What a middleware leaves in the scope for the responses below it."""

from __future__ import annotations

from typing import Any

import msgspec

from .._types import Scope
from ._guard import SendGuard
from ._menu import Menu
from ._receive import ReceivePump

__all__ = ["Surroundings", "menu_around", "put_menu", "surround"]

_KEY = "sseware"


class Surroundings(msgspec.Struct, frozen=True):
    """What is around a response.

    Attributes:
        menu: The options of the middleware.
        pump: Receives for the whole request.
        guard: Watches over what is sent.
    """

    menu: Menu
    pump: ReceivePump
    guard: SendGuard

    @staticmethod
    def of(scope: Scope) -> Surroundings | None:
        """Returns those that a middleware has left, or ``None``."""
        found = scope.get(_KEY)
        return Surroundings(*found) if _are_ours(found) else None


def surround(scope: Scope, menu: Menu, pump: ReceivePump, guard: SendGuard) -> Scope:
    """Returns a copy of a scope that has `Surroundings`; what was given must not change for whoever is outside."""
    # A copy is a third faster than unpacking, and a tuple is all it needs: most requests are answered by somebody who
    # never looks.
    inside = scope.copy()
    inside[_KEY] = (menu, pump, guard)
    return inside


def put_menu(scope: Scope, menu: Menu) -> Scope:
    """Returns a copy of the scope of a WebSocket that has the options of the middleware around it."""
    return {**scope, _KEY: menu}


def menu_around(scope: Scope) -> Menu | None:
    """Returns the options of the middleware around a response, over HTTP or a WebSocket; ``None`` without one."""
    found = scope.get(_KEY)
    if _are_ours(found):
        found = found[0]
    return found if isinstance(found, Menu) else None


def _are_ours(found: Any) -> bool:
    return type(found) is tuple and len(found) == 3 and isinstance(found[2], SendGuard)
