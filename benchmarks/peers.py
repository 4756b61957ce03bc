"""Peers that can be measured, and why the others cannot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

import msgspec

__all__ = ["Peers", "reason", "tried"]

T = TypeVar("T")


class Peers(msgspec.Struct, Generic[T], frozen=True):
    """What was found.

    Attributes:
        found: Those that can be measured, by name.
        left_out: The others, and the reason of each.
    """

    found: dict[str, T]
    left_out: dict[str, str]


def tried(makers: Mapping[str, Callable[[], T]], probe: Callable[[T], object]) -> Peers[T]:
    """Makes each peer and tries it once.

    Args:
        makers: What makes it, by name; imports what it needs.
        probe: Does with it what will be measured, and raises where that cannot be.
    """
    found: dict[str, T] = {}
    left_out: dict[str, str] = {}
    for name, make in makers.items():
        try:
            peer = make()
            probe(peer)
        except Exception as exc:  # what a package that has changed raises is its own
            left_out[name] = reason(exc)
        else:
            found[name] = peer
    return Peers(found, left_out)


def reason(exc: BaseException) -> str:
    """Says on one line, for the cell of a table, why something could not be measured."""
    if isinstance(exc, ModuleNotFoundError):
        return f"{exc.name} is not installed"
    if isinstance(exc, TimeoutError):
        return "took too long"
    said = str(exc).partition("\n")[0].replace("|", "/")
    return f"{type(exc).__name__}: {said}" if said else type(exc).__name__
