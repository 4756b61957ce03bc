"""What a middleware leaves for the responses below it."""

from __future__ import annotations

from sseware.asgi import Settings
from sseware.asgi._guard import SendGuard
from sseware.asgi._menu import Menu
from sseware.asgi._receive import ReceivePump
from sseware.asgi._scope import Surroundings, surround
from tests.asgi.fakes import FakeServer, request

SERVER = FakeServer()
AROUND = (Menu(Settings()), ReceivePump(SERVER.receive), SendGuard(SERVER.send, "GET"))


def test_a_response_finds_what_is_around_it() -> None:
    assert Surroundings.of(surround(request(), *AROUND)) == Surroundings(*AROUND)


def test_whoever_is_outside_sees_no_change() -> None:
    scope = request()
    surround(scope, *AROUND)
    assert scope == request()


def test_without_a_middleware_there_is_nothing() -> None:
    assert Surroundings.of(request()) is None


def test_what_somebody_else_left_under_our_name_is_left_alone() -> None:
    assert Surroundings.of({"sseware": "something"}) is None
    assert Surroundings.of({"sseware": (1, 2, 3)}) is None
