"""The table of laws, and what holds a target against it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.util import find_spec
from typing import Any, Final

from ..errors import LawBroken, LawSkipped, UnknownLaw
from ._app import APP_LAWS
from ._app_bytes import APP_BYTES_LAWS
from ._app_life import APP_LIFE_LAWS
from ._deadline import TimeIsUp, deadline
from ._dialect import DIALECT_LAWS
from ._dialect_odd import DIALECT_ODD_LAWS
from ._encoder import ENCODER_LAWS
from ._law import Grade, Law, Verdict
from ._parser import PARSER_LAWS
from ._parser_cost import PARSER_COST_LAWS
from ._reproducer import reproducer
from ._url import URL_LAWS

__all__ = ["app", "check", "dialect", "encoder", "every", "get", "judge", "parser", "url"]

_TABLE: Final = (
    *PARSER_LAWS,
    *PARSER_COST_LAWS,
    *ENCODER_LAWS,
    *DIALECT_LAWS,
    *DIALECT_ODD_LAWS,
    *APP_LAWS,
    *APP_LIFE_LAWS,
    *APP_BYTES_LAWS,
    *URL_LAWS,
)
_LAWS: Final = {each.id: each for each in _TABLE}
_NO_EXAMPLE: Any = object()
_SEARCH: Final = 3.0
"""Seconds for which smaller examples are looked for."""
_ENDLESS: Final = "does it loop, or wait, without taking the next chunk or coming to an end?"


def every() -> tuple[Law, ...]:
    """Returns all laws."""
    return tuple(_LAWS.values())


def parser() -> tuple[Law, ...]:
    """Returns the laws of parsers: of a function ``parse(chunks) -> events``."""
    return _of_kind("parser")


def encoder() -> tuple[Law, ...]:
    """Returns the laws of encoders: of a function from an event, or from its fields, to bytes."""
    return _of_kind("encoder")


def dialect() -> tuple[Law, ...]:
    """Returns the laws of dialects."""
    return _of_kind("dialect")


def app() -> tuple[Law, ...]:
    """Returns the laws of ASGI applications that stream."""
    return _of_kind("app")


def url() -> tuple[Law, ...]:
    """Returns the laws of live endpoints: of a URL."""
    return _of_kind("url")


def _of_kind(kind: str) -> tuple[Law, ...]:
    return tuple(each for each in every() if each.kind == kind)


def get(law: Law | str) -> Law:
    """Returns a law by its id; a law is returned as it is.

    Raises:
        UnknownLaw: There is none of that id; the message lists those that there are.
    """
    if isinstance(law, Law):
        return law
    try:
        return _LAWS[law]
    except (KeyError, TypeError):
        raise UnknownLaw(law, tuple(_LAWS)) from None


def check(
    law: Law | str, target: Any, example: Any = _NO_EXAMPLE, *, max_examples: int | None = None
) -> None:
    r"""Holds a target against a law.

    >>> from sseware import EventStreamParser
    >>> check("parser/bom-once", EventStreamParser)
    >>> def parse(chunks):
    ...     return EventStreamParser().feed(b"".join(chunks).lstrip(b"\xef\xbb\xbf"))
    >>> check("parser/bom-once", parse)
    Traceback (most recent call last):
    sseware.testing.errors.LawBroken: parser/bom-once: the events differ from the standard's
    ...

    Args:
        law: The law, or its id.
        target: What is to keep it: see the functions that return the laws.
        example: The only example to try, such as that of an error; all of the law's, where it is left out.
        max_examples: How many random examples are tried, where the law has such.

    Raises:
        LawBroken: It does not hold; the error has the smallest example that was found.
        LawSkipped: It cannot be judged.
        UnknownLaw: There is no such law.
    """
    __tracebackhide__ = True  # pytest shows the test, and what is wrong
    law = get(law)
    if example is not _NO_EXAMPLE:
        law.hold(target, example)
        return
    law.hold_all(target)
    if law.random is not None:
        _check_random(law, target, max_examples or law.max_examples)


class _Patience:
    """Ends a search for smaller examples that takes long: only what is known to break the law breaks it then."""

    def __init__(self) -> None:
        self._broken: set[str] = set()
        self._began: float | None = None

    def note(self, example: Any) -> None:
        """Is told of an example that breaks the law."""
        self._broken.add(repr(example))
        self._began = self._began or time.monotonic()

    def is_over(self, example: Any) -> bool:
        """Tells whether an example need not be tried any more."""
        long = self._began is not None and time.monotonic() - self._began > _SEARCH
        return long and repr(example) not in self._broken


def _check_random(law: Law, target: Any, max_examples: int) -> None:
    __tracebackhide__ = True
    if find_spec("hypothesis") is None:
        raise LawSkipped("hypothesis is not installed; install it with: pip install 'sseware[testing]'")
    from hypothesis import HealthCheck, Phase, given, settings

    patience = _Patience()

    @settings(
        max_examples=max_examples,
        deadline=None,
        database=None,
        derandomize=True,
        report_multiple_bugs=False,
        suppress_health_check=(HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large),
        phases=(Phase.generate, Phase.shrink),
    )
    @given(law.strategy())
    def hold(example: Any) -> None:
        if patience.is_over(example):
            return
        try:
            law.hold(target, example)
        except LawBroken:
            patience.note(example)
            raise

    try:
        hold()
    except LawBroken as broken:
        # What hypothesis noted is said by the error itself.
        vars(broken).pop("__notes__", None)
        raise


def judge(
    laws: Iterable[Law],
    target: Any,
    *,
    name: str = "mine:target",
    options: Mapping[str, Any] | None = None,
    progress: Callable[[Law], object] | None = None,
    timeout: float | None = None,
) -> Iterator[Verdict]:
    """Holds a target against laws, and tells what became of each; nothing is raised.

    What does not end in its time is broken, whatever the law's level is. The other laws are skipped then: each of
    them could take as long.

    Args:
        laws: The laws.
        target: What is to keep them.
        name: Where the target is found, as ``module:attribute``, for the reproducers.
        options: How it is asked, for the reproducers: arguments of `AppTarget` or `UrlTarget`.
        progress: Is called with each law before it is checked.
        timeout: How many seconds a law may take. It is kept in the main thread, and on systems with interval timers
            (not on Windows).
    """
    endless: Law | None = None
    for each in laws:
        if progress is not None:
            progress(each)
        began = time.perf_counter()
        grade: Grade = "SKIPPED"
        reason, shown = f"{endless} did not end; mend that first, or choose laws by their ids", ""
        if endless is None:
            try:
                with deadline(timeout):
                    grade, reason, shown = _outcome(each, target, name, options or {})
            except TimeIsUp as late:
                endless = each
                grade, reason = "FAILED", f"{late}\nhint: {_ENDLESS}"
                shown = reproducer(each, late.example, name, options)
        yield Verdict(each, grade, reason, shown, time.perf_counter() - began)


def _outcome(law: Law, target: Any, name: str, options: Mapping[str, Any]) -> tuple[Grade, str, str]:
    try:
        check(law, target)
    except LawBroken as broken:
        grade: Grade = "FAILED" if law.level == "MUST" else "SHOULD"
        return grade, _reason(broken), reproducer(law, broken.example, name, options)
    except LawSkipped as skipped:
        return "SKIPPED", str(skipped), ""
    return "OK", "", ""


def _reason(broken: LawBroken) -> str:
    return "\n".join([broken.what, *(f"{name}: {value}" for name, value in broken.details.items())])
