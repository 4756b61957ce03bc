"""The laws as classes to subclass: pytest and unittest collect a test for each law."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any, ClassVar

from ..errors import LawSkipped
from ._app_run import AppTarget
from ._law import Law
from ._table import app, check, dialect, encoder, parser

__all__ = ["AppSuite", "DialectSuite", "EncoderSuite", "ParserSuite"]


class _Suite:
    """A test for each law of a kind, made for each class that names its target."""

    exempt: ClassVar[Mapping[str, str]] = {}
    """Laws that are not kept, by id, each with the reason."""

    max_examples: ClassVar[int | None] = None
    """How many random examples a law is tried with; each law has a number of its own."""

    _names: ClassVar[str] = ""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "_names" in vars(cls) or not hasattr(cls, cls._names):
            return
        known = {law.id for law in cls._laws()}
        if unknown := sorted(set(cls.exempt) - known):
            raise TypeError(f"{cls.__name__}.exempt names no law: {', '.join(unknown)}")
        for law in cls._laws():
            test = _test_of(cls, law)
            test.__module__ = cls.__module__
            # Hypothesis objects to @given on a method that classes share, so each leaf has functions of its own.
            setattr(cls, test.__name__, staticmethod(test))

    @classmethod
    def _laws(cls) -> tuple[Law, ...]:
        return ()

    @classmethod
    def _target(cls) -> Any:
        return _unbound(cls, cls._names)


def _test_of(suite: type[_Suite], law: Law) -> Callable[..., None]:
    def test() -> None:
        if law.id in suite.exempt:
            raise LawSkipped(f"exempt: {suite.exempt[law.id]}")
        check(law, suite._target(), max_examples=suite.max_examples)

    name = f"test_{law.id.partition('/')[2].replace('-', '_')}"
    if law.random is not None and law.id not in suite.exempt and find_spec("hypothesis") is not None:
        test = _given_test(suite, law, name)
    test.__name__, test.__qualname__ = name, f"{suite.__qualname__}.{name}"
    test.__doc__ = f"{law.id}, {law.level}, {law.reference}: {law.rule}"
    return test


def _given_test(suite: type[_Suite], law: Law, name: str) -> Callable[..., None]:
    from hypothesis import HealthCheck, given, settings

    def test(example: Any) -> None:
        law.hold(suite._target(), example)

    # The key of hypothesis' database is made of these.
    test.__module__, test.__name__ = suite.__module__, name
    test.__qualname__ = f"{suite.__qualname__}.{name}"
    limits = settings(
        max_examples=suite.max_examples or law.max_examples,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
    random_examples = limits(given(example=law.strategy())(test))

    def both() -> None:
        law.hold_all(suite._target())
        random_examples()

    return both


def _unbound(suite: type, name: str) -> Any:
    """Returns an attribute as a function of its arguments alone, with or without ``staticmethod``."""
    found = inspect.getattr_static(suite, name)
    if inspect.isfunction(found) and next(iter(inspect.signature(found).parameters), "") == "self":
        return getattr(suite(), name)
    return getattr(suite, name)


class ParserSuite(_Suite):
    """The laws of parsers, as tests of a class that names one.

    ::

        class TestMine(ParserSuite):
            parse = staticmethod(mine.parse)

    Attributes:
        parse: Takes chunks of bytes; returns events with ``event``, ``data`` and ``id``. A generator, an async
            generator or a class whose instances have ``feed`` is judged for promptness and memory, too.
    """

    _names = "parse"

    @classmethod
    def _laws(cls) -> tuple[Law, ...]:
        return parser()


class EncoderSuite(_Suite):
    """The laws of encoders, as tests of a class that names one.

    Attributes:
        encode: Takes a `sseware.ServerSentEvent`, or ``data``, ``event``, ``id`` and ``retry`` by name where it
            has a parameter ``data``; returns bytes or text, or raises where it refuses.
    """

    _names = "encode"

    @classmethod
    def _laws(cls) -> tuple[Law, ...]:
        return encoder()


class DialectSuite(_Suite):
    """The laws of dialects, as tests of a class that names one.

    Attributes:
        dialect: A dialect, its class, or its name.
    """

    _names = "dialect"

    @classmethod
    def _laws(cls) -> tuple[Law, ...]:
        return dialect()


class AppSuite(_Suite):
    """The laws of applications, as tests of a class that names one.

    Attributes:
        app: An ASGI application.
        path: The path at which it streams; ``method``, ``headers``, ``content``, ``decoded_by``, ``failing_before``
            and ``failing_after`` are what `AppTarget` says of them.
    """

    _names = "app"

    @classmethod
    def _laws(cls) -> tuple[Law, ...]:
        return app()

    path: ClassVar[str] = "/"
    method: ClassVar[str] = "GET"
    headers: ClassVar[Mapping[str, str]] = {}
    content: ClassVar[bytes | None] = None
    decoded_by: ClassVar[str | None] = None
    failing_before: ClassVar[str | None] = None
    failing_after: ClassVar[str | None] = None

    @classmethod
    def _target(cls) -> AppTarget:
        return AppTarget(
            app=_unbound(cls, "app"),
            path=cls.path,
            method=cls.method,
            headers=cls.headers,
            content=cls.content,
            dialect=cls.decoded_by,
            failing_before=cls.failing_before,
            failing_after=cls.failing_after,
        )
