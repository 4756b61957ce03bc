"""What an application can answer, worked out once and not for each request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from .._types import RawHeaders, Scope
from ..dialects import Dialect, ItemEncoders, Registry, default_registry, offer_of, pace_of, stream_headers_of
from ..negotiation import Decision, Offer, Request
from ._headers import stream_head
from ._observers import CommonObservers, Observers
from ._settings import Options, Settings

__all__ = ["Dish", "Menu"]

_DERIVED: Final = 32
"""How many sets of options of responses are remembered; a program has a handful."""

_DECISIONS: Final = 64
"""How many decisions are remembered; what browsers and libraries send is a handful, too."""

_SHORT: Final = 512
"""How long a query and an ``Accept`` may be together whose decision is remembered."""


class Dish(msgspec.Struct, frozen=True):
    """One dialect, under one set of options.

    Attributes:
        settings: The options.
        dialect: The dialect.
        extra: What plugins add to it.
        heads: The header fields of its streams, by HTTP version.
        pace: The pause that it wants between two events, in seconds, and how many bytes a handler may run ahead.
        observers: Who is told of its streams; ``None`` where nobody is.
    """

    settings: Settings
    dialect: Dialect
    extra: ItemEncoders
    heads: dict[str, RawHeaders]
    pace: tuple[float, int | None] = (0.0, None)
    observers: Observers | None = None

    def head(self, http_version: str) -> RawHeaders:
        """Returns the header fields of a stream, in a list that is the caller's."""
        head = self.heads.get(http_version)
        if head is None:
            head = stream_head(http_version, stream_headers_of(self.dialect), self.settings.headers)
            if http_version in ("1.0", "1.1", "2", "3"):
                self.heads[http_version] = head
        return [*head]


class Menu:
    """What can be answered under one set of options.

    Args:
        settings: The options.
        common: The observers that it has in common with what is derived from it.

    Attributes:
        settings: The options.
    """

    def __init__(self, settings: Settings, common: CommonObservers | None = None) -> None:
        self.settings = settings
        self._common = common or CommonObservers(settings)
        self._registry: Registry | None = None
        self._card: _Card | None = None
        self._derived: dict[object, Menu] = {}

    def derive(self, options: Options) -> Menu:
        """Returns the menu with some options replaced.

        Raises:
            ConfigurationError: An option is unknown, or its value is not what it must be.
        """
        if not options:
            return self
        try:
            # 1, 1.0 and True are equal, and not the same option.
            key = frozenset((name, type(value), _hashable(value)) for name, value in options.items())
            known = self._derived.get(key)
        except TypeError:
            return self._replace(options)
        if known is None:
            known = self._replace(options)
            if len(self._derived) < _DERIVED:
                self._derived[key] = known
        return known

    def _replace(self, options: Options) -> Menu:
        settings = self.settings.replace(options)
        return Menu(settings, self._common.under(settings))

    def choose(self, request: Request, scope: Scope) -> tuple[Decision, Dish, tuple[Offer, ...]]:
        """Negotiates: returns the decision, the dialect that it names, and what was on offer."""
        card = self._card or self._write_card(scope)
        decision = self._decide(request, card)
        return decision, card.dishes[decision.dialect], card.offers

    def _decide(self, request: Request, card: _Card) -> Decision:
        if self.registry.has_negotiators:
            return self.registry.negotiate(request, card.offers)
        # Nothing else of the request counts then, and clients of one kind ask alike.
        asked = (request.query, request.accept)
        decision = card.decisions.get(asked)
        if decision is None:
            decision = self.registry.negotiate(request, card.offers)
            if len(card.decisions) < _DECISIONS and len(request.query) + len(request.accept or "") <= _SHORT:
                card.decisions[asked] = decision
        return decision

    def choose_over(self, request: Request, scope: Scope, media_type: str) -> tuple[Decision, Dish]:
        """Negotiates between a stream and an answer that there is already.

        Only who asks for a stream gets one: the default of a dialect does not count.

        Args:
            request: What is asked.
            scope: The ASGI scope.
            media_type: That of the answer. Where it is an event stream of another dialect, who takes anything (or
                does not say) gets that, and who names the type gets a stream of ours.
        """
        card = self._card or self._write_card(scope)
        offers = card.over.get(media_type)
        if offers is None:
            there = ("*/*" if media_type == "text/event-stream" else media_type,)
            offers = tuple(
                msgspec.structs.replace(offer, default="buffered", media_types=there) for offer in card.offers
            )
            card.over[media_type] = offers
        decision = self.registry.negotiate(request, offers)
        return decision, card.dishes[decision.dialect]

    @property
    def registry(self) -> Registry:
        """Where the names of dialects are looked up."""
        if self._registry is None:
            self._registry = self.settings.registry or default_registry()
        return self._registry

    def _write_card(self, scope: Scope) -> _Card:
        settings, registry = self.settings, self.registry
        dialects = settings.dialects_for(scope)
        observers = Observers.of((*self._common.get(), *settings.observers))
        card = _Card(
            offers=tuple(map(offer_of, dialects.values())),
            dishes={
                name: Dish(
                    settings, dialect, registry.item_encoders(dialect), {}, pace_of(dialect), observers
                )
                for name, dialect in dialects.items()
            },
            over={},
            decisions={},
        )
        if not callable(settings.dialect):
            self._card = card
        return card


def _hashable(value: object) -> object:
    """Returns what a list or a dict holds, as options are usually written, in a shape that can be remembered."""
    if type(value) is list:
        return tuple(value)
    return tuple(value.items()) if type(value) is dict else value


class _Card(msgspec.Struct, frozen=True):
    offers: tuple[Offer, ...]
    dishes: Mapping[str, Dish]
    over: dict[str, tuple[Offer, ...]]
    decisions: dict[tuple[str, str | None], Decision]
