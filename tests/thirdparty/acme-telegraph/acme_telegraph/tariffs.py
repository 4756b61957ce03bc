"""A new item for dialects that exist: what the rest of a run will cost.

A handler yields ``Tariff("night", 0.002)``. MachPay's clients get an event of their own for it, and a line of text
would only confuse them; the plain dialect gets it as data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from sseware import Dialect, ServerSentEvent
from sseware.dialects import COMPACT, AnItem, hookimpl
from sseware.items import Data, Item

__all__ = ["Tariff", "sseware_item_encoders"]


class Tariff(Item, frozen=True, tag="acme.tariff"):
    """From here on this tariff holds.

    Attributes:
        name: Its name.
        usd_per_word: What a word costs, in US dollars.
    """

    name: str
    usd_per_word: float


def to_machpay(tariff: Tariff) -> Iterable[AnItem]:
    """Returns an event of its own: MachPay owns no event of that name."""
    payload = {"tariff": tariff.name, "usdPerWord": tariff.usd_per_word}
    return [ServerSentEvent(COMPACT.dumps(payload), event="tariff")]


def to_plain(tariff: Tariff) -> Iterable[AnItem]:
    """Returns an item that the plain dialect knows."""
    return [Data({"name": tariff.name, "usd_per_word": tariff.usd_per_word}, name="tariff")]


ENCODERS: Mapping[str, Callable[[Tariff], Iterable[AnItem]]] = {"machpay": to_machpay, "plain": to_plain}


@hookimpl
def sseware_item_encoders(dialect: Dialect) -> Mapping[type, Callable[[Tariff], Iterable[AnItem]]]:
    """Adds the item to the dialects that can tell it."""
    return {Tariff: ENCODERS[dialect.name]} if dialect.name in ENCODERS else {}
