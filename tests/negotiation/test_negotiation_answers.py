"""``Vary`` is merged, and a 406 says what there is."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sseware.negotiation import Offer, Request, merge_vary, negotiate, not_acceptable


@pytest.mark.parametrize(
    ("existing", "expected"),
    [
        pytest.param(None, "accept", id="none"),
        pytest.param("", "accept", id="empty"),
        pytest.param(" , ,", "accept", id="only-separators"),
        pytest.param("accept", "accept", id="there-already"),
        pytest.param("ACCEPT", "ACCEPT", id="there-already-in-another-case"),
        pytest.param("Cookie", "Cookie, accept", id="added"),
        pytest.param("Accept-Encoding", "Accept-Encoding, accept", id="a-name-that-begins-like-it"),
        pytest.param("Cookie,\tAccept ,Origin", "Cookie, Accept, Origin", id="among-others"),
        pytest.param("*", "*", id="a-star-is-kept"),
        pytest.param("*, Cookie", "*, Cookie", id="a-star-among-others-is-kept"),
    ],
)
def test_vary_is_merged(existing: str | None, expected: str) -> None:
    assert merge_vary(existing, "accept") == expected


@given(st.lists(st.sampled_from(["accept", "Accept", "cookie", "*", "", " x "])).map(",".join))
def test_merging_twice_is_merging_once_and_loses_nothing(existing: str) -> None:
    once = merge_vary(existing, "accept")
    assert merge_vary(once, "accept") == once
    members = {member.strip() for member in once.split(",")}
    assert {member.strip() for member in existing.split(",") if member.strip()} <= members
    assert "*" in members or "accept" in {member.lower() for member in members}


HUSK = Offer("husk", "buffered", media_types=("text/plain",))
ASH = Offer("ash")
FILE = Offer("file", "buffered", media_types=("*/*",), streams=False)


def body(request: Request, offers: list[Offer]) -> Any:
    return msgspec.json.decode(not_acceptable(negotiate(request, offers), offers))


def test_a_406_lists_what_there_is() -> None:
    assert body(Request(accept="image/png"), [HUSK]) == {
        "error": "not acceptable",
        "reason": "Accept takes none of text/plain, text/event-stream.",
        "offers": [
            {
                "dialect": "husk",
                "representation": "stream",
                "media_type": "text/event-stream",
                "accept": "text/event-stream",
            },
            {
                "dialect": "husk",
                "representation": "buffered",
                "media_type": "text/plain",
                "accept": "text/plain",
            },
        ],
    }


def test_a_406_does_not_offer_a_stream_of_what_cannot_be_streamed() -> None:
    offers = body(Request(query="dialect=nobody"), [ASH, FILE])["offers"]
    assert [(o["dialect"], o["representation"]) for o in offers] == [
        ("ash", "stream"),
        ("ash", "buffered"),
        ("file", "buffered"),
    ]


def test_each_offer_of_a_406_is_what_its_accept_gets() -> None:
    offers = [HUSK, ASH, FILE]
    listed = body(Request(accept="image/png"), offers)["offers"]
    assert len(listed) == 5
    for offer in listed:
        decision = negotiate(Request(accept=offer["accept"]), offers)
        assert (decision.dialect, decision.representation) == (offer["dialect"], offer["representation"])


def test_a_hostile_query_stays_inside_of_the_json() -> None:
    answer = body(Request(query="dialect=%22%7d%0a<script>%ff"), [HUSK, ASH])
    assert "is not on offer" in answer["reason"]
