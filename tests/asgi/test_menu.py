"""What an application can answer is worked out once."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import pytest

from sseware.asgi import Settings
from sseware.asgi._menu import Menu
from sseware.dialects import Plain, Registry, hookimpl
from sseware.errors import ConfigurationError
from sseware.items import Text
from sseware.negotiation import Request

PLAIN = Request()
OWN = Plain(name="own", default="buffered")


class Counting:
    """A plugin that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    @hookimpl
    def sseware_item_encoders(self, dialect: Any) -> Any:
        self.asked += 1
        return {complex: lambda number: [Text(str(number))]}


def menu(**options: Any) -> Menu:
    return Menu(Settings().replace(options))  # type: ignore[arg-type]  # options of any kind


def test_a_request_gets_a_decision_a_dialect_and_what_was_on_offer() -> None:
    decision, dish, offers = menu(dialect=OWN, dialects=["plain"]).choose(
        Request(accept="text/event-stream;dialect=plain"), {}
    )
    assert (decision.representation, decision.dialect) == ("stream", "plain")
    assert dish.dialect == Plain()
    assert [offer.dialect for offer in offers] == ["own", "plain"]


def test_the_second_request_finds_what_the_first_worked_out() -> None:
    plugin = Counting()
    card = menu(registry=Registry(plugins={"counting": plugin}, installed=False))
    first, second = (card.choose(PLAIN, {})[1] for _ in range(2))
    assert first is second
    assert plugin.asked == 1
    assert set(first.extra) == {complex}


def test_a_dialect_that_depends_on_the_scope_is_looked_up_each_time() -> None:
    card = menu(dialect=lambda scope: OWN if scope["path"] == "/own" else "plain")
    names = [card.choose(PLAIN, {"path": path})[1].dialect.name for path in ("/own", "/plain", "/own")]
    assert names == ["own", "plain", "own"]


def test_a_head_is_the_callers_own() -> None:
    dish = menu().choose(PLAIN, {})[1]
    head = dish.head("1.1")
    head.clear()
    assert dict(dish.head("1.1"))[b"content-type"] == b"text/event-stream; charset=utf-8"


def test_a_head_belongs_to_its_http_version() -> None:
    dish = menu(headers={"connection": "keep-alive"}).choose(PLAIN, {})[1]
    assert [b"connection" in dict(dish.head(version)) for version in ("1.0", "1.1", "2", "9")] == [
        *(False, True, False, False)
    ]


def test_only_versions_that_there_are_are_remembered() -> None:
    dish = menu().choose(PLAIN, {})[1]
    for version in ("1.1", "9", "nonsense"):
        dish.head(version)
    assert list(dish.heads) == ["1.1"]


def test_the_same_options_lead_to_the_same_menu() -> None:
    root = menu()
    assert root.derive({}) is root
    assert root.derive({"keepalive": 3}) is root.derive({"keepalive": 3})
    assert root.derive({"keepalive": 3}).settings.keepalive == 3


def test_equal_options_of_other_types_are_checked_all_the_same() -> None:
    root = menu()
    root.derive({"keepalive": 1})
    with pytest.raises(ConfigurationError):
        root.derive({"keepalive": True})


def test_options_that_have_no_hash_are_taken_too() -> None:
    assert menu().derive({"headers": {"x-a": "1"}}).settings.headers == (("x-a", "1"),)


@pytest.mark.parametrize(
    ("options", "others"),
    [
        pytest.param({"headers": {"x-a": "1"}}, {"headers": {"x-a": "2"}}, id="a-dict"),
        pytest.param({"dialects": ["plain"]}, {"dialects": []}, id="a-list"),
        pytest.param({"dialects": ["plain"]}, {"dialects": ("plain",)}, id="a-list-is-no-tuple"),
    ],
)
def test_what_is_written_as_a_list_or_a_dict_is_remembered_by_what_is_in_it(
    options: Any, others: Any
) -> None:
    root = menu()
    known = root.derive(options)
    assert root.derive(copy.deepcopy(options)) is known
    assert root.derive(others) is not known


def test_what_changes_after_it_was_given_is_another_thing() -> None:
    root, headers = menu(), {"x-a": "1"}
    before = root.derive({"headers": headers})
    headers["x-a"] = "2"
    assert root.derive({"headers": headers}).settings.headers == (("x-a", "2"),)
    assert before.settings.headers == (("x-a", "1"),)


def test_what_cannot_be_remembered_is_derived_each_time() -> None:
    root = menu()
    options: Any = {"headers": [["x-a", "1"]]}
    assert root.derive(options).settings.headers == (("x-a", "1"),)
    assert root.derive(options) is not root.derive(options)


def test_no_more_than_a_handful_is_remembered() -> None:
    root = menu()
    ages: Iterable[int] = range(1, 100)
    assert all(root.derive({"max_age": age}).settings.max_age == age for age in ages)
    assert root.derive({"max_age": 99}) is not root.derive({"max_age": 99})
    assert root.derive({"max_age": 1}) is root.derive({"max_age": 1})


def test_requests_that_ask_alike_get_one_decision() -> None:
    own = menu(dialect=OWN, dialects=["plain"])
    first, _, _ = own.choose(Request(path="/a", query="x=1", accept="text/event-stream"), {})
    again, _, _ = own.choose(Request(path="/b", method="POST", query="x=1", accept="text/event-stream"), {})
    assert again is first
    other, dish, _ = own.choose(Request(query="dialect=plain", accept="text/event-stream"), {})
    assert (other.dialect, dish.dialect.name) == ("plain", "plain")


def test_no_more_decisions_are_remembered_than_clients_of_good_will_need() -> None:
    own = menu(dialect=OWN)
    for number in range(200):
        assert own.choose(Request(query=f"x={number}"), {})[0].representation == "buffered"
    last = Request(query="x=199")
    assert own.choose(last, {})[0] is not own.choose(last, {})[0]
    long = Request(query="x" * 600)
    fresh = menu(dialect=OWN)
    assert fresh.choose(long, {})[0] is not fresh.choose(long, {})[0]


def test_a_plugin_that_negotiates_is_asked_each_time() -> None:
    asked: list[str] = []

    class Negotiates:
        @hookimpl
        def sseware_negotiate(self, request: Any, offers: Any) -> None:
            asked.append(request.path)

    own = menu(dialect=OWN, registry=Registry({"negotiates": Negotiates()}, installed=False))
    for path in ("/a", "/b"):
        own.choose(Request(path=path), {})
    assert asked == ["/a", "/b"]
