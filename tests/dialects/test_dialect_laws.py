"""Our dialects keep the public laws, in each configuration, and translate to one another.

The laws themselves are those of ``sseware.testing.laws``. What is asked here beside them is no law because it is of
two dialects at once, or says which of ours are which.
"""

from __future__ import annotations

from collections.abc import Iterable

import anyio
import pytest

from sseware import Dialect, EventStreamParser, translate
from sseware.dialects import AnItem, ChunkEncoder, Registry, StreamContext, losses
from sseware.errors import TruncatedStream
from sseware.items import Data, Failure, Finish, Start, Text, ToolCall, ToolResult, Usage
from sseware.plugins.ash import Ash
from sseware.plugins.chronos import Chronos
from sseware.plugins.hector import Hector
from sseware.plugins.machpay import MachPay
from sseware.testing import laws

BUILT_IN = Registry(installed=False)
EACH = pytest.mark.parametrize("name", BUILT_IN.names())
NO_END = {"plain", "chronos"}
LAW = pytest.mark.parametrize("law", laws.dialect())

CONFIGURED = {
    "ash-granular": Ash(session_id="s1", granular=True, include_partial_messages=True),
    "chronos-named": Chronos(named=True),
    "hector-in-pieces": Hector(chunk_size=3, show_thinking=True),
    "machpay-unnamed": MachPay(chunk_event=None),
}


@EACH
@LAW
def test_our_dialects_keep_every_law(law: laws.Law, name: str) -> None:
    """D1, D2, D8."""
    laws.check(law, name, max_examples=15)


@pytest.mark.parametrize("dialect", CONFIGURED.values(), ids=CONFIGURED)
@LAW
def test_our_dialects_keep_every_law_in_other_configurations(law: laws.Law, dialect: Dialect) -> None:
    laws.check(law, dialect, max_examples=10)


def test_most_of_our_dialects_promise_an_end() -> None:
    # Whoever does not is skipped above, and would be so for ever.
    verdicts = {
        name: next(laws.judge([laws.get("dialect/truncated")], name)).grade for name in BUILT_IN.names()
    }
    assert {name for name, grade in verdicts.items() if grade == "SKIPPED"} == NO_END


STORY = [Start(id="s1", name="story"), Text("Once "), Text("upon"), ToolCall("c1", "look", {"at": "fox"})]
STORY += [ToolResult("c1", "a fox"), Data({"n": 1}, name="point"), Usage(3, 4)]


def written(dialect: Dialect, end: Finish | Failure) -> bytes:
    """The story in a dialect."""
    chunks = ChunkEncoder(dialect.open(StreamContext()))
    stream = b"".join(map(chunks.encode, STORY))
    return stream + (chunks.fail(end) if isinstance(end, Failure) else chunks.encode(end) + chunks.finish())


def read(dialect: Dialect, stream: bytes) -> list[AnItem]:
    decoder = dialect.decoder()
    items = [item for event in EventStreamParser().feed(stream) for item in decoder.decode(event)]
    decoder.close()
    return items


def ends(items: Iterable[AnItem]) -> list[AnItem]:
    return [item for item in items if isinstance(item, Finish | Failure)]


def translated(stream: bytes, source: Dialect, target: Dialect) -> tuple[bytes, list[Exception]]:
    problems: list[Exception] = []

    async def gather() -> bytes:
        chunks = translate([stream[:40], stream[40:]], source, target, on_failure=problems.append)
        return b"".join([chunk async for chunk in chunks])

    return anyio.run(gather), problems


@EACH
@pytest.mark.parametrize("source_name", BUILT_IN.names())
def test_every_dialect_translates_to_every_other(source_name: str, name: str) -> None:
    source, target = BUILT_IN.get(source_name), BUILT_IN.get(name)
    stream, problems = translated(written(source, Finish()), source, target)
    found = read(target, stream)
    assert problems == []
    assert len(ends(found)) == 1
    told = "".join(item.text for item in found if isinstance(item, Text))
    assert "Once upon" in told
    if not {Usage, ToolCall} & {*losses(source), *losses(target)}:
        assert [item for item in found if isinstance(item, ToolCall)] == [STORY[3]]


@EACH
@pytest.mark.parametrize("source_name", BUILT_IN.names())
def test_a_failure_is_a_failure_in_every_other_dialect(source_name: str, name: str) -> None:
    source, target = BUILT_IN.get(source_name), BUILT_IN.get(name)
    stream, _ = translated(written(source, Failure("the ink ran out")), source, target)
    (failure,) = ends(read(target, stream))
    assert isinstance(failure, Failure)
    assert "the ink ran out" in failure.message
    if source_name not in NO_END:
        stream, problems = translated(written(source, Finish())[:-1], source, target)
        assert [type(problem) for problem in problems] == [TruncatedStream]
        assert isinstance(ends(read(target, stream))[0], Failure)
