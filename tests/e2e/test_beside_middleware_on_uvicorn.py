"""Under and over other people's middleware on a real server, where time is the point: first byte and last."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.asgi.stacks import MIDDLEWARES, PLACES, Seen, app_of
from tests.e2e.servers import Client, fastest, seconds_until, serving

PROMPT = 0.1
STACKS = [(middleware, place) for middleware in MIDDLEWARES for place in PLACES]


class Stacks:
    """All of them behind one server: the first part of the path chooses."""

    def __init__(self) -> None:
        self.seen = [Seen() for _ in STACKS]
        self._apps = [
            PLACES[place](MIDDLEWARES[middleware], app_of(seen))
            for (middleware, place), seen in zip(STACKS, self.seen, strict=True)
        ]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                await send({"type": f"{message['type']}.complete"})
                if message["type"] == "lifespan.shutdown":
                    return
        number, _, path = scope["path"][1:].partition("/")
        await self._apps[int(number)](
            {**scope, "path": f"/{path}", "raw_path": f"/{path}".encode()}, receive, send
        )


@pytest.fixture(scope="module")
def stacks() -> Stacks:
    return Stacks()


@pytest.fixture(scope="module")
def address(stacks: Stacks) -> Iterator[tuple[str, int]]:
    with serving(stacks, "httptools") as address:
        yield address


@pytest.mark.parametrize("door", ["lines", "ours"])
@pytest.mark.parametrize("number", range(len(STACKS)), ids=[f"{place} {name}" for name, place in STACKS])
def test_the_first_event_comes_and_a_client_that_leaves_is_noticed_at_once(
    number: int, door: str, stacks: Stacks, address: tuple[str, int]
) -> None:
    """H8."""
    seen = stacks.seen[number]

    def first_event() -> float:
        began = time.monotonic()
        with Client(address) as client:
            client.ask(f"/{number}/{door}/rests", method="GET", accept="text/event-stream")
            status, headers = client.head()
            client.until(b"\n\n")
            took = time.monotonic() - began
            assert (status, headers["content-type"].split(";")[0]) == (200, "text/event-stream")
            count = len(seen.left)
            client.leave("FIN")
            left.append(seconds_until(lambda: len(seen.left) > count))
        return took

    left: list[float] = []
    assert fastest(first_event, PROMPT) < PROMPT
    while min(left) >= PROMPT and len(left) < 5:
        first_event()
    assert min(left) < PROMPT
