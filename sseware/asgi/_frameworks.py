"""The frameworks that want their own: found by name, and only where the application has loaded them itself.

A shell is the module of `sseware.integrations` for one framework. The front door imports none of them: it looks a
framework up among the modules that are loaded, and loads the shell of one that is. What a shell is asked is whether a
call is its own; so that several frameworks may share a process.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any, Final

import msgspec

__all__ = ["Shell", "find_shell", "response_class"]

_SHELLS: Final = (
    ("quart", "sseware.integrations.quart"),
    ("django.http", "sseware.integrations.django"),
    ("falcon.asgi", "sseware.integrations.falcon"),
)
"""Frameworks that send by themselves. The others take an ASGI application for a response."""

_RESPONSES: Final = (("starlette.responses", "sseware.integrations.starlette"),)
"""Frameworks that take an ASGI application only where it is of a class of their own."""


class Shell(msgspec.Struct, frozen=True):
    """How a framework that sends by itself is answered.

    Attributes:
        claims: Tells from the arguments of a call whether it is this framework that calls.
        answer: Makes what the framework takes for a response, of a stream and the arguments of the call.
    """

    claims: Callable[[tuple[Any, ...]], bool]
    answer: Callable[[Any, tuple[Any, ...]], Awaitable[Any]]


def find_shell(args: tuple[Any, ...]) -> Shell | None:
    """Returns the shell that a call belongs to, or ``None``: an ASGI application is what is wanted."""
    for framework, name in _SHELLS:
        if framework in sys.modules:
            shell: Shell = import_module(name).SHELL
            if shell.claims(args):
                return shell
    return None


def response_class() -> type[Any] | None:
    """Returns the class of stream that is a response of a loaded framework's own kind, too."""
    for framework, name in _RESPONSES:
        if framework in sys.modules:
            found: type[Any] | None = getattr(sys.modules.get(name), "EventStream", None)
            if found is None:
                # It is not there yet; or it is about to be, in another thread, for which this waits.
                found = import_module(name).EventStream
            return found
    return None
