"""The hand-over between a handler and its writer: bounded, coalescing."""

from __future__ import annotations

import anyio
import pytest

from sseware.asgi._outbox import Outbox
from sseware.asgi._runtime import WakeUp, current_runtime
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
