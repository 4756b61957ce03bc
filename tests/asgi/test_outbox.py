"""The hand-over between a handler and its writer: bounded, coalescing."""

from __future__ import annotations

import gc
import types
from collections.abc import Callable, Coroutine, Generator, Iterator
from typing import Any

import anyio
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sseware.asgi._on_asyncio import ENDED
from sseware.asgi._outbox import IDLE, Outbox
from sseware.asgi._relay import Relay
from sseware.asgi._runtime import WakeUp, current_runtime
from sseware.asgi._sending import Sender
from sseware.dialects import TextWriters
from sseware.wire import short_text_encoder, text_encoder, texts_encoder
from tests.asgi.fakes import turns

pytestmark = pytest.mark.anyio


def make(max_items: int = 3, max_bytes: int = 10) -> tuple[Outbox, WakeUp]:
    runtime = current_runtime()
    wake = runtime.wake_up()
    return Outbox(runtime, wake, max_items, max_bytes), wake


async def woken(wake: WakeUp) -> bool:
    with anyio.move_on_after(1):
        await wake.wait()
        return True
    return False


async def test_everything_that_is_ready_is_one_chunk() -> None:
    outbox, _ = make()
    for chunk in (b"a", b"", b"b"):
        outbox.put(chunk)
    assert outbox.ready
    assert outbox.take() == b"ab"
    assert not outbox.ready
    assert outbox.take() == b""


async def test_one_chunk_is_not_copied() -> None:
    outbox, _ = make()
    chunk = b"chunk"
    outbox.put(chunk)
    assert outbox.take() is chunk


@pytest.mark.parametrize(
    ("chunks", "room"),
    [
        pytest.param([b"a", b"b"], True, id="two-of-three-items"),
        pytest.param([b"a", b"b", b"c"], False, id="three-items"),
        pytest.param([b"", b"", b""], False, id="items-without-bytes-count"),
        pytest.param([b"123456789"], True, id="nine-of-ten-bytes"),
        pytest.param([b"1234567890"], False, id="ten-bytes"),
        pytest.param([b"12345", b"678901"], False, id="more"),
    ],
)
async def test_it_tells_when_it_is_full(chunks: list[bytes], room: bool) -> None:
    """C7."""
    outbox, _ = make()
    assert [outbox.put(chunk) for chunk in chunks][-1] is room


def hold(outbox: Outbox) -> Callable[[str], bool]:
    """Lets texts be put, each of which is in brackets then: ``<a>``."""

    def write(text: str) -> bytes:
        return f"<{text}>".encode()

    return outbox.hold_texts(TextWriters(write, write, lambda texts: f"<{'><'.join(texts)}>".encode()))


@pytest.mark.parametrize(
    ("puts", "taken"),
    [
        pytest.param(["a"], b"<a>", id="one-text"),
        pytest.param(["a", "b"], b"<a><b>", id="texts"),
        pytest.param(["a", b"b", "c"], b"<a>b<c>", id="bytes-between-texts"),
        pytest.param([b"a", "b"], b"a<b>", id="bytes-before-a-text"),
        pytest.param(["a", "b", b"c"], b"<a><b>c", id="bytes-after-texts"),
        pytest.param(["a", "x" * 1000, "b"], b"<a><" + b"x" * 1000 + b"><b>", id="a-long-text"),
        pytest.param(["a", b"", "b"], b"<a><b>", id="nothing-between-texts"),
    ],
)
async def test_texts_are_taken_in_their_place(puts: list[Any], taken: bytes) -> None:
    outbox, wake = make(max_items=10, max_bytes=1000)
    put_text = hold(outbox)
    for value in puts:
        put_text(value) if isinstance(value, str) else outbox.put(value)
    assert outbox.ready
    outbox.flush()
    assert await woken(wake)
    assert outbox.take() == taken
    assert not outbox.ready
    outbox.flush()
    assert not await woken(wake)
    put_text("again")
    outbox.put_first(b"first")
    assert outbox.take() == b"first<again>"


@pytest.mark.parametrize(
    ("puts", "room"),
    [
        pytest.param(["a", "b"], True, id="two-of-three-texts"),
        pytest.param(["a", "b", "c"], False, id="three-texts"),
        pytest.param(["a", "b", b"c"], False, id="two-texts-and-bytes"),
        pytest.param(["a", b"", "c"], False, id="a-text-between-which-was-nothing"),
        pytest.param([b"a", "b", "c"], False, id="bytes-and-two-texts"),
        pytest.param(["x" * 97], True, id="99-of-100-bytes"),
        pytest.param(["x" * 98], False, id="100-bytes"),
        pytest.param(["a", "é" * 48], False, id="characters-of-two-bytes"),
        pytest.param(["a", b"x" * 97], False, id="a-text-and-bytes"),
        pytest.param(["a", b"x" * 96], True, id="a-text-and-fewer-bytes"),
    ],
)
async def test_it_is_full_of_texts_as_of_their_bytes(puts: list[Any], room: bool) -> None:
    """C7."""
    outbox, _ = make(max_items=3, max_bytes=100)
    put_text = hold(outbox)
    for _ in range(2):
        told = [put_text(value) if isinstance(value, str) else outbox.put(value) for value in puts]
        assert told == [True] * (len(puts) - 1) + [room]
        outbox.take()


@given(
    puts=st.lists(st.text("a\n", max_size=40) | st.binary(max_size=40)),
    max_items=st.integers(1, 9),
    max_bytes=st.integers(1, 200),
)
@example(puts=["\n" * 12] * 2, max_items=5, max_bytes=100)
def test_while_there_is_room_what_is_held_is_less_than_its_limits(
    puts: list[Any], max_items: int, max_bytes: int
) -> None:
    """C7: texts are counted by what they will be, and a line end becomes seven bytes."""
    write_text = text_encoder()

    async def scenario() -> None:
        outbox, _ = make(max_items, max_bytes)
        put_text = outbox.hold_texts(TextWriters(write_text, short_text_encoder(), texts_encoder()))
        held = b""
        for count, value in enumerate(puts, 1):
            held += write_text(value) if isinstance(value, str) else value
            if not (put_text(value) if isinstance(value, str) else outbox.put(value)):
                break
            assert count < max_items
            assert len(held) < max_bytes
        assert outbox.take() == held

    anyio.run(scenario)


@types.coroutine
def on_a_bare_iterator() -> Generator[str, None, None]:
    yield "waits"


class Awaited:
    """What can be awaited and is no coroutine, as granian's ``send`` returns it."""

    def __await__(self) -> Iterator[Any]:
        return iter(["waits"])


@pytest.mark.parametrize(
    "waits", [None, Awaited(), on_a_bare_iterator], ids=["at-once", "iterator", "coroutine"]
)
@pytest.mark.parametrize(
    ("puts", "sent"),
    [
        pytest.param(["a"], b"<a>", id="one-text"),
        pytest.param(["a", "b"], b"<a><b>", id="texts"),
        pytest.param([b"a", "b"], b"a<b>", id="bytes"),
        pytest.param(["a", b"b"], b"<a>b", id="a-text-before-bytes"),
        pytest.param([b""], b"", id="nothing"),
    ],
)
async def test_what_is_ready_is_sent_each_time_that_its_parts_are_asked_for(
    puts: list[Any], sent: bytes, waits: Any
) -> None:
    outbox, _ = make(max_items=10, max_bytes=1000)
    put_text, messages = hold(outbox), list[Any]()

    async def taken(message: Any) -> None:
        messages.append(message)
        if waits is not None:
            await waits()

    def begun(message: Any) -> Any:
        messages.append(message)
        return waits

    parts: Any = outbox.parts(begun if isinstance(waits, Awaited) else taken)
    assert next(parts) is IDLE
    for _ in range(3):
        for value in puts:
            put_text(value) if isinstance(value, str) else outbox.put(value)
        if sent and waits is not None:
            assert next(parts) == "waits"
        assert next(parts) is (ENDED if sent else IDLE)
        assert not outbox.ready
    assert next(parts) is IDLE
    part = {"type": "http.response.body", "body": sent, "more_body": True}
    assert messages == ([part] * 3 if sent else [])


async def test_what_a_send_raises_ends_the_parts() -> None:
    outbox, _ = make()

    async def fails(message: Any) -> None:
        raise OSError("gone")

    parts: Any = outbox.parts(fails)
    outbox.put(b"a")
    with pytest.raises(OSError, match="gone"):
        next(parts)
    with pytest.raises(StopIteration):
        next(parts)


async def test_items_without_bytes_are_counted_anew_where_a_full_outbox_is_emptied() -> None:
    outbox, _ = make(max_items=3, max_bytes=100)
    put_text = hold(outbox)

    async def taken(message: Any) -> None:
        """Takes it."""

    parts: Any = outbox.parts(taken)

    class Handing:
        """Hands over what is ready."""

        def flush(self) -> None:
            next(parts)

        def carry(self, main: Callable[[], Coroutine[Any, Any, None]]) -> Coroutine[Any, Any, None]:
            return main()

        def interrupt(self) -> None: ...

    outbox.relay = Handing()
    outbox.put(b"")
    outbox.put(b"")
    assert put_text("a") is False
    await outbox.wait_room()
    assert not outbox.ready
    assert put_text("a") is True


def carried(main: Callable[[], Coroutine[Any, Any, None]], *, relayed: bool) -> Any:
    """Returns what an outbox carries: with a relay, as over HTTP, or without, as over a WebSocket."""
    outbox, wake = make()
    if relayed:
        runtime = current_runtime()
        outbox.relay = Relay(outbox, Sender(_nowhere, runtime, None), runtime, wake)
    return outbox.carry(main)


@types.coroutine
def waits(for_what: str) -> Generator[str, Any, Any]:
    return (yield for_what)


@pytest.mark.parametrize("relayed", [True, False])
async def test_what_is_carried_waits_as_it_would_alone(relayed: bool) -> None:
    log: list[object] = []

    async def main() -> None:
        log.append(await waits("first"))
        try:
            await waits("second")
        except ValueError as exc:
            log.append(exc)
        await waits("third")

    steps = carried(main, relayed=relayed)
    error = ValueError("raised where it waits")
    assert steps.send(None) == "first"
    assert steps.send("sent") == "second"
    assert steps.throw(error) == "third"
    with pytest.raises(StopIteration):
        steps.send(None)
    assert log == ["sent", error]


@pytest.mark.parametrize("relayed", [True, False])
async def test_what_is_carried_ends_with_its_own_exception_or_is_closed_where_it_waits(relayed: bool) -> None:
    log: list[str] = []

    async def fails() -> None:
        await waits("first")
        raise ValueError("its own")

    async def is_closed() -> None:
        try:
            await waits("first")
        finally:
            log.append("closed")

    steps = carried(fails, relayed=relayed)
    steps.send(None)
    with pytest.raises(ValueError, match="its own"):
        steps.send(None)
    coroutine = is_closed()  # held here, so that nobody but what carries it closes it
    steps = carried(lambda: coroutine, relayed=relayed)
    steps.send(None)
    steps.close()
    assert log == ["closed"]


@pytest.mark.parametrize("relayed", [True, False])
async def test_what_was_put_wakes_a_writer_that_is_at_something_else_each_time_before_a_wait(
    relayed: bool,
) -> None:
    woken: list[str] = []

    async def main() -> None:
        outbox.put(b"a")
        woken.append("not yet")
        await waits("first")
        outbox.take()
        await waits("second")

    class WakesNobody:
        """Notes that it was called."""

        def __call__(self) -> None:
            woken.append("woken")

        async def wait(self) -> None: ...

    runtime = current_runtime()
    outbox = Outbox(runtime, WakesNobody(), 3, 10)
    if relayed:
        outbox.relay = Relay(outbox, Sender(_nowhere, runtime, None), runtime, WakesNobody())
    steps: Any = outbox.carry(main)
    steps.send(None)
    steps.send(None)
    steps.close()
    assert woken == ["not yet", "woken"]


@pytest.mark.parametrize("relayed", [True, False])
@pytest.mark.parametrize("anyio_backend", [("asyncio", {})], ids=["asyncio"])
async def test_what_is_cancelled_before_it_began_leaves_no_coroutine_behind(relayed: bool) -> None:
    began: list[str] = []

    async def main() -> None:
        began.append("main")

    runtime = current_runtime()
    task = runtime.spawn(lambda: carried(main, relayed=relayed), "puts")
    task.cancel()
    await runtime.wait_ended([task], 1)
    gc.collect()  # a coroutine that was never awaited would warn here
    assert task.done()
    assert not began


async def _nowhere(message: Any) -> None:
    """Takes it."""


async def test_the_writer_is_woken_by_what_is_handed_over_and_by_the_end() -> None:
    outbox, wake = make()
    outbox.put(b"")
    outbox.flush()
    assert not await woken(wake)
    outbox.put(b"a")
    assert not await woken(wake)
    outbox.put(b"b")
    outbox.flush()
    assert await woken(wake)
    outbox.take()
    outbox.flush()
    assert not await woken(wake)
    outbox.close()
    assert await woken(wake)
    assert outbox.closed


async def test_a_handler_waits_until_its_chunks_are_taken() -> None:
    outbox, _ = make()
    order: list[str] = []

    async def handler() -> None:
        outbox.put(b"0123456789")
        await outbox.wait_room()
        order.append("room")

    async with anyio.create_task_group() as group:
        group.start_soon(handler)
        await turns()
        order.append("take")
        outbox.take()
    assert order == ["take", "room"]


async def test_a_handler_that_waits_can_be_released_and_waits_again_the_next_time() -> None:
    outbox, _ = make()
    outbox.put(b"0123456789")
    async with anyio.create_task_group() as group:
        for _ in range(2):
            group.start_soon(outbox.wait_room)
            await turns()
            outbox.release()
            outbox.release()
            await turns()
    with anyio.move_on_after(1) as scope:
        await outbox.wait_room()
    assert scope.cancelled_caught


async def test_releasing_nobody_is_not_remembered() -> None:
    outbox, _ = make()
    outbox.put(b"0123456789")
    outbox.release()
    with anyio.move_on_after(1) as scope:
        await outbox.wait_room()
    assert scope.cancelled_caught


async def test_items_without_bytes_wait_for_nobody_but_let_the_loop_turn() -> None:
    """G3."""
    outbox, _ = make()
    turned: list[int] = []

    async def other() -> None:
        turned.append(1)

    async with anyio.create_task_group() as group:
        group.start_soon(other)
        for _ in range(3):
            outbox.put(b"")
        await outbox.wait_room()
        await outbox.wait_room()
        assert turned == [1]
    assert outbox.put(b"") is True, "they are counted anew"
