"""What a mutant is: a target that is wrong in one thing, and the law that is to find it first."""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = ["Mutant"]


class Mutant(msgspec.Struct, frozen=True, kw_only=True):
    """A wrong parser, encoder, dialect or application.

    Attributes:
        name: What is wrong with it.
        kind: The kind of its laws.
        target: What is wrong.
        killer: The law that is to find it.
        cost: Whether it is wrong in what it costs; the others are not held against laws of cost.
    """

    name: str
    kind: str
    target: Any
    killer: str
    cost: bool = False
