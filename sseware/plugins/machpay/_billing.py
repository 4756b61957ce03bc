"""What a run costs."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

import msgspec

from sseware.errors import ConfigurationError

__all__ = ["Meter", "Pricing"]

_PLACES: Final = Decimal("0.000000000001")

# Counting pieces together takes a quarter of the time of counting each, and so many are no burden to keep.
_MOST_PIECES: Final = 256


class Pricing(msgspec.Struct, frozen=True, repr_omit_defaults=True):
    """The price of a skill, in US dollars; parts that are missing are 0.

    >>> pricing = Pricing(base_usd=0.001, per_token_usd=0.00002, per_second_usd=0.0001)
    >>> pricing.cost(tokens=10, milliseconds=2500)
    0.00145

    Attributes:
        base_usd: For each run.
        per_token_usd: For each token that was generated.
        per_second_usd: For each second that the stream lasted.

    Raises:
        ConfigurationError: A part is no number, or below 0.
    """

    base_usd: float = 0
    per_token_usd: float = 0
    per_second_usd: float = 0

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if type(value) not in (int, float) or not 0 <= value < float("inf"):
                raise ConfigurationError(f"{name} must be a number of dollars, 0 or more, got {value!r}")

    def cost(self, *, tokens: int, milliseconds: int) -> float:
        """Returns the cost of a run, to 12 decimal places; a whole number where it is one."""
        # Decimals of the shortest spelling: 0.1 is meant where 0.1 was written.
        base, per_token, per_second = (
            Decimal(repr(part)) for part in (self.base_usd, self.per_token_usd, self.per_second_usd)
        )
        total = base + per_token * tokens + per_second * milliseconds / 1000
        rounded = total.quantize(_PLACES)
        return int(rounded) if rounded == rounded.to_integral_value() else float(rounded)


class Meter:
    """Counts the tokens of one run.

    What the handler reports holds. Otherwise the text is counted: by whitespace-separated words, which is the only
    way that MachPay documents, or by a function of the whole text.

    Args:
        count: Counts the tokens of a text, or ``None`` for its words.
    """

    def __init__(self, count: Callable[[str], int] | None = None) -> None:
        self._count = count
        self._pieces: list[str] = []
        self._words = 0
        self._in_word = False
        self._reported: int | None = None

    def report(self, tokens: int) -> None:
        """Takes what the handler reports; reports add up."""
        self._reported = (self._reported or 0) + tokens

    def add(self, text: str) -> None:
        """Takes a piece of the text; a word may go on in the next one."""
        self._pieces.append(text)
        if len(self._pieces) == _MOST_PIECES and self._count is None:
            self._count_words()

    def _count_words(self) -> None:
        text = "".join(self._pieces)
        self._pieces.clear()
        if text:
            words = len(text.split())
            goes_on = self._in_word and not text[0].isspace()
            self._words += words - goes_on
            self._in_word = not text[-1].isspace()

    @property
    def tokens(self) -> int:
        """How many tokens the run has used."""
        if self._reported is not None:
            return self._reported
        if self._count is not None:
            return self._count("".join(self._pieces))
        self._count_words()
        return self._words
