"""The table of laws: what is right keeps them, what is wrong is told with the smallest example, by each front end."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import anyio
import msgspec
import pytest

from sseware import EventStreamParser, ServerSentEvent, SSEMiddleware, encode
from sseware.testing import EncoderSuite, laws, reference_parse
from sseware.testing.errors import LawBroken, LawSkipped, UnknownLaw
from tests.testing.mutants import PLANTED, PlainParser


def generate(chunks: Iterable[bytes]) -> Iterator[ServerSentEvent]:
    """Our parser as a generator."""
    parser = EventStreamParser()
    for chunk in chunks:
        yield from parser.feed(chunk)


class TestOurParser(laws.ParserSuite):
    parse = EventStreamParser
    max_examples = 25


class TestOurEncoder(EncoderSuite):
    encode = staticmethod(encode)
    max_examples = 25


async def tokens(scope: Any, receive: Any) -> AsyncIterator[str]:
    if scope["path"] == "/early":
        raise RuntimeError("before anything was sent")
    for number in range(5):
        if number == 3 and scope["path"] == "/late":
            raise RuntimeError("in the middle")
        yield f"{number}"
        await anyio.sleep(1)
    await anyio.sleep_forever()


async def numbers(scope: Any, receive: Any) -> AsyncIterator[str]:
    while True:
        yield "x" * 1000


class TestOurStream(laws.AppSuite):
    app = SSEMiddleware(tokens)
    path = "/?name=x"
    failing_before = "/early"
    failing_after = "/late"


@pytest.mark.parametrize("law", ["app/backpressure", "app/stalled-reader", "app/cleanup-busy"])
def test_our_endless_stream_keeps(law: str) -> None:
    laws.check(law, SSEMiddleware(numbers))


def test_the_table_is_complete_and_says_where_each_law_is_written() -> None:
    table = laws.every()
    assert table == (*laws.parser(), *laws.encoder(), *laws.dialect(), *laws.app(), *laws.url())
    assert len({law.id for law in table}) == len(table)
    for law in table:
        assert law.level in ("MUST", "SHOULD")
        assert law.rule.endswith(".")
        assert law.reference
        assert str(law) == law.id == law.__name__
        assert repr(law) == f"<Law {law.id}>"


def test_the_documentation_lists_every_law() -> None:
    text = Path(__file__).resolve().parents[2].joinpath("docs", "laws.md").read_text(encoding="utf-8")
    rows = [f"| `{law.id}` | {law.level} | {law.rule} | {law.reference} |" for law in laws.every()]
    assert [row for row in rows if row not in text] == []


def test_a_broken_law_is_told_with_the_smallest_example() -> None:
    with pytest.raises(LawBroken) as caught:
        laws.check("parser/prompt", PLANTED["CR held back"])
    error = caught.value
    assert error.law == "parser/prompt"
    assert error.level == "MUST"
    assert isinstance(error.example, list)
    assert len(b"".join(error.example)) <= 16
    assert "asked for more and had told" in str(error)
    assert "WHATWG HTML 9.2.6" in str(error)
    assert getattr(error, "__notes__", []) == []
    with pytest.raises(LawBroken):
        laws.check("parser/prompt", PLANTED["CR held back"], error.example)
    laws.check("parser/prompt", PlainParser, error.example)


def test_a_parser_that_returns_a_list_is_not_judged_for_promptness() -> None:
    def parse(chunks: list[bytes]) -> list[ServerSentEvent]:
        return EventStreamParser().feed(b"".join(chunks))

    laws.check("parser/agrees", parse, max_examples=10)
    for law in ("prompt", "bounded-memory", "bounded-comment", "bounded-event"):
        with pytest.raises(LawSkipped, match="make it a generator"):
            laws.check(f"parser/{law}", parse)


def test_the_reference_interpreter_breaks_no_law() -> None:
    skipped = []
    for law in laws.parser():
        try:
            laws.check(law, lambda chunks: reference_parse(b"".join(chunks)).events, max_examples=15)
        except LawSkipped:
            skipped.append(law.id)
    assert skipped == [law.id for law in laws.parser() if any("generator" in need for need in law.needs)]


def test_a_parser_may_be_a_generator_an_async_one_or_a_coroutine() -> None:
    async def agen(chunks: Any) -> AsyncIterator[ServerSentEvent]:
        parser = EventStreamParser()
        async for chunk in chunks:
            for event in parser.feed(chunk):
                yield event

    async def coroutine(chunks: Any) -> list[ServerSentEvent]:
        return [event async for event in agen(chunks)]

    for parse in (generate, agen, coroutine):
        laws.check("parser/bom-once", parse)
    for prompt in (generate, agen):
        laws.check("parser/prompt", prompt, max_examples=10)


def test_events_may_be_mappings_and_must_have_what_is_compared() -> None:
    def parse(*missing: str) -> Any:
        def as_dicts(chunks: Iterable[bytes]) -> Iterator[dict[str, Any]]:
            for event in generate(chunks):
                row = {"event": event.event, "data": event.data, "id": event.last_event_id}
                yield {name: value for name, value in row.items() if name not in missing}

        return as_dicts

    laws.check("parser/sticky-id", parse())
    laws.check("parser/default-type", parse())
    for name in ("data", "id"):
        with pytest.raises(LawBroken, match=f"has no '{name}'"):
            laws.check("parser/sticky-id", parse(name))


def test_a_parser_that_never_ends_is_told() -> None:
    def parse(chunks: Iterable[bytes]) -> Iterator[ServerSentEvent]:
        while True:
            yield ServerSentEvent("again")

    with pytest.raises(LawBroken, match="has told 1 events of 0 bytes, and goes on"):
        laws.check("parser/total", parse, [])


class Told(NamedTuple):
    event: Any
    data: Any
    id: Any
    retry: Any = None


@pytest.mark.parametrize(
    ("event", "law", "told"),
    [
        pytest.param(Told("message", b"x", ""), "parser/total", "has a field that is no str", id="bytes"),
        pytest.param(Told(None, "x", None), "parser/default-type", "is not message", id="no-type"),
        pytest.param(
            Told("message", "x", "", 7), "parser/retry-digits", "not that of its block", id="another-retry"
        ),
        pytest.param(
            Told("message", "x", "7"), "parser/sticky-id", "the ids of the events differ", id="another-id"
        ),
    ],
)
def test_what_is_wrong_with_an_event_is_told(event: Told, law: str, told: str) -> None:
    with pytest.raises(LawBroken, match=told):
        laws.check(law, lambda chunks: [event], [b"retry: 2500\ndata: x\n\n"])


def test_a_search_for_smaller_examples_comes_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sseware.testing.laws._table._SEARCH", 0.0)
    law = laws.get("parser/total")
    tried: list[Any] = []

    def raises(chunks: list[bytes]) -> list[Any]:
        tried.append(list(chunks))
        raise ValueError("never")

    with pytest.raises(LawBroken, match="ValueError"):
        laws.check(msgspec.structs.replace(law, examples=None), raises)
    assert len(tried) < 10


def test_an_encoder_without_a_signature_gets_an_event() -> None:
    with pytest.raises(LawBroken, match="the encoder raised TypeError"):
        laws.check("encoder/empty-data", bytes)


def test_an_encoder_that_writes_nothing_or_too_much_is_told() -> None:
    with pytest.raises(LawBroken, match="one event became 0"):
        laws.check("encoder/data", lambda event: b"", {"data": "x"})
    with pytest.raises(LawBroken, match="one event became 2"):
        laws.check("encoder/surrogates", lambda event: b"data: a\n\ndata: b\n\n", {"data": "x"})
    with pytest.raises(LawBroken, match="a lone surrogate changed more than itself"):
        laws.check("encoder/surrogates", lambda event: b"data: a\n\n", {"data": "x"})
    laws.check("encoder/no-rewriting", lambda event: b"", {"data": "x", "id": "7"})  # another law tells that


def test_an_encoder_may_take_the_fields_that_it_has() -> None:
    def by_name(data: str, event: str | None = None) -> str:
        if event is not None and {"\r", "\n"} & set(event):
            raise ValueError(event)
        lines = [] if event is None else [f"event: {event}\n"]
        text = data.replace("\r\n", "\n").replace("\r", "\n")
        return "".join([*lines, *(f"data: {line}\n" for line in text.split("\n")), "\n"])

    for law in laws.encoder():
        if law.id != "encoder/surrogates":
            laws.check(law, by_name, max_examples=25)
    with pytest.raises(LawBroken, match="UnicodeEncodeError"):
        laws.check("encoder/surrogates", by_name)


def test_an_unknown_law_is_told_with_those_that_there_are() -> None:
    with pytest.raises(UnknownLaw, match="unknown law 'parser/promt'; there are: parser/agrees, "):
        laws.check("parser/promt", generate)
    with pytest.raises(LookupError, match="no random examples"):
        laws.get("parser/bom-once").strategy()


def test_a_verdict_has_a_reproducer_that_reproduces() -> None:
    (verdict,) = laws.judge(
        [laws.get("parser/bom-once")], PLANTED["BOM kept"], name="tests.testing.mutants:BomKept"
    )
    assert verdict.grade == "FAILED"
    scope: dict[str, Any] = {}
    exec(verdict.reproducer, scope)
    with pytest.raises(LawBroken):
        scope["test_parser_bom_once"]()


@pytest.mark.parametrize("name", ["ash", "machpay"])
def test_a_verdict_on_a_dialect_is_a_verdict(name: str) -> None:
    told = [law.id for law in laws.dialect()]
    seen: list[str] = []
    verdicts = list(laws.judge(laws.dialect()[5:7], name, progress=lambda law: seen.append(law.id)))
    assert [verdict.grade for verdict in verdicts] == ["OK", "OK"]
    assert seen == told[5:7]


def test_a_suite_without_a_target_has_no_tests_and_an_exempt_law_is_skipped() -> None:
    class Between(laws.ParserSuite):
        pass

    class Mine(Between):
        def parse(self, chunks: Iterable[bytes]) -> Iterator[ServerSentEvent]:
            return generate(chunks)

        exempt: ClassVar = {"parser/utf-8": "we read Latin-1"}

    assert not [name for name in vars(Between) if name.startswith("test")]
    assert len([name for name in vars(Mine) if name.startswith("test")]) == len(laws.parser())
    suite: Any = Mine
    suite.test_bom_once()
    with pytest.raises(LawSkipped, match="we read Latin-1"):
        suite.test_utf_8()
    with pytest.raises(TypeError, match="names no law: parser/utf8"):
        type("Wrong", (laws.ParserSuite,), {"parse": generate, "exempt": {"parser/utf8": ""}})


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout.strip()


def test_laws_work_without_pytest_and_those_of_random_examples_say_that_they_need_hypothesis() -> None:
    code = (
        "import sys; sys.modules['pytest'] = sys.modules['hypothesis'] = None\n"
        "from importlib.machinery import PathFinder\n"
        "find = PathFinder.find_spec\n"
        "PathFinder.find_spec = staticmethod(lambda name, *a: None if name == 'hypothesis' else find(name, *a))\n"
        "del sys.modules['hypothesis']\n"
        "from sseware import EventStreamParser\n"
        "from sseware.testing import laws\n"
        "laws.check('parser/bom-once', EventStreamParser)\n"
        "for verdict in laws.judge([laws.get('parser/agrees')], EventStreamParser): print(verdict.reason)\n"
        "class Mine(laws.ParserSuite): parse = EventStreamParser\n"
        "try: Mine.test_agrees()\n"
        "except Exception as error: print(type(error).__name__)"
    )
    assert run(code).split("\n") == [
        "hypothesis is not installed; install it with: pip install 'sseware[testing]'",
        "LawSkipped",
    ]
