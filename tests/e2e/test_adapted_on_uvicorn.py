"""An existing application's answers as streams over a real server: whole, broken, left, and untouched."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sseware import SSEMiddleware
from tests.asgi.stacks import Seen, app_of
from tests.e2e.servers import Answer, Client, seconds_until, serving

ASKED = "text/event-stream"
SEEN = Seen()


@pytest.fixture(scope="module", params=["h11", "httptools"])
def address(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    with serving(SSEMiddleware(app_of(SEEN), adapt=True), request.param) as address:
        yield address


def get(address: tuple[str, int], path: str, accept: str, method: str = "GET") -> Answer:
    with Client(address) as client:
        client.ask(path, method=method, accept=accept)
        return client.answer()


def test_lines_are_a_stream_for_who_asks(address: tuple[str, int]) -> None:
    answer = get(address, "/lines/ends", ASKED)
    assert answer.body == b"".join(b'event: data\ndata: {"n":%d}\n\n' % n for n in range(3))
    assert "content-length" not in answer.headers


def test_lines_are_lines_for_everybody_else(address: tuple[str, int]) -> None:
    """H15."""
    answer = get(address, "/lines/ends", "*/*")
    assert answer.body == b'{"n":0}\n{"n":1}\n{"n":2}\n'
    assert answer.headers["vary"] == "Accept"


def test_one_that_dies_half_way_ends_cleanly_with_a_failure(address: tuple[str, int]) -> None:
    """X3: a body that is cut off would be an error of the client's HTTP library."""
    answer = get(address, "/lines/breaks", ASKED)
    assert answer.body.startswith(b'event: data\ndata: {"n":1}\n\nevent: error\n')
    assert b"half-way" not in answer.body


def test_one_that_dies_at_once_is_a_real_error(address: tuple[str, int]) -> None:
    """X1."""
    assert get(address, "/raises", ASKED).status == 500


def test_a_client_that_leaves_closes_the_applications_own_generator(address: tuple[str, int]) -> None:
    with Client(address) as client:
        client.ask("/lines/rests", method="GET", accept=ASKED)
        client.head()
        client.until(b"\n\n")
        count = len(SEEN.left)
        client.leave("RST")
    assert seconds_until(lambda: len(SEEN.left) > count) < 5
