"""The decorator that makes a handler of a framework of a function that yields."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, NamedTuple, ParamSpec, TypeAlias, TypeVar, Unpack, overload

import anyio.to_thread

from ..errors import HandlerTypeError
from ._frameworks import find_shell
from ._middleware import SSEMiddleware
from ._response import EventStream
from ._settings import Options, Settings

__all__ = ["Answer", "Call", "Streamed", "decorated", "streamed_of", "streaming"]

P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S", bound=EventStream)

_MARK: Final = "__sseware__"


class Call(NamedTuple):
    """One call of a decorated function.

    Attributes:
        content: What the handler gave.
        options: The options of the decorator.
        args: The arguments of the call.
        kwargs: Those with names.
    """

    content: Any
    options: Options
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def stream(self, kind: type[S]) -> S:
        """Makes a stream of a kind."""
        stream = kind(self.content, **self.options)
        # A request object, of whatever framework, has `receive`; without one the handler cannot read the body.
        stream._may_receive = any(hasattr(each, "receive") for each in (*self.args, *self.kwargs.values()))
        return stream


Answer: TypeAlias = Callable[[Call], Awaitable[T]]
"""Makes a framework's response of a call."""


class Streamed:
    """What a decorated function was made of.

    Attributes:
        handler: The function that yields.
        options: The options that were given.
    """

    __slots__ = ("handler", "options")

    def __init__(self, handler: Callable[..., Any], options: Options) -> None:
        self.handler = handler
        self.options = options


@overload
def streaming(handler: Callable[P, Any], /) -> Callable[P, Coroutine[Any, Any, Any]]: ...
@overload
def streaming(
    **options: Unpack[Options],
) -> Callable[[Callable[P, Any]], Callable[P, Coroutine[Any, Any, Any]]]: ...
def streaming(handler: Callable[..., Any] | None = None, /, **options: Unpack[Options]) -> Any:
    """Makes a handler of a framework of a function that yields; its answer negotiates by itself.

    >>> @streaming(dialect="plain")
    ... async def story(name: str):
    ...     yield f"Once upon a time there was {name}."

    The signature stays, so that a framework injects what it would have injected. What is returned is whatever the
    framework that calls it wants: Starlette, FastAPI, Litestar, Quart, Django and Falcon; called as an ASGI
    application it is one. The modules of `sseware.integrations` have the same decorator with exact types.

    Args:
        handler: A generator function, async or sync, or a function that returns something that yields. What is no
            generator function and not async is called in a worker thread.
        options: As `Settings` describes them. What is not given comes from the `SSEMiddleware` around the
            application, where there is one.

    Raises:
        HandlerTypeError: It is no function.
        ConfigurationError: An option is not what it must be, or there is no such dialect.
    """
    decorate = decorated(options, _answer)
    return decorate if handler is None else decorate(handler)


async def _answer(call: Call) -> Any:
    stream = call.stream(EventStream)
    shell = find_shell(call.args)
    return stream if shell is None else await shell.answer(stream, call.args)


def decorated(
    options: Options, answer: Answer[T], returns: type[Any] = EventStream
) -> Callable[[Callable[P, Any]], Callable[P, Coroutine[Any, Any, T]]]:
    """Returns a decorator; ``answer`` makes the response, and ``returns`` is what is said of its type."""
    Settings().replace(options)  # a wrong option is told where it stands, and not when a request comes

    def decorate(handler: Callable[P, Any]) -> Callable[P, Coroutine[Any, Any, T]]:
        _check_handler(handler)
        returns_at_once = _returns_at_once(handler)
        app: SSEMiddleware | None = None

        async def endpoint(*args: Any, **kwargs: Any) -> Any:
            nonlocal app
            if _is_asgi_call(args, kwargs):
                app = app or SSEMiddleware(handler, **options)
                return await app(*args)
            begin = functools.partial(handler, *args, **kwargs)
            content = begin() if returns_at_once else await anyio.to_thread.run_sync(begin)
            return await answer(Call(content, options, args, kwargs))

        disguised: Callable[P, Coroutine[Any, Any, T]] = _disguised(
            endpoint, handler, Streamed(handler, options), returns
        )
        return disguised

    return decorate


def streamed_of(endpoint: object) -> Streamed | None:
    """Returns what a decorated function was made of; ``None`` if it is none."""
    found = getattr(endpoint, _MARK, None)
    return found if isinstance(found, Streamed) else None


def _check_handler(handler: object) -> None:
    if callable(handler) and not isinstance(handler, type):
        return
    raise HandlerTypeError(
        "streaming decorates a function that yields, "
        f"got {handler!r} ({type(handler).__name__}); a generator is wrapped by EventStream"
    )


def _returns_at_once(handler: Any) -> bool:
    """Whether a call runs nothing of the function: it makes a generator or a coroutine."""
    while isinstance(handler, functools.partial):
        handler = handler.func
    # A class may have a __call__ that is the generator function.
    call = getattr(type(handler), "__call__", None)  # noqa: B004  # the attribute, not whether there is one
    tests = (inspect.isasyncgenfunction, inspect.isgeneratorfunction, inspect.iscoroutinefunction)
    return any(is_kind(each) for each in (handler, call) for is_kind in tests)


def _is_asgi_call(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    return len(args) == 3 and not kwargs and isinstance(args[0], dict) and "type" in args[0]


def _disguised(endpoint: Any, handler: Callable[..., Any], streamed: Streamed, returns: type[Any]) -> Any:
    """Gives a function the looks of the handler.

    `functools.wraps` would leave ``__wrapped__``, by which FastAPI would find that it is a generator function, and
    would stream it by itself. So parameters are told in the two ways in which frameworks ask: ``__signature__``
    (FastAPI), where there is no result, for it is not to be validated; ``__annotations__`` (Litestar), where the
    result must be one, and is an ASGI application.
    """
    functools.update_wrapper(endpoint, handler, assigned=_ASSIGNED)
    vars(endpoint).pop("__wrapped__", None)
    endpoint.__name__ = getattr(handler, "__name__", type(handler).__name__)
    signature = inspect.signature(handler)
    names = getattr(inspect.unwrap(handler), "__globals__", {})
    parameters = [
        each.replace(annotation=_evaluated(each.annotation, names)) for each in signature.parameters.values()
    ]
    endpoint.__signature__ = signature.replace(
        parameters=parameters, return_annotation=inspect.Signature.empty
    )
    endpoint.__annotations__ = {
        each.name: each.annotation for each in parameters if each.annotation is not inspect.Parameter.empty
    } | {"return": returns}
    setattr(endpoint, _MARK, streamed)
    return endpoint


_ASSIGNED: Final = ("__module__", "__qualname__", "__doc__")


def _evaluated(annotation: Any, names: dict[str, Any]) -> Any:
    """Returns what a postponed annotation means, as ``inspect.signature(eval_str=True)`` does for all at once."""
    if not isinstance(annotation, str):
        return annotation
    try:
        return eval(annotation, names)  # noqa: S307  # it is the user's own source
    except Exception:  # a name that is not there yet; the framework says what it thinks of it
        return annotation
