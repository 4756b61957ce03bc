"""Where a handler's values become one buffered answer."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from sseware.asgi import Settings
from sseware.asgi._fold_sink import FoldSink
from sseware.asgi._menu import Menu
from sseware.asgi._plan import Plan
from sseware.asgi._runtime import current_runtime
from sseware.dialects import Plain, Registry, StreamContext, hookimpl
from sseware.errors import BufferedLimitExceeded, InvalidItem
from sseware.items import Failure, Finish, Text
from sseware.negotiation import Request

pytestmark = pytest.mark.anyio


class Numbers:
    @hookimpl
    def sseware_item_encoders(self, dialect: Any) -> Any:
        return {complex: lambda number: [Text(f"{number.real:g}"), Text(f"{number.imag:g}")]}


class Broken(Plain, frozen=True):
    def fold(self, context: StreamContext) -> Any:
        raise ZeroDivisionError("broken dialect")


def make(**options: Any) -> FoldSink:
    runtime = current_runtime()
    settings = Settings().replace(options)  # type: ignore[arg-type]  # options of any kind
    plan = Plan(Menu(settings).choose(Request(), {})[1], StreamContext())
    return FoldSink(plan, runtime, runtime.wake_up())


def body(sink: FoldSink) -> bytes:
    assert sink.answer is not None
    return sink.answer.body


async def test_everything_becomes_one_answer() -> None:
    sink = make()
    for value in ("a", b"b\xc3", b"\xa9", {"n": 1}):
        assert sink.put(value)
    sink.finish()
    assert body(sink).startswith(
        '{"items":[{"type":"text","text":"abé"},{"type":"data","value":{"n":1}'.encode()
    )
    assert not sink.ended


async def test_bytes_without_a_whole_code_point_wait_for_the_rest() -> None:
    """E12."""
    sink = make()
    assert sink.put(b"\xc3")
    sink.put(b"\xa9")
    sink.finish()
    assert '"text":"\xe9"'.encode() in body(sink)


async def test_a_finish_ends_it_and_says_how() -> None:
    sink = make()
    assert sink.put(Finish(ok=False, exit_code=3)) is False
    assert sink.ended
    sink.finish()
    assert sink.answer is not None
    assert sink.answer.status == 500


async def test_what_is_left_of_a_code_point_comes_before_the_finish() -> None:
    sink = make()
    sink.put(b"a\xc3")
    sink.put(Finish())
    sink.finish()
    assert '"text":"a\ufffd"'.encode() in body(sink)


async def test_what_is_left_of_a_code_point_comes_at_the_end() -> None:
    sink = make()
    sink.put(b"a\xc3")
    sink.finish()
    assert '"text":"a\ufffd"'.encode() in body(sink)


async def test_a_failure_replaces_all_that_came_before() -> None:
    """X7."""
    sink = make()
    sink.put("partial")
    assert sink.put(Failure("no", "busy", 503)) is False
    sink.finish()
    assert sink.answer is not None
    assert (sink.answer.status, sink.ended) == (503, True)
    assert b"partial" not in body(sink)


async def test_an_exception_leaves_no_answer() -> None:
    """X7."""
    sink, exc = make(), ValueError("no")
    sink.put("partial")
    sink.fail(exc)
    assert (sink.answer, sink.error, sink.ended) == (None, exc, True)


async def test_an_exception_after_the_answer_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    sink = make()
    sink.put(Failure("no"))
    with caplog.at_level(logging.ERROR, "sseware"):
        sink.fail(ValueError("too late"))
    assert sink.error is None
    assert "the handler failed after its end" in caplog.text
    assert "ValueError: too late" in caplog.text


async def test_a_plugins_items_are_taken_in() -> None:
    sink = make(registry=Registry(plugins={"numbers": Numbers()}, installed=False))
    sink.put(1 + 2j)
    sink.finish()
    assert b'"text":"12"' in body(sink)


async def test_what_cannot_be_sent_is_refused() -> None:
    with pytest.raises(InvalidItem):
        make().put(object())


@pytest.mark.parametrize(("size", "fits"), [(10, True), (11, False)])
async def test_it_has_a_limit_of_bytes(size: int, fits: bool) -> None:
    """X8."""
    sink = make(buffer=(10, 60.0))
    if fits:
        sink.put("x" * size)
    else:
        with pytest.raises(BufferedLimitExceeded, match="limit of 10 bytes"):
            sink.put("x" * size)


async def test_it_lets_the_event_loop_turn_now_and_then() -> None:
    """G3."""
    sink = make()
    assert [sink.put("x") for _ in range(130)].count(False) == 2
    await sink.wait_room()
    sink.release()


async def test_it_tells_its_writer_when_the_handler_has_ended() -> None:
    runtime = current_runtime()
    wake = runtime.wake_up()
    plan = Plan(Menu(Settings()).choose(Request(), {})[1], StreamContext())
    sink = FoldSink(plan, runtime, wake)
    sink.close()
    await wake.wait()
    assert sink.closed


async def test_a_dialect_that_cannot_fold_raises_where_the_handlers_errors_are_told() -> None:
    """X5."""
    sink = make(dialect=Broken())
    for do in (lambda: sink.put("a"), sink.finish):
        with pytest.raises(ZeroDivisionError, match="broken dialect"):
            do()
