"""What a middleware leaves for the responses below it."""

from __future__ import annotations

from sseware.asgi import Settings
from sseware.asgi._menu import Menu
from sseware.asgi._passage import Passage
from sseware.asgi._scope import menu_around, passage_around, surround
from tests.asgi.fakes import FakeServer, request

SERVER = FakeServer()
MENU = Menu(Settings())
PASSAGE = Passage(MENU, SERVER.receive, SERVER.send, "GET")


def test_a_response_finds_what_is_around_it() -> None:
    scope = surround(request(), PASSAGE)
    assert passage_around(scope) is PASSAGE
    assert menu_around(scope) is MENU


def test_over_a_websocket_there_are_options_and_nothing_else() -> None:
    scope = surround(request(), MENU)
    assert passage_around(scope) is None
    assert menu_around(scope) is MENU


def test_whoever_is_outside_sees_no_change() -> None:
    scope = request()
    surround(scope, PASSAGE)
    assert scope == request()


def test_without_a_middleware_there_is_nothing() -> None:
    assert passage_around(request()) is None
    assert menu_around(request()) is None


def test_what_somebody_else_left_under_our_name_is_left_alone() -> None:
    scope = {"sseware": "something"}
    assert passage_around(scope) is None
    assert menu_around(scope) is None
