"""`sseware.kernels._tender`: the input and the clock go on while nobody asks for output."""

from __future__ import annotations

import gc
import time
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from sseware.errors import ConfigurationError, StreamError
from sseware.items import Failure, Finish, Text
from sseware.kernels import KernelItem, run
from sseware.kernels._process import KernelProcess
from sseware.kernels._tender import Tender
from tests.kernels.patience import PATIENCE, given_time, wait_until

pytestmark = pytest.mark.anyio

TIMED_OUT = Finish(False, None, {"error": "kernel timed out", "status": 504})


async def collect(*args: Any, **options: Any) -> list[KernelItem]:
    async with aclosing(run(*args, **options)) as items:
        return [item async for item in items]


def text_of(items: list[KernelItem]) -> str:
    return "".join(item.text for item in items if isinstance(item, Text))


@pytest.mark.parametrize(
    ("given", "want"),
    [
        pytest.param(None, "", id="nothing"),
        pytest.param("", "", id="an-empty-str"),
        pytest.param("hé ✓", "hé ✓", id="a-str-as-utf-8"),
        pytest.param(b"a\0\xc3\xa9", "a\0é", id="bytes"),
        pytest.param(bytearray(b"abc"), "abc", id="a-bytearray"),
        pytest.param(memoryview(b"a.b.c.")[::2], "abc", id="a-view-with-steps"),
    ],
)
async def test_a_process_reads_what_it_was_given(given: Any, want: str) -> None:
    items = await collect(["cat"], input=given)
    assert text_of(items) == want
    assert items[-1] == Finish()


class Source:
    """An input in pieces that remembers how far it got, and how it ended."""

    def __init__(self, *chunks: Any, endless: bool = False) -> None:
        self.chunks = chunks
        self.endless = endless
        self.given = 0
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[Any]:
        try:
            while True:
                for chunk in self.chunks:
                    self.given += 1
                    yield chunk
                if not self.endless:
                    return
        finally:
            await anyio.lowlevel.checkpoint()  # a cleanup may await
            self.closed = True


async def test_pieces_are_fed_as_they_come() -> None:
    source = Source(b"a", b"", bytearray(b"b"), memoryview(b"c"))
    assert text_of(await collect(["cat"], input=source)) == "abc"
    assert source.closed


async def test_an_iterator_that_cannot_be_closed_is_taken() -> None:
    class Twice:
        left = 2

        def __aiter__(self) -> Twice:
            return self

        async def __anext__(self) -> bytes:
            if not self.left:
                raise StopAsyncIteration
            self.left -= 1
            return b"x"

    assert text_of(await collect(["cat"], input=Twice())) == "xx"


async def test_reading_and_writing_go_on_side_by_side() -> None:
    # Twenty times what the two pipes hold: fed first and read later, it would never end.
    size = 20 * 2 * 65536
    with anyio.fail_after(PATIENCE):
        items = await collect(["cat"], input=b"x" * size)
    assert len(text_of(items)) == size
    assert items[-1] == Finish()


async def test_an_input_may_wait_for_the_output() -> None:
    seen = anyio.Event()

    async def ask() -> AsyncIterator[bytes]:
        yield b"first\n"
        await seen.wait()
        yield b"second\n"

    texts = []
    with anyio.fail_after(PATIENCE):
        async with aclosing(run(["cat"], input=ask())) as items:
            async for item in items:
                if isinstance(item, Text):
                    texts.append(item.text)
                    seen.set()
    assert texts == ["first\n", "second\n"]


async def test_a_process_need_not_read_its_input() -> None:
    items = await collect(["sh", "-c", "sleep 0.05; echo done"], input=b"x" * 1_000_000)
    assert items == [Text("done\n"), Finish()]


async def test_a_process_may_close_its_input_early() -> None:
    source = Source(b"x" * 65536, endless=True)
    with anyio.fail_after(PATIENCE):
        items = await collect(["sh", "-c", "head -c 3; exec <&-; sleep 0.1"], input=source)
    assert items == [Text("xxx"), Finish()]
    assert source.closed


async def test_an_input_is_not_read_ahead_of_the_process(runs: Callable[[int], bool]) -> None:
    source = Source(b"x" * 65536, endless=True)
    async with aclosing(run(["sh", "-c", "echo $$; exec sleep 1000"], input=source)) as items:
        await anext(items)
        for _ in range(20):
            await anyio.sleep(0.005)
        # One in the pipe, one that waits for room.
        assert source.given <= 2
    assert source.closed


@pytest.mark.parametrize("at", [0, 1])
async def test_an_exception_of_the_input_kills_the_process_and_is_raised(at: int) -> None:
    async def fail() -> AsyncIterator[bytes]:
        for _ in range(at):
            yield b"x"
        raise StreamError("request body exceeds 4 bytes", status=413)

    with anyio.fail_after(PATIENCE), pytest.raises(StreamError, match="exceeds 4 bytes") as caught:
        await collect(["sleep", "1000"], input=fail())
    assert caught.value.status == 413


async def test_an_input_that_yields_no_bytes_is_refused_when_it_comes() -> None:
    with pytest.raises(ConfigurationError, match="must yield bytes, got 'text'"):
        await collect(["sleep", "1000"], input=Source("text"))


async def test_a_cleanup_that_hangs_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sseware.kernels._tender._CLEANUP", 0.05)

    async def hang() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 65536
        finally:
            await anyio.sleep_forever()

    with anyio.fail_after(PATIENCE):
        items = await collect(["sh", "-c", "sleep 0.02; echo done"], input=hang())
    assert items == [Text("done\n"), Finish()]


async def test_what_takes_too_long_is_killed() -> None:
    async def run_out(seconds: float) -> None:
        start = time.monotonic()
        items = await collect(["sh", "-c", "echo tick; sleep 1000"], timeout=seconds)
        assert seconds <= time.monotonic() - start < PATIENCE
        assert items == [Text("tick\n"), TIMED_OUT]

    await given_time(run_out, 0.1, 1, 10)


async def test_an_input_that_takes_too_long_is_closed() -> None:
    async def stall() -> AsyncIterator[bytes]:
        yield b"x"
        await anyio.sleep_forever()

    async def run_out(seconds: float) -> None:
        assert await collect(["cat"], input=stall(), timeout=seconds) == [Text("x"), TIMED_OUT]

    await given_time(run_out, 0.1, 1, 10)


async def test_with_grace_the_last_words_of_what_timed_out_are_heard() -> None:
    script = "trap 'echo bye; exit 0' TERM; echo hi; while :; do sleep 0.01; done"

    async def run_out(seconds: float) -> None:
        items = await collect(["sh", "-c", script], timeout=seconds, kill_grace=PATIENCE)
        assert text_of(items) == "hi\nbye\n"
        assert items[-1] == TIMED_OUT

    await given_time(run_out, 0.1, 1, 10)


async def test_after_the_grace_a_timeout_kills() -> None:
    script = "trap '' TERM; while :; do sleep 0.01; done"

    async def run_out(seconds: float) -> None:
        start = time.monotonic()
        items = await collect(["sh", "-c", script], timeout=seconds, kill_grace=0.1)
        assert seconds + 0.1 <= time.monotonic() - start < PATIENCE
        assert items == [TIMED_OUT]

    await given_time(run_out, 0.1, 1, 10)


async def test_a_timeout_holds_while_nobody_asks(runs: Callable[[int], bool]) -> None:
    async def run_out(seconds: float) -> None:
        async with aclosing(run(["sh", "-c", "echo $$; exec sleep 1000"], timeout=seconds)) as items:
            first = await anext(items)
            assert isinstance(first, Text)
            await wait_until(lambda: not runs(int(first.text)))
            assert await anext(items) == TIMED_OUT

    await given_time(run_out, 0.1, 1, 10)


async def test_what_ended_in_time_did_not_time_out_because_its_reader_is_slow() -> None:
    async def read_late(seconds: float) -> None:
        script = "echo one; sleep 0.02; echo two; exit 3"
        async with aclosing(run(["sh", "-c", script], timeout=seconds)) as items:
            first = await anext(items)
            await anyio.sleep(1.5 * seconds)
            rest = [item async for item in items]
        assert text_of([first, *rest]) == "one\ntwo\n"
        assert rest[-1] == Finish(False, 3)

    await given_time(read_late, 0.15, 1, 10)


async def test_a_timeout_also_ends_what_floods_a_pipe_after_the_exit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Where no timeout ended it, it would be heard for a moment longer.
    monkeypatch.setattr("sseware.kernels._process._LAST_WORDS", PATIENCE)

    async def read_late(seconds: float) -> None:
        async with aclosing(run(["sh", "-c", "yes & exit 0"], timeout=seconds)) as items:
            await anext(items)
            await anyio.sleep(1.5 * seconds)
            start = time.monotonic()
            assert [item async for item in items][-1] == Finish()
            assert time.monotonic() - start < PATIENCE

    await given_time(read_late, 0.1, 1, 10)


async def test_without_a_timeout_there_is_no_clock() -> None:
    assert await collect(["cat"], input="hi", timeout=None) == [Text("hi"), Finish()]


async def test_an_input_that_is_cancelled_before_its_first_step_is_closed() -> None:
    # A task of asyncio that is cancelled before its first step never takes one.
    process = KernelProcess(["sleep", "1000"], has_input=True)
    tender = Tender(process, b"x", timeout=None, grace=0)
    tender.start()
    tender.cancel()
    await process.aclose()
    await tender.wait_closed()
    assert process.stdin is not None
    assert process.stdin.closed


async def test_a_clock_does_not_outlive_its_run() -> None:
    process = KernelProcess(["true"])
    tender = Tender(process, None, timeout=1000, grace=0)
    tender.start()
    tender.cancel()
    await process.aclose()
    await tender.wait_closed()
    gone = weakref.ref(tender)
    del tender
    with anyio.fail_after(PATIENCE):
        while gone() is not None:
            gc.collect()
            await anyio.lowlevel.checkpoint()


async def test_what_is_still_fed_may_write_too_much() -> None:
    items = await collect(["sh", "-c", "echo 123; sleep 1000"], input="x", max_output=3, timeout=60)
    assert items == [
        Failure("output exceeded the 3-byte stream limit; truncated", code="output_limit", status=500)
    ]
