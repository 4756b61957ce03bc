"""What was recorded is answered again: the same chunks, at the same times, with the same end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import hypothesis
import hypothesis.strategies as st
import pytest

from sseware.errors import ConfigurationError
from sseware.testing import Recorder, Recording, connect, replay
from sseware.testing._seen import SeenChunk
from sseware.testing.errors import AppRaised, RecordingError
from tests.testing.apps import START, body, says, ticks, until_disconnect

pytestmark = pytest.mark.anyio

TICKS = Recording(
    200,
    (("content-type", "text/event-stream"),),
    (SeenChunk(b"data: 1\n\n", 0.0), SeenChunk(b": p", 15.0), SeenChunk(b"ing\n\n", 15.25)),
    "complete",
    "GET /ticks?x=1",
)
FILE = b"""sseware recording 1
request GET /ticks?x=1
status 200
content-type: text/event-stream

@0 9
data: 1


@15 3
: p
@15.25 5
ing


@end complete
"""


def test_the_file_can_be_read() -> None:
    assert TICKS.dump() == FILE
    assert Recording.parse(FILE) == TICKS


chunks = st.tuples(st.binary(max_size=20), st.integers(0, 10**9).map(lambda n: n / 10**6))


@hypothesis.given(
    st.lists(chunks), st.sampled_from(["complete", "cut", None]), st.sampled_from(["", "GET /"])
)
def test_any_chunks_survive(made: list[tuple[bytes, float]], ending: Any, request: str) -> None:
    recording = Recording(201, (("a", "b: c"),), tuple(SeenChunk(*each) for each in made), ending, request)
    assert Recording.parse(recording.dump()) == recording


def test_a_person_may_write_one() -> None:
    text = b"sseware recording 1\nstatus 404\nContent-Type:text/plain\n\n@0.5 2\nno\n@end left"
    headers = (("content-type", "text/plain"),)
    assert Recording.parse(text) == Recording(404, headers, (SeenChunk(b"no", 0.5),), None)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param(b"", "line 1: a recording begins with", id="empty"),
        pytest.param(FILE.replace(b"ing 1", b"ing 2"), "line 1", id="another-version"),
        pytest.param(FILE.replace(b"@0 9", b"@0 6"), "line 6: the chunk has 6 bytes", id="too-short"),
        pytest.param(FILE.replace(b"@0 9", b"@0 900"), "line 6: the chunk has 900 bytes", id="too-long"),
        pytest.param(
            FILE.replace(b"@end complete\n", b""), "line 16: '@<seconds> <bytes>' or '@end", id="no-end"
        ),
        pytest.param(FILE + b"x", "line 16", id="something-behind"),
    ],
)
def test_what_is_none_is_refused_with_its_line(data: bytes, why: str, tmp_path: Path) -> None:
    path = tmp_path / "x.sse"
    path.write_bytes(data)
    with pytest.raises(RecordingError, match=f"x.sse, {why}"):
        Recording.load(path)


def test_one_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"there is no recording .*x\.sse"):
        Recording.load(tmp_path / "x.sse")


async def test_a_stream_is_recorded_and_replayed_with_its_times(tmp_path: Path) -> None:
    async with connect(ticks) as stream:
        await stream.take(3)
    path = tmp_path / "new" / "ticks.sse"
    Recording.of(stream).save(path)
    async with connect(replay(Recording.load(path))) as again:
        await again.take(3)
    assert again.chunks == stream.chunks
    assert again.headers == stream.headers
    assert again.app_finished


async def test_without_its_gaps() -> None:
    async with connect(replay(TICKS, gaps=False)) as stream:
        await stream.drain()
        assert stream.elapsed == 0
    assert [chunk.data for chunk in stream.chunks] == [chunk.data for chunk in TICKS.chunks]


async def test_a_cut_is_replayed_as_a_cut() -> None:
    cut = Recording(200, TICKS.headers, TICKS.chunks, "cut")
    async with connect(replay(cut), timeout=60) as stream:
        with pytest.raises(AppRaised, match="was cut off here"):
            await stream.drain()
        assert stream.ending == "cut"


async def test_chunks_of_anything_are_gathered() -> None:
    async def source() -> AsyncIterator[bytes]:
        yield b"a"
        await anyio.sleep(2)
        yield b"b"

    recording = await Recording.gather(source(), status=201, headers=[("X", "y")])
    assert recording == Recording(201, (("x", "y"),), (SeenChunk(b"a", 0.0), SeenChunk(b"b", 2.0)))


class TestRecorder:
    async def ask(self, app: Any, path: str = "/x?y=1", count: int | None = None) -> list[Any]:
        async with connect(app, path, timeout=60) as stream:
            return list(await stream.drain() if count is None else await stream.take(count))

    async def test_replays_what_it_has_recorded(self, tmp_path: Path) -> None:
        asked = 0

        async def app(scope: Any, receive: Any, send: Any) -> None:
            nonlocal asked
            asked += 1
            await says(b"data: %d\n\n" % asked)(scope, receive, send)

        first = Recorder(tmp_path, "missing")(app, "some")
        assert [(await self.ask(first))[0].data for _ in range(2)] == ["1", "2"]
        assert sorted(path.name for path in tmp_path.iterdir()) == ["some.2.sse", "some.sse"]
        assert b"request GET /x?y=1\n" in (tmp_path / "some.sse").read_bytes()
        for mode in ("missing", "never"):
            again = Recorder(tmp_path, mode)(app, "some")
            assert [(await self.ask(again))[0].data for _ in range(2)] == ["1", "2"]
        assert asked == 2
        anew = Recorder(tmp_path, "always")(app, "some")
        assert (await self.ask(anew))[0].data == "3"

    async def test_a_client_that_leaves_is_no_cut(self, tmp_path: Path) -> None:
        await self.ask(Recorder(tmp_path, "always")(ticks, "left"), count=2)
        assert Recording.load(tmp_path / "left.sse").ending is None
        await self.ask(Recorder(tmp_path)(ticks, "left"), count=2)

    async def test_an_application_that_raises_is_one(self, tmp_path: Path) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send(START)
            await send(body(b"data: x\n\n"))
            raise ValueError("boom")

        async with connect(Recorder(tmp_path, "always")(app, "cut")) as stream:
            assert str(stream.app_exception) == "boom"
        assert Recording.load(tmp_path / "cut.sse").ending == "cut"

    async def test_one_that_never_began_an_answer_leaves_no_recording(self, tmp_path: Path) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            raise ValueError("boom")

        async with connect(Recorder(tmp_path, "always")(app, "none")) as stream:
            assert stream.app_exception
        assert list(tmp_path.iterdir()) == []

    async def test_what_is_sent_to_nobody_is_not_recorded(self, tmp_path: Path) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send(START)
            await until_disconnect(receive)
            await send(body(b"data: late\n\n", more=False))

        async with connect(Recorder(tmp_path, "always")(app, "late")):
            pass
        assert Recording.load(tmp_path / "late.sse").chunks == ()

    async def test_another_request_than_the_recorded_one_is_refused(self, tmp_path: Path) -> None:
        await self.ask(Recorder(tmp_path, "always")(says(b"data: x\n\n"), "some"))
        async with connect(Recorder(tmp_path)(says(), "some"), "/z") as stream:
            assert "answers 'GET /x?y=1', asked was 'GET /z'; record it again" in str(stream.app_exception)

    def test_a_missing_one_is_told_with_what_to_do(self, tmp_path: Path) -> None:
        with pytest.raises(RecordingError, match=r"some\.sse; make it with --sse-record=missing"):
            Recorder(tmp_path)(says(), "some")

    def test_an_unknown_mode_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="mode must be one of never, missing, always, got 'new'"):
            Recorder(tmp_path, "new")  # type: ignore[arg-type]
