"""`sseware.streaming` with exact types: what a decorated function returns is the framework's own response."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, Protocol, TypeVar, Unpack, overload

from ..asgi import EventStream, Options
from ..asgi._streaming import Answer, decorated

__all__ = ["Streaming", "decorator"]

_P = ParamSpec("_P")
_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)


class Streaming(Protocol[_T_co]):
    """A decorator, with options or without, for functions whose response is of one type."""

    @overload
    def __call__(self, handler: Callable[_P, Any], /) -> Callable[_P, Coroutine[Any, Any, _T_co]]: ...
    @overload
    def __call__(
        self, **options: Unpack[Options]
    ) -> Callable[[Callable[_P, Any]], Callable[_P, Coroutine[Any, Any, _T_co]]]: ...


def decorator(answer: Answer[_T], returns: type[Any] = EventStream) -> Streaming[_T]:
    """Makes the decorator of a framework.

    Args:
        answer: Makes a response of what a call yields.
        returns: What is said of its type.
    """

    def streaming(handler: Callable[..., Any] | None = None, /, **options: Unpack[Options]) -> Any:
        """Makes a handler of the framework of a function that yields: `sseware.streaming` with exact types.

        Args:
            handler: A generator function, async or sync, or a function that returns something that yields.
            options: As `sseware.asgi.Settings` describes them.
        """
        decorate = decorated(options, answer, returns)
        return decorate if handler is None else decorate(handler)

    return streaming
