"""What each server does to an application, in process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from sseware import SSEMiddleware
from sseware.testing import PERSONALITIES, Personality, connect, get_personality
from sseware.testing import _server_side as server_side
from sseware.testing.errors import AppFlooded, AppLeaked, AppRaised, SSETimeout
from tests.testing.apps import START, body, endless, says, ticks, until_disconnect

pytestmark = pytest.mark.anyio

EVENT = b"data: x\n\n"
CHUNK = b"data: %s\n\n" % (b"x" * 8000)


@pytest.fixture(params=PERSONALITIES)
def server(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def names(*wanted: Callable[[Personality], object]) -> list[str]:
    return [name for name, each in PERSONALITIES.items() if all(is_it(each) for is_it in wanted)]


async def blocks(awaitable: Awaitable[Any], seconds: float = 60) -> bool:
    """Whether something is awaited for long."""
    with anyio.move_on_after(seconds) as scope:
        await awaitable
    return scope.cancelled_caught


def test_there_are_eight() -> None:
    want = ["uvicorn", "uvicorn-h2", "hypercorn", "granian", "daphne", "asgi-2.4", "lockstep", "testclient"]
    assert list(PERSONALITIES) == want
    assert all(get_personality(name).name == name for name in want)


def test_one_of_ones_own_is_taken_as_it_is() -> None:
    mine = Personality(name="mine", high_water=1)
    assert get_personality(mine) is mine
    assert repr(mine) == "Personality(name='mine', high_water=1)"


async def test_an_application_that_looks_after_its_client_ends_on_every_server(server: str) -> None:
    async with connect(ticks, server=server, timeout=20) as stream:
        await stream.take(2)
        if server == "testclient":  # it tells nobody, and cancels
            return
        await stream.disconnect()
    assert stream.app_finished
    assert stream.app_exception is None


async def test_the_middleware_ends_on_every_server(server: str) -> None:
    async def handler() -> Any:
        while True:
            yield "x"
            await anyio.sleep(1)

    async with connect(SSEMiddleware(handler, dialect="plain"), server=server, timeout=20) as stream:
        await stream.take(2)
    assert stream.app_finished


async def test_the_scope_is_that_of_the_server(server: str) -> None:
    scopes: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)
        await says()(scope, receive, send)

    async with connect(app, server=server):
        pass
    personality = get_personality(server)
    (scope,) = scopes
    assert scope["http_version"] == personality.http_version
    assert scope["asgi"].get("spec_version") == personality.spec_version


async def test_the_head_waits_for_a_body_on_daphne(server: str) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await anyio.sleep(2)
        await send(body(b"", more=False))

    async with connect(app, server=server) as stream:
        assert stream.elapsed == (2 if server == "daphne" else 0)
        await stream.drain()
    with pytest.raises(SSETimeout, match="daphne holds them back until there is a body"):
        async with connect(app, server="daphne", timeout=1):
            pass


@pytest.mark.parametrize("exc", [None, ValueError("boom")])
async def test_a_held_head_comes_out_where_the_application_ends(exc: Exception | None) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        if exc is not None:
            raise exc

    async with connect(app, server="daphne") as stream:
        assert (stream.status, stream.ending) == (200, "cut")
        assert (stream.app_exception, len(stream.violations)) == (exc, exc is None)


async def test_send_blocks_where_the_server_cannot_hold_more(server: str) -> None:
    sent = 0

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal sent
        await send(START)
        await send(body(EVENT))
        await anyio.sleep(1)
        while sent < 2**20:
            sent += len(CHUNK)
            await send(body(CHUNK))
        await send(body(b"", more=False))

    high_water = get_personality(server).high_water
    async with connect(app, server=server) as stream:
        await stream.next()
        with stream.paused():
            await anyio.sleep(2)
            if high_water is None:
                assert sent >= 2**20
            else:
                assert high_water <= sent <= high_water + len(CHUNK)
        await stream.drain()


async def test_on_lockstep_the_application_does_nothing_before_the_test_waits() -> None:
    sent: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        for number in range(3):
            sent.append(number)
            await send(body(EVENT))
        await send(body(b"", more=False))

    async with connect(app, server="lockstep") as stream:
        for number in range(3):
            await anyio.sleep(1)
            assert sent == list(range(number + 1))
            await stream.next()
        await stream.drain()


async def test_what_send_does_after_the_client_has_left(server: str) -> None:
    outcomes: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await send(body(EVENT))
        await anyio.sleep(5)
        for _ in range(3):
            try:
                await send(body(EVENT))
                outcomes.append("nothing")
            except OSError:
                outcomes.append("OSError")

    async with connect(app, server=server, timeout=20) as stream:
        await stream.next()
    # One that is cancelled finds out nothing.
    want = "OSError" if server == "asgi-2.4" else "nothing"
    assert outcomes == [want] * 3 * (server != "testclient")


async def test_an_oserror_of_the_server_is_no_failure_of_the_application() -> None:
    class Departed(Exception):
        pass

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        while True:
            await anyio.sleep(1)
            try:
                await send(body(EVENT))
            except OSError:
                raise ExceptionGroup("", [Departed()])  # as careless as applications are

    async with connect(app, server="asgi-2.4"):
        pass


async def test_an_error_in_cleaning_up_is_a_failure() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await until_disconnect(receive)
        raise ValueError("boom")

    with pytest.raises(AppRaised, match="boom"):
        async with connect(app, server="asgi-2.4"):
            pass


async def test_a_blocked_send_ends_when_the_client_leaves(server: str) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await send(body(EVENT))
        await anyio.sleep(1)
        for _ in range(100):
            await send(body(CHUNK))
        await send(body(b"", more=False))

    async with connect(app, server=server, timeout=20) as stream:
        await stream.next()
        with stream.paused():
            await anyio.sleep(2)
            await stream.disconnect()
        assert len(stream.events) == 1  # who has left does not read on
    assert stream.app_finished


async def test_how_often_a_disconnect_is_told(server: str) -> None:
    told = 0

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal told
        await send(START)
        await send(body(EVENT))
        with anyio.move_on_after(30):
            while told < 3:
                told += (await receive())["type"] == "http.disconnect"
        await anyio.sleep(1)

    async with connect(app, server=server, timeout=60) as stream:
        await stream.next()
    want = {"once": 1, "always": 3, "falsely": 3, "never": 0}
    assert told == want[get_personality(server).disconnect]


async def test_after_the_end_receive_tells_a_disconnect(server: str) -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await send(body(EVENT, more=False))
        while "http.disconnect" not in seen:
            seen.append((await receive())["type"])

    async with connect(app, server=server) as stream:
        await stream.drain()
    personality = get_personality(server)
    first = ["http.request"] if personality.empty_request and personality.keeps_body else []
    assert seen == [*first, "http.disconnect"]


async def test_granian_tells_a_false_disconnect_to_the_second_of_two(server: str) -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async def look() -> None:
            with anyio.move_on_after(1):
                seen.append((await receive())["type"])

        async with anyio.create_task_group() as group:
            group.start_soon(look)
            group.start_soon(look)
        await look()
        await says()(scope, receive, send)

    async with connect(app, server=server):
        pass
    if server == "granian":
        assert seen == ["http.request", "http.disconnect", "http.disconnect"]
    else:
        assert seen == ["http.request"] * get_personality(server).empty_request


async def test_a_request_without_a_body_has_no_message_on_http_2(server: str) -> None:
    waited: list[bool] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        waited.append(await blocks(receive(), 1))
        await says()(scope, receive, send)

    async with connect(app, server=server):
        pass
    assert waited == [server == "uvicorn-h2"]


async def test_hypercorn_never_finishes_the_answer_to_a_body_that_nobody_reads(server: str) -> None:
    finished: list[bool] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        finished.append(not await blocks(send(body(EVENT, more=False))))

    for pieces in (9, 10):
        async with connect(app, content=[b"x"] * pieces, server=server, timeout=100) as stream:
            await stream.drain()
    # One message more is the end of the body.
    assert finished == [True, True] if server != "hypercorn" else [True, False]


async def test_a_body_is_lost_with_its_client_on_uvicorn(server: str) -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await send(body(EVENT))
        await anyio.sleep(1)
        with anyio.move_on_after(1):
            seen.append((await receive())["type"])

    async with connect(app, content=b"x", server=server) as stream:
        await stream.next()
    lost, cancelled = {"uvicorn", "uvicorn-h2"}, {"testclient"}
    assert seen == ([] if server in cancelled else ["http.disconnect" if server in lost else "http.request"])


async def test_an_idle_leak_is_hidden_by_the_one_that_cancels() -> None:
    deaf = says(EVENT, then="hang")
    for server in names(lambda each: each.cancels_after is None):
        with pytest.raises(AppLeaked):
            async with connect(deaf, server=server):
                pass
    async with connect(deaf, server="testclient", timeout=1) as stream:
        pass
    assert (stream.app_finished, stream.elapsed) == (True, 0)


async def test_daphne_cancels_after_ten_seconds() -> None:
    deaf = says(EVENT, then="hang")
    async with connect(deaf, server="daphne", timeout=20) as stream:
        pass
    assert (stream.app_finished, stream.elapsed) == (True, 10)
    with pytest.raises(AppLeaked):
        async with connect(deaf, server="daphne", timeout=9):
            pass


async def test_head_and_204_have_no_body(server: str) -> None:
    async def empty(scope: Any, receive: Any, send: Any) -> None:
        await send({**START, "status": 204})
        await send(body(EVENT, more=False))

    async with connect(says(EVENT), method="HEAD", server=server) as stream:
        assert await stream.read() == b""
    async with connect(empty, server=server) as stream:
        assert await stream.read() == b""


class TestFloods:
    @pytest.fixture(autouse=True)
    def impatient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(server_side, "_MANY_IN_A_TURN", 500)
        monkeypatch.setattr(server_side, "_LONGEST_TURN", 0.0)
        monkeypatch.setattr(server_side, "_MOST_UNTOUCHED", 2**20)

    @staticmethod
    async def never_awaits(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        while True:
            await send(body(EVENT))

    @pytest.mark.parametrize("server", names(lambda each: each.high_water is None))
    async def test_one_that_never_awaits_stops_a_server_that_never_blocks(self, server: str) -> None:
        with pytest.raises(AppFlooded, match=f"to its client and never let .* it would stop all of {server}"):
            async with connect(self.never_awaits, server=server) as stream:
                await stream.until("done")

    @pytest.mark.parametrize("swallows", [False, True])
    async def test_one_that_never_awaits_goes_on_after_its_client_has_left(self, swallows: bool) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send(START)
            while True:
                try:
                    await send(body(CHUNK))
                except Exception:
                    if not swallows:
                        raise

        with pytest.raises(AppFlooded, match="after its client had left and never let the event loop turn"):
            async with connect(app) as stream:
                with stream.paused():
                    await anyio.sleep(1)

    @pytest.mark.parametrize("server", names(lambda each: each.high_water is not None))
    async def test_one_that_looks_for_its_client_is_none(self, server: str) -> None:
        async with connect(endless, server=server) as stream:
            await stream.take(100)

    async def test_more_bytes_than_a_test_looks_at(self) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send(START)
            while True:
                await send(body(CHUNK))
                await anyio.lowlevel.checkpoint()

        with pytest.raises(AppFlooded, match="bytes while the test looked at none of them"):
            async with connect(app) as stream:
                await stream.drain(timeout=1e6)

    async def test_a_long_burst_is_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(server_side, "_LONGEST_TURN", 60.0)
        async with connect(says(*[EVENT] * 2000), server="daphne") as stream:
            assert len(await stream.drain()) == 2000
