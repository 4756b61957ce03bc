"""The decision: the rules of a dialect first, then RFC 9110, then the dialect's default."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple
from urllib.parse import unquote_plus

from ..errors import ConfigurationError
from ._accept import Match, MediaRanges, parse_accept
from ._values import ANY_TYPE, EVENT_STREAM, Decision, Offer, Request

__all__ = ["negotiate"]


def negotiate(request: Request, offers: Sequence[Offer]) -> Decision:
    """Decides what a client gets.

    The first of these that applies:

    1. ``?dialect=name`` chooses among the offers, if there are several; an unknown name gets nothing.
    2. A dialect that cannot be streamed is buffered, whatever is asked.
    3. The dialect's own flag asks for a stream: the first value of that query parameter, compared exactly.
    4. ``Accept``, by RFC 9110, section 12.5.1: for each type the most specific range that matches gives its
       weight. The higher weight wins; at equal weights, the type that is named more specifically. Dialects
       other than the handler's own count only where a range names them: ``text/event-stream;dialect=ash``.
    5. Otherwise (a tie, ``*/*``, no ``Accept``, or none that makes sense) the dialect's default.

    >>> husk = Offer("husk", "buffered", media_types=("text/plain",), stream_flag=("stream", "1"))
    >>> decision = negotiate(Request(accept="text/event-stream, */*"), [husk])
    >>> decision.representation, decision.reason
    ('stream', 'Accept names text/event-stream more specifically than text/plain, at the same weight, q=1.')

    Args:
        request: What is asked.
        offers: The handler's own dialect, then those that a client may choose instead.

    Returns:
        What the client gets; ``"none"`` is an answer with status 406.

    Raises:
        ConfigurationError: There is no offer.
    """
    if not offers:
        raise ConfigurationError("there is nothing to negotiate about: give at least the handler's own offer")
    own, others = offers[0], [offer for offer in offers[1:] if offer.dialect != offers[0].dialect]
    chosen = _first_value(request.query, "dialect") if others else None
    if chosen is not None:
        found = next((offer for offer in offers if offer.dialect == chosen), None)
        if found is None:
            return _nothing(own, f"The query asks for the dialect {chosen[:40]!r}, which is not on offer.")
        own, others = found, []
    if own.streams and own.stream_flag is not None:
        name, value = own.stream_flag
        if _first_value(request.query, name) == value:
            return Decision("stream", own.dialect, f"The query says {name}={value}.", EVENT_STREAM)
    if not own.streams and not others:
        return _never_streamed(own)
    return _by_accept(parse_accept(request.accept), own, others)


class _Candidate(NamedTuple):
    match: Match
    offer: Offer
    representation: Literal["stream", "buffered"]
    media_type: str


def _by_accept(ranges: MediaRanges, own: Offer, others: Sequence[Offer]) -> Decision:
    if not ranges:
        if not own.streams:
            return _never_streamed(own)
        representation, media_type = next(_answers(own))
        return _decide(own, representation, media_type, f"Accept says nothing, and {_default_of(own)}.")
    candidates = [*_candidates(ranges, own, by_name=False)]
    for other in others:
        candidates += _candidates(ranges, other, by_name=True)
    if not candidates:
        return _never_streamed(own) if not own.streams else _nothing(own, _why_nothing(own))
    # Candidates come in the order of preference, and max() takes the first of equals.
    best = max(candidates, key=lambda candidate: candidate.match)
    if not best.offer.streams:
        return _never_streamed(best.offer)
    rivals = [c for c in candidates if (c.offer, c.representation) != (best.offer, best.representation)]
    rival = max(rivals, key=lambda candidate: candidate.match, default=None)
    return _decide(best.offer, best.representation, best.media_type, _why(best, rival))


def _candidates(ranges: MediaRanges, offer: Offer, *, by_name: bool) -> Iterator[_Candidate]:
    for representation, media_type in _answers(offer):
        match = ranges.match(media_type, offer.dialect, by_name=by_name)
        if match is not None:
            yield _Candidate(match, offer, representation, media_type)


def _answers(offer: Offer) -> Iterator[tuple[Literal["stream", "buffered"], str]]:
    """Yields what an offer can answer, the preferred first."""
    if offer.default == "stream":
        yield "stream", EVENT_STREAM
    for media_type in offer.media_types:
        yield "buffered", media_type
    if offer.default == "buffered":
        yield "stream", EVENT_STREAM


def _decide(
    offer: Offer, representation: Literal["stream", "buffered"], media_type: str, reason: str
) -> Decision:
    return Decision(representation, offer.dialect, reason, None if media_type == ANY_TYPE else media_type)


def _never_streamed(offer: Offer) -> Decision:
    reason = f"The {offer.dialect} answer cannot be streamed, so that it is buffered whatever is asked."
    return _decide(offer, "buffered", offer.media_types[0], reason)


def _nothing(own: Offer, reason: str) -> Decision:
    return Decision("none", own.dialect, reason, None)


def _why_nothing(own: Offer) -> str:
    types = dict.fromkeys(media_type for _, media_type in _answers(own))
    return f"Accept takes none of {', '.join(types)}."


def _why(best: _Candidate, rival: _Candidate | None) -> str:
    weight = f"q={best.match.weight / 1000:g}"
    if rival is None:
        return f"Accept takes {_name(best, rival)}, {weight}, and nothing else that is on offer."
    ours, theirs = _name(best, rival), _name(rival, best)
    if best.match.weight > rival.match.weight:
        return f"Accept weighs {ours}, {weight}, above {theirs}, q={rival.match.weight / 1000:g}."
    if best.match > rival.match:
        return f"Accept names {ours} more specifically than {theirs}, at the same weight, {weight}."
    if best.offer is not rival.offer:
        return f"Accept takes {ours} and {theirs} alike, and {best.offer.dialect} comes first."
    return f"Accept takes {ours} and {theirs} alike, and {_default_of(best.offer)}."


def _name(candidate: _Candidate, rival: _Candidate | None) -> str:
    if rival is None or candidate.offer is rival.offer:
        return candidate.media_type
    return f"{candidate.media_type} of {candidate.offer.dialect}"


def _default_of(offer: Offer) -> str:
    default = "a stream" if offer.default == "stream" else "a buffered answer"
    return f"the default of {offer.dialect} is {default}"


def _first_value(query: str, name: str) -> str | None:
    for field in query.split("&"):
        key, _, value = field.partition("=")
        if key == name or unquote_plus(key) == name:
            return unquote_plus(value)
    return None
