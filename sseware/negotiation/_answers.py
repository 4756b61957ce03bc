"""What follows from a negotiation: ``Vary``, and the body of a 406."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from ._values import EVENT_STREAM, Decision, Offer

__all__ = ["merge_vary", "not_acceptable"]


def merge_vary(existing: str | None, name: str) -> str:
    """Adds a field name to ``Vary`` (RFC 9110, section 12.5.5), once.

    >>> merge_vary("Accept-Encoding", "accept"), merge_vary("Accept", "accept"), merge_vary("*", "accept")
    ('Accept-Encoding, accept', 'Accept', '*')

    Args:
        existing: The value that the application has set, several fields joined by commas, or ``None``.
        name: The field name on which the answer depends.

    Returns:
        The merged value; what was there keeps its order and its spelling.
    """
    members = [member.strip(" \t") for member in (existing or "").split(",")]
    members = [member for member in members if member]
    if "*" in members or name.lower() in (member.lower() for member in members):
        return ", ".join(members)
    return ", ".join([*members, name])


def not_acceptable(decision: Decision, offers: Sequence[Offer]) -> bytes:
    """Makes the JSON body of a 406: why, and what there is instead (RFC 9110, section 15.5.7).

    Args:
        decision: What `negotiate` decided.
        offers: What it decided about.

    Returns:
        JSON in UTF-8: ``error``, ``reason`` and ``offers``, each with the ``accept`` that gets it.
    """
    choices = [
        _choice(offer, representation, media_type, by_name=offer is not offers[0])
        for offer in offers
        for representation, media_type in _answers(offer)
    ]
    return msgspec.json.encode({"error": "not acceptable", "reason": decision.reason, "offers": choices})


def _answers(offer: Offer) -> Iterator[tuple[str, str]]:
    if offer.streams:
        yield "stream", EVENT_STREAM
    for media_type in offer.media_types:
        yield "buffered", media_type


def _choice(offer: Offer, representation: str, media_type: str, *, by_name: bool) -> dict[str, str]:
    return {
        "dialect": offer.dialect,
        "representation": representation,
        "media_type": media_type,
        "accept": f"{media_type};dialect={offer.dialect}" if by_name else media_type,
    }
