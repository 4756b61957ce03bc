"""Secrets are taken out of a text that comes in pieces."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

__all__ = ["REDACTED", "Redactor"]

REDACTED: Final = "[redacted]"
"""What stands in a secret's place; HUSK's clients know it."""


class Redactor:
    """Replaces secrets, also those that are split over pieces.

    What comes out, joined, does not depend on how the text was cut: at each place the longest secret wins,
    and the text is gone through from left to right. To that end the last ``max(len(secret)) - 1`` characters
    are held back, for they may begin a secret.

    >>> redactor = Redactor(["hunter2"])
    >>> redactor.feed("password: hun"), redactor.feed("ter2, or not"), redactor.close()
    ('passwor', 'd: [redacted], ', 'or not')
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        longest_first = sorted(secrets, key=len, reverse=True)
        # re takes the first alternative that matches, so that the longest has to stand first.
        self._secret = re.compile("|".join(map(re.escape, longest_first)))
        self._longest = len(longest_first[0]) if longest_first else 0
        self._held = ""

    def feed(self, text: str) -> str:
        """Takes a piece in and returns what can be told by now; it may be empty."""
        if not self._longest:
            return text
        held = self._held + text
        # Where fewer characters follow than the longest secret has, a longer match may still come.
        undecided = max(0, len(held) - self._longest + 1)
        done: list[str] = []
        position = 0
        while position < undecided:
            match = self._secret.search(held, position)
            if match is None or match.start() >= undecided:
                done.append(held[position:undecided])
                position = undecided
            else:
                done += held[position : match.start()], REDACTED
                position = match.end()
        self._held = held[position:]
        return "".join(done)

    def close(self) -> str:
        """Returns what was held back, redacted: nothing follows that could make a match longer."""
        held, self._held = self._held, ""
        return self._secret.sub(REDACTED, held) if self._longest else ""
