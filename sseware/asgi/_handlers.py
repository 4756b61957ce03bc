"""Telling a handler from an application, and calling it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import msgspec

from .._types import Receive, Scope
from ..errors import HandlerTypeError
from ._source import Source, open_source

__all__ = ["Handler", "as_handler", "is_asgi_app"]


class Handler(msgspec.Struct, frozen=True):
    """A function that yields items.

    Attributes:
        function: What the user wrote.
        arity: How many of ``scope`` and ``receive`` it takes: 0, 1 or 2.
    """

    function: Callable[..., Any]
    arity: int

    def open(self, scope: Scope, receive: Receive) -> Source:
        """Calls it for one request; nothing of a generator's body runs yet."""
        return open_source(self.function(*(scope, receive)[: self.arity]))


def is_asgi_app(given: object) -> bool:
    """Whether something is an ASGI application: a callable of three, ``scope``, ``receive`` and ``send``."""
    return callable(given) and not _is_generator_function(given) and _takes(given, 3)


def as_handler(given: object) -> Handler:
    """Returns a handler.

    Raises:
        HandlerTypeError: It is no callable of ``scope`` and ``receive``.
    """
    if not callable(given) or isinstance(given, type):
        hint = (
            "pass the function, not what it returns" if hasattr(given, "__next__") or _is_async(given) else ""
        )
        raise HandlerTypeError(
            "want a generator function of (scope, receive), or an ASGI application, "
            f"got {given!r} ({type(given).__name__}){hint and f'; {hint}'}"
        )
    for arity in (2, 1, 0):
        if _takes(given, arity):
            return Handler(given, arity)
    raise HandlerTypeError(
        f"a handler takes (scope, receive), (scope) or nothing, got {given!r} with {_parameters_of(given)}"
    )


def _is_async(given: object) -> bool:
    return hasattr(given, "__anext__")


def _is_generator_function(given: Any) -> bool:
    while isinstance(given, functools.partial):
        given = given.func
    # A class may have a __call__ that is the generator function.
    call = getattr(type(given), "__call__", None)  # noqa: B004  # the attribute, not whether there is one
    return any(
        inspect.isasyncgenfunction(each) or inspect.isgeneratorfunction(each) for each in (given, call)
    )


def _takes(given: Callable[..., Any], count: int) -> bool:
    try:
        _signature(given).bind(*range(count))
    except (TypeError, ValueError):
        return False
    return True


def _signature(given: Any) -> inspect.Signature:
    try:
        return inspect.signature(given)
    except TypeError:
        # Each object of Sentry's middleware has a __call__ of its own, in a slot, which inspect does not follow.
        return inspect.signature(given.__call__)


def _parameters_of(given: Callable[..., Any]) -> str:
    try:
        return str(_signature(given))
    except ValueError:
        # Some functions that are written in C do not tell.
        return "parameters that are not known"
