"""What a middleware leaves in the scope for the responses below it."""

from __future__ import annotations

import msgspec

from .._types import Scope
from ._guard import SendGuard
from ._menu import Menu
from ._receive import ReceivePump

__all__ = ["Surroundings", "menu_around", "put_menu"]

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

    def put_into(self, scope: Scope) -> Scope:
        """Returns a copy of a scope that has them; what was given must not change for whoever is outside."""
        return {**scope, _KEY: self}

    @staticmethod
    def of(scope: Scope) -> Surroundings | None:
        """Returns those that a middleware has left, or ``None``."""
        found = scope.get(_KEY)
        return found if isinstance(found, Surroundings) else None


def put_menu(scope: Scope, menu: Menu) -> Scope:
    """Returns a copy of the scope of a WebSocket that has the options of the middleware around it."""
    return {**scope, _KEY: menu}


def menu_around(scope: Scope) -> Menu | None:
    """Returns the options of the middleware around a response, over HTTP or a WebSocket; ``None`` without one."""
    found = scope.get(_KEY)
    if isinstance(found, Surroundings):
        return found.menu
    return found if isinstance(found, Menu) else None
