"""Where a handler's values become a stream."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sseware.asgi import Settings
from sseware.asgi._fold_sink import FoldSink
from sseware.asgi._menu import Menu
from sseware.asgi._outbox import Outbox
from sseware.asgi._plan import Plan
from sseware.asgi._runtime import current_runtime
from sseware.asgi._stream_sink import StreamSink
from sseware.dialects import AnItem, ChunkEncoder, StreamContext, get_dialect
from sseware.errors import InvalidItem, StreamError
from sseware.events import ServerSentEvent
from sseware.items import Data, Failure, File, Finish, Start, Text
from sseware.negotiation import Request

pytestmark = pytest.mark.anyio


class Loud:
    """A dialect's encoder that says everything that is asked of it."""

    def start(self) -> Iterable[ServerSentEvent]:
        return ()

    def encode(self, item: AnItem) -> Iterable[ServerSentEvent]:
        if isinstance(item, Text):
            return [ServerSentEvent(item.text)]
        if isinstance(item, Start | Finish):
            return ()
        raise InvalidItem(f"no event for {item!r}")

    def finish(self) -> Iterable[ServerSentEvent]:
        return [ServerSentEvent("good", event="end")]

    def fail(self, failure: Failure) -> Iterable[ServerSentEvent]:
        return [ServerSentEvent(failure.message, event="error")]


class Harness:
    """A sink, and what came out of it."""

    def __init__(self, encoder: Any = None, *, debug: bool = False, extra: Any = None) -> None:
        runtime = current_runtime()
        wake = runtime.wake_up()
        plan = Plan(Menu(Settings()).choose(Request(), {})[1], StreamContext())
        self.outbox = Outbox(runtime, wake, 3, 1000)
        self.sink = StreamSink(
            ChunkEncoder(encoder or Loud(), extra),
            self.outbox,
            lambda: FoldSink(plan, runtime, wake),
            debug=debug,
        )


GOOD = b"event: end\ndata: good\n\n"
BAD = b"event: error\ndata: internal error\n\n"


async def test_what_is_yielded_is_encoded() -> None:
    it = Harness()
    for value in ("a", b"b", Text("c"), bytearray(b"\xc3")):
        it.sink.put(value)
    it.sink.finish()
    assert it.outbox.take() == b"data: a\n\ndata: b\n\ndata: c\n\n" + GOOD


@pytest.mark.parametrize("dialect", ["plain", "husk"])
@given(
    values=st.lists(
        st.text(st.sampled_from("ab\r\né\ud800"), max_size=30)
        | st.builds(dict, a=st.integers())
        | st.builds(Text, st.just("item"))
        | st.just(b"bytes")
        | st.none(),
        max_size=20,
    )
)
def test_what_is_put_is_written_as_its_items_and_in_their_order(dialect: str, values: list[Any]) -> None:
    """``None`` is where the writer takes what there is."""
    of_a_type: dict[type, Any] = {str: Text, bytes: lambda value: Text(value.decode()), dict: Data}

    async def scenario() -> None:
        encoder = get_dialect(dialect)
        it = Harness(encoder.open(StreamContext(clock=float)))
        it.sink.head_sent = True
        chunks, want, got = ChunkEncoder(encoder.open(StreamContext(clock=float))), b"", b""
        for value in values:
            if value is None:
                got += it.outbox.take()
                continue
            want += chunks.encode(of_a_type.get(type(value), lambda item: item)(value))
            if not it.sink.put(value):
                got += it.outbox.take()
        assert got + it.outbox.take() == want

    anyio.run(scenario)


async def test_it_tells_when_the_outbox_is_full() -> None:
    it = Harness()
    assert [it.sink.put("a") for _ in range(3)] == [True, True, False]
    it.outbox.take()
    it.sink.release()


async def test_a_finish_ends_the_stream_and_the_end_of_the_handler_adds_nothing() -> None:
    """D1."""
    it = Harness()
    assert it.sink.put(Finish()) is False
    assert it.sink.ended
    it.sink.finish()
    assert it.outbox.take() == GOOD


async def test_a_failure_that_is_yielded_is_told_in_the_stream() -> None:
    it = Harness()
    assert it.sink.put(Failure("no")) is False
    it.sink.finish()
    assert it.outbox.take() == b"event: error\ndata: no\n\n"
    assert it.sink.instead is None


async def test_an_exception_before_anything_is_not_told_in_a_stream() -> None:
    """X1."""
    it, exc = Harness(), ValueError("no")
    it.sink.put(Start())
    assert it.sink.is_undecided, "an item without bytes decides nothing"
    it.sink.fail(exc)
    assert (it.sink.error, it.sink.ended, it.outbox.ready) == (exc, True, False)


async def test_an_exception_after_something_is(caplog: pytest.LogCaptureFixture) -> None:
    """X3, X4."""
    it = Harness()
    it.sink.put("a")
    with caplog.at_level(logging.ERROR, "sseware"):
        it.sink.fail(ValueError("secret"))
    it.sink.finish()
    assert it.outbox.take() == b"data: a\n\n" + BAD
    assert caplog.messages == ["the handler failed in mid-stream"]
    assert "secret" in caplog.text


async def test_an_exception_after_the_head_is() -> None:
    """X2, X3."""
    it = Harness()
    it.sink.head_sent = True
    it.sink.fail(StreamError("too late"))
    assert it.outbox.take() == b"event: error\ndata: too late\n\n"


async def test_debug_tells_the_text() -> None:
    """X4."""
    it = Harness(debug=True)
    it.sink.put("a")
    it.sink.fail(ValueError("secret"))
    assert b"ValueError: secret" in it.outbox.take()


async def test_an_exception_after_the_end_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """X6, D1."""
    it = Harness()
    it.sink.put(Finish())
    with caplog.at_level(logging.ERROR, "sseware"):
        it.sink.fail(ValueError("too late"))
    assert it.outbox.take() == GOOD
    assert caplog.messages == ["the handler failed after its end"]


async def test_a_file_that_comes_first_makes_the_answer_a_buffered_one() -> None:
    """H14."""
    it = Harness()
    it.sink.put(Start())
    it.sink.put(File(b"bytes", media_type="x/y"))
    assert it.sink.instead is not None
    it.sink.put("ignored")
    await it.sink.wait_room()
    it.sink.finish()
    it.sink.close()
    assert it.sink.instead.closed
    assert it.sink.instead.answer is not None
    assert it.sink.instead.answer.body == b"bytes"
    assert it.outbox.take() == b""
    assert it.outbox.closed


async def test_what_ends_a_buffered_answer_ends_it_there() -> None:
    it = Harness()
    it.sink.put(File(b"bytes"))
    assert it.sink.put(Failure("no")) is False
    assert it.sink.ended


async def test_an_exception_after_a_file_is_the_buffered_answers() -> None:
    """X7."""
    it, exc = Harness(), ValueError("no")
    it.sink.put(File(b"bytes"))
    it.sink.fail(exc)
    assert it.sink.instead is not None
    assert (it.sink.instead.error, it.sink.error) == (exc, None)


@pytest.mark.parametrize("late", [lambda sink: sink.put("a"), lambda sink: setattr(sink, "head_sent", True)])
async def test_a_file_that_comes_late_is_refused(late: Callable[[StreamSink], object]) -> None:
    it = Harness()
    late(it.sink)
    with pytest.raises(InvalidItem):
        it.sink.put(File(b"bytes"))
    assert it.sink.instead is None


async def test_a_plugins_items_are_encoded() -> None:
    it = Harness(extra={complex: lambda number: [Text(f"{number.real:g}")]})
    it.sink.put(1 + 2j)
    it.sink.put("a")
    assert it.outbox.take() == b"data: 1\n\ndata: a\n\n"


async def test_usual_items_are_written_unasked_from_the_second_one_on() -> None:
    asked: list[AnItem] = []

    class Says(Loud):
        text_event = "message"
        data_event = "message"

        def encode(self, item: AnItem) -> Iterable[ServerSentEvent]:
            asked.append(item)
            return [ServerSentEvent("asked")]

    it = Harness(Says())
    for value in ("a", {"n": 1}, "b", {"n": 2}, [3]):
        put: Any = (isinstance(value, str) and it.sink.put_text) or it.sink.put
        put(value)
    assert asked == [Text("a"), Data({"n": 1}), Data([3])]
    assert it.outbox.take() == (b'data: asked\n\ndata: asked\n\ndata: b\n\ndata: {"n":2}\n\ndata: asked\n\n')


@pytest.mark.parametrize("item", ["a", {"n": 1}])
async def test_an_encoder_that_may_end_is_always_asked(item: object) -> None:
    class Ends(Loud):
        text_event = data_event = "message"
        ended = False

        def encode(self, item: AnItem) -> Iterable[ServerSentEvent]:
            return [ServerSentEvent("asked")]

    it = Harness(Ends())
    it.sink.put(item)
    it.sink.put(item)
    assert it.sink.put_text is None
    assert it.outbox.take() == b"data: asked\n\n" * 2


async def test_waiting_for_room_waits_for_the_outbox() -> None:
    it = Harness()
    it.sink.put("a")
    it.sink.put(Start())
    it.outbox.take()
    await it.sink.wait_room()


class Raising(Loud):
    """A dialect that raises where it is told to."""

    def __init__(self, *where: str) -> None:
        self._where = where

    def _check(self, where: str) -> None:
        if where in self._where:
            raise ZeroDivisionError(where)

    def start(self) -> Iterable[ServerSentEvent]:
        self._check("start")
        return [ServerSentEvent("opened")]

    def encode(self, item: AnItem) -> Iterable[ServerSentEvent]:
        self._check("encode")
        return super().encode(item)

    def finish(self) -> Iterable[ServerSentEvent]:
        self._check("finish")
        return super().finish()

    def fail(self, failure: Failure) -> Iterable[ServerSentEvent]:
        self._check("fail")
        return super().fail(failure)


@pytest.mark.parametrize("where", ["start", "encode"])
async def test_a_dialect_that_raises_at_the_first_item_leaves_the_answer_undecided(where: str) -> None:
    """X5."""
    it = Harness(Raising(where))
    with pytest.raises(ZeroDivisionError):
        it.sink.put("a")
    assert it.sink.is_undecided


async def test_a_dialect_that_cannot_finish_well_finishes_badly() -> None:
    """X5, X6."""
    it = Harness(Raising("finish"))
    it.sink.put("a")
    with pytest.raises(ZeroDivisionError):
        it.sink.put(Finish())
    it.sink.fail(ZeroDivisionError("finish"))
    assert it.outbox.take() == b"data: opened\n\ndata: a\n\n" + BAD


async def test_a_dialect_that_cannot_even_fail_ends_with_a_last_resort(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """X5."""
    it = Harness(Raising("fail"))
    it.sink.put("a")
    with caplog.at_level(logging.ERROR, "sseware"):
        it.sink.fail(ValueError("first"))
    assert it.outbox.take() == b"data: opened\n\ndata: a\n\n" + BAD
    assert caplog.messages == [
        "the handler failed in mid-stream",
        "the dialect could not encode its failure",
    ]


async def test_a_dialect_is_asked_for_the_shorter_way_of_texts_until_it_has_told_one() -> None:
    asked: list[str] = []

    class Says(Loud):
        """Says what a text is, and notes that it was asked."""

        @property
        def text_event(self) -> str:
            asked.append("asked")
            return "message"

    it = Harness(Says())
    it.sink.put("a")
    assert it.sink.put_text is not None
    before = list(asked)
    it.sink.put("b")
    assert asked == before
