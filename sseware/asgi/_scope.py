"""What a middleware leaves in the scope for the responses below it."""

from __future__ import annotations

from .._types import Scope
from ._receive import ReceivePump
from ._settings import Settings

__all__ = ["leave_in", "middleware_of"]

_KEY = "sseware"


def leave_in(scope: Scope, settings: Settings, pump: ReceivePump) -> Scope:
    """Returns a copy of a scope that carries a middleware's settings and its pump."""
    return {**scope, _KEY: (settings, pump)}


def middleware_of(scope: Scope) -> tuple[Settings | None, ReceivePump | None]:
    """Returns what the middleware around an application has left for it, or nothing."""
    left: tuple[Settings, ReceivePump] | None = scope.get(_KEY)
    return left or (None, None)
