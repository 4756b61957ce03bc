"""What a law is, what breaks it, and what becomes of one that is checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, Literal, TypeAlias

import msgspec

from ..errors import LawBroken
from ._deadline import TimeIsUp

__all__ = ["MUST", "SHOULD", "Broken", "Grade", "Law", "Level", "Verdict", "law"]

Level: TypeAlias = Literal["MUST", "SHOULD"]
"""How binding a law is, in the words of RFC 2119."""

Grade: TypeAlias = Literal["OK", "SHOULD", "FAILED", "SKIPPED"]
"""What became of a law: it holds; it is broken, and only a SHOULD; it is broken; it could not be judged."""

MUST: Final = "MUST"
SHOULD: Final = "SHOULD"


class Broken(Exception):  # never seen by anybody: it becomes a LawBroken
    """A law does not hold of an example; the function of a law raises it.

    Args:
        what: What is wrong, in a sentence.
        details: What there is and what was wanted, by name.
    """

    def __init__(self, what: str, **details: object) -> None:
        super().__init__(what)
        self.what = what
        self.details = details


class Law(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Something that holds of every parser, encoder, dialect or application that is right.

    Attributes:
        id: Its name, such as ``parser/prompt``; what stands before the slash is the kind of its targets.
        level: ``"MUST"`` or ``"SHOULD"``.
        rule: What holds, in a sentence.
        reference: Where it is written: a section of a standard, or a row of our table of faults.
        needs: What a target, or this environment, must have for the law to be judged; maybe nothing.
        function: Is called with a target and an example; raises where the law does not hold of it.
        examples: Returns the examples to try first, one after the other.
        random: Returns a hypothesis strategy of more of them.
        max_examples: How many examples of the strategy are tried.
    """

    id: str
    level: Level
    rule: str
    reference: str
    needs: tuple[str, ...] = ()
    function: Callable[[Any, Any], None]
    examples: Callable[[], Iterable[Any]] | None = None
    random: Callable[[], Any] | None = None
    max_examples: int = 100

    @property
    def kind(self) -> str:
        """``"parser"``, ``"encoder"``, ``"dialect"``, ``"app"`` or ``"url"``."""
        return self.id.partition("/")[0]

    @property
    def __name__(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]  # for pytest, which names it
        return self.id

    def __str__(self) -> str:
        return self.id

    def __repr__(self) -> str:
        return f"<Law {self.id}>"

    def hold_all(self, target: Any) -> None:
        """Holds each of the examples of a target against the law; the random ones are not among them.

        Raises:
            LawBroken: It does not hold of one.
            LawSkipped: It cannot be judged.
        """
        __tracebackhide__ = True
        nothing = () if self.random is not None else (None,)
        for example in nothing if self.examples is None else self.examples():
            self.hold(target, example)

    def strategy(self) -> Any:
        """Returns the hypothesis strategy of its examples.

        Raises:
            LookupError: It has none.
        """
        if self.random is None:
            raise LookupError(f"the law {self.id} has no random examples")
        return self.random()

    def hold(self, target: Any, example: Any) -> None:
        """Holds one example of a target against the law.

        Raises:
            LawBroken: It does not hold.
            LawSkipped: It cannot be judged.
        """
        __tracebackhide__ = True  # pytest shows the test, and what is wrong
        try:
            self.function(target, example)
        except Broken as broken:
            raise LawBroken(
                self.id, self.level, self.rule, self.reference, broken.what, example, broken.details
            ) from broken.__cause__
        except TimeIsUp as late:
            late.example = example
            raise


def law(
    id: str,
    level: Level,
    rule: str,
    reference: str,
    *,
    needs: tuple[str, ...] = (),
    examples: Callable[[], Iterable[Any]] | None = None,
    random: Callable[[], Any] | None = None,
    max_examples: int = 100,
) -> Callable[[Callable[[Any, Any], None]], Law]:
    """Makes a law of a plain function; the arguments are the attributes of `Law`."""

    def make(function: Callable[[Any, Any], None]) -> Law:
        return Law(
            id=id,
            level=level,
            rule=rule,
            reference=reference,
            needs=needs,
            function=function,
            examples=examples,
            random=random,
            max_examples=max_examples,
        )

    return make


class Verdict(msgspec.Struct, frozen=True):
    """What became of one law on one target.

    Attributes:
        law: The law.
        grade: ``"OK"``, ``"SHOULD"``, ``"FAILED"`` or ``"SKIPPED"``.
        reason: Why it is not OK.
        reproducer: The smallest example that breaks it, as a pytest function.
        seconds: How long it took.
    """

    law: Law
    grade: Grade
    reason: str = ""
    reproducer: str = ""
    seconds: float = 0.0
