"""Assertions on events say what differs, the first difference first."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from sseware import ServerSentEvent, encode, get_dialect
from sseware.dialects import StreamContext
from sseware.errors import ConfigurationError
from sseware.items import Failure, Finish, Text
from sseware.testing import IsEvent, assert_events, assert_lifecycle, assert_one_frame, connect
from sseware.testing import _alignment as alignment
from sseware.testing._alignment import align
from tests.testing.apps import says

TICKS = [ServerSentEvent(str(number), "tick") for number in range(10)]
LONG = "x" * 100


def told(got: Any, want: Any, **options: Any) -> list[str]:
    """What the assertion says."""
    with pytest.raises(AssertionError) as caught:
        assert_events(got, want, **options)
    return str(caught.value).split("\n")


class TestEvents:
    def test_an_inserted_event_is_shown_as_inserted_in_the_first_lines(self) -> None:
        got = [*TICKS[:6], ServerSentEvent("extra", "tick"), *TICKS[6:]]
        assert told(got, TICKS) == [
            "event 6 was inserted: ServerSentEvent(data='extra', event='tick')",
            "11 events came, 10 are wanted (+ came in addition, - is missing, ~ is another one):",
            "      ... 3 the same ...",
            "      3  tick  '3'",
            "      4  tick  '4'",
            "      5  tick  '5'",
            "  +   6  tick  'extra'",
            "      7  tick  '6'",
            "      8  tick  '7'",
            "      9  tick  '8'",
            "     10  tick  '9'",
        ]

    def test_a_missing_event_is_shown_as_missing(self) -> None:
        lines = told([*TICKS[:2], *TICKS[3:]], TICKS)
        assert lines[0] == "event 2 is missing: ServerSentEvent(data='2', event='tick')"
        assert lines[4] == "  -      tick  '2'"
        assert lines[-1] == "      ... 4 the same ..."

    def test_one_that_was_doubled_is_the_second(self) -> None:
        assert told([*TICKS[:3], TICKS[2], *TICKS[3:]], TICKS)[0].startswith("event 3 was inserted")

    @pytest.mark.parametrize(
        ("got", "want", "line"),
        [
            pytest.param("a", "b", "data: 'a' came, 'b' is wanted", id="short"),
            pytest.param(
                f"{LONG}a", f"{LONG}b", "data from character 100 on: 'a' came, 'b' is wanted", id="long"
            ),
            pytest.param(LONG, f"{LONG}b", "data from character 100 on: '' came, 'b' is wanted", id="longer"),
            pytest.param(
                '{"a":[1,{"b":2}]}', '{"a":[1,{"b":3}]}', "data.a[1].b: 2 came, 3 is wanted", id="in-json"
            ),
            pytest.param("[1,2]", "[1]", "data[1]: 2 came, Ellipsis is wanted", id="in-a-json-list"),
            pytest.param(
                '{"a":1}', '{"a":1,"b":2}', "data.b: Ellipsis came, 2 is wanted", id="a-missing-key"
            ),
            pytest.param('{"a":1,"c":1}', '{"a":1}', "data.c: 1 came, Ellipsis is wanted", id="a-new-key"),
            pytest.param("[1]", '{"a":1}', "data: '[1]' came, '{\"a\":1}' is wanted", id="of-two-kinds"),
            pytest.param(
                '{"a":1}', '{"a": 1}', "data: '{\"a\":1}' came, '{\"a\": 1}' is wanted", id="spelling"
            ),
        ],
    )
    def test_one_that_is_another_one_says_in_what(self, got: str, want: str, line: str) -> None:
        assert told([TICKS[0], ServerSentEvent(got)], [TICKS[0], want])[0] == f"event 1 differs in {line}"

    def test_both_are_shown(self) -> None:
        lines = told([ServerSentEvent(LONG, id="7")], [IsEvent(data="b", id="8")])
        assert lines[0].startswith("event 0 differs in data: 'xxxx")
        assert lines[2:] == [
            f"  ~   0  message  {LONG[:59]!r:.60}... (102 characters)  id='7'",
            "   want  IsEvent(data='b', id='8')",
        ]

    @pytest.mark.parametrize(
        ("got", "want", "field"),
        [
            (ServerSentEvent("a", "b"), ServerSentEvent("a", "c"), "event"),
            (ServerSentEvent("a", id="1"), ServerSentEvent("a", id="2"), "id"),
            (ServerSentEvent("a", retry=1), ServerSentEvent("a", retry=2), "retry"),
        ],
    )
    def test_fields_may_be_ignored(self, got: ServerSentEvent, want: ServerSentEvent, field: str) -> None:
        assert f"in {field}: " in told([got], [want])[0] or field == "event"
        assert_events([got], [want], ignore=[field])
        assert_events([got], [IsEvent(want.event, id=want.id, retry=want.retry)], ignore={field})

    @pytest.mark.parametrize("ignore", ["id", ["date"]])
    def test_a_field_that_there_is_not_is_refused(self, ignore: Any) -> None:
        with pytest.raises(ConfigurationError, match="ignore must be a collection of event, data, id, retry"):
            assert_events([], [], ignore=ignore)

    def test_bytes_text_and_anything_of_the_shape_of_an_event_will_do(self) -> None:
        class Other:
            event, data, id, retry = "message", "a", None, None

        assert_events(b"data: a\n\ndata: b\n\n", ["a", "b"])
        assert_events([Other()], ["a"])
        assert_events((event for event in TICKS), TICKS)

    @pytest.mark.anyio
    async def test_a_stream_will_do(self) -> None:
        async with connect(says(b"data: a\n\n")) as stream:
            await stream.drain()
        assert_events(stream, ["a"])
        assert repr(stream.events) == "[ServerSentEvent(data='a')]"

    def test_many_differences_are_cut_short(self) -> None:
        lines = told(
            [ServerSentEvent(str(n)) for n in range(100)], [ServerSentEvent(f"x{n}") for n in range(100)]
        )
        assert len(lines) == 45
        assert lines[-1] == "      ... and so on (100 differences)"

    def test_long_lists_without_much_in_common_are_compared_one_to_one(self, monkeypatch: Any) -> None:
        monkeypatch.setattr(alignment, "_MOST_CELLS", 10)
        assert told(TICKS, TICKS[::-1])[0] == "event 0 differs in data: '0' came, '9' is wanted"
        assert told([TICKS[5], *TICKS], TICKS[::-1])[1].startswith("11 events came, 10")
        steps = align("abcd", "xbcdyz", lambda a, b: a != b)
        assert [step.kind for step in steps] == ["changed", "same", "same", "same", "missing", "missing"]

    def test_any_order(self) -> None:
        assert_events(TICKS, TICKS[::-1], order="any")
        assert told([TICKS[0], TICKS[0]], [TICKS[0], "b"], order="any") == [
            "missing: ServerSentEvent(data='b')",
            "came in addition: ServerSentEvent(data='0', event='tick')",
            "2 events came, 2 are wanted, in any order",
        ]

    def test_others_between_them(self) -> None:
        assert_events(TICKS, [TICKS[2], IsEvent(data="5")], order="contains")
        assert told(TICKS[:4], [TICKS[2], TICKS[1]], order="contains") == [
            "event 1 of those wanted did not come behind event 2: ServerSentEvent(data='1', event='tick')",
            "what came there:",
            "    3  ServerSentEvent(data='3', event='tick')",
        ]
        assert (
            told([], ["a"], order="contains")[0]
            == "event 0 of those wanted did not come: ServerSentEvent(data='a')"
        )

    def test_an_unknown_order_is_refused(self) -> None:
        with pytest.raises(ConfigurationError, match="got 'random'"):
            assert_events([], [], order="random")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("got", "want", "kinds"),
    [
        ("", "", ""),
        ("abc", "abc", "==="),
        ("abXc", "abc", "==+="),
        ("ac", "abc", "=-="),
        ("", "ab", "--"),
        ("ab", "", "++"),
        ("abcdef", "acdeXf", "=+===-="),
    ],
)
def test_sequences_are_aligned(got: str, want: str, kinds: str) -> None:
    marks = {"same": "=", "changed": "~", "inserted": "+", "missing": "-"}
    steps = align(got, want, lambda a, b: 0 if a == b else 2.5)
    assert "".join(marks[step.kind] for step in steps) == kinds
    assert [step.got for step in steps if step.got is not None] == list(range(len(got)))
    assert [step.want for step in steps if step.want is not None] == list(range(len(want)))


class TestIsEvent:
    @pytest.mark.parametrize(
        ("matcher", "fits"),
        [
            (IsEvent(), True),
            (IsEvent("tick"), True),
            (IsEvent("tock"), False),
            (IsEvent(data=re.compile(r"\{.*\}")), True),
            (IsEvent(data=re.compile("n")), False),
            (IsEvent(retry=re.compile("n")), False),
            (IsEvent(json={"n": 1}), True),
            (IsEvent(json={"n": 2}), False),
            (IsEvent(json=lambda value: value["n"] > 0), True),
            (IsEvent(id=None), False),
            (IsEvent(id="7", retry=None), True),
        ],
    )
    def test_matches_what_is_given(self, matcher: IsEvent, fits: bool) -> None:
        event = ServerSentEvent('{"n":1}', "tick", "7")
        assert (event == matcher) is fits
        assert (matcher == event) is fits
        assert ([matcher] == [event]) is fits

    def test_no_json_is_equal_to_nothing(self) -> None:
        assert ServerSentEvent("{") != IsEvent(json=lambda value: True)
        assert (
            told([ServerSentEvent("{")], [IsEvent(json=1)])[0]
            == "event 0 differs in json: '{' came, 1 is wanted"
        )
        assert "json.n: 1 came, 2" in told([ServerSentEvent('{"n":1}')], [IsEvent(json={"n": 2})])[0]

    def test_is_a_value(self) -> None:
        assert IsEvent("a") == IsEvent("a")
        assert IsEvent("a") != IsEvent("b")
        assert IsEvent("a") != "a"
        assert hash(IsEvent("a")) == hash(IsEvent("a"))
        assert repr(IsEvent("a", data="b")) == "IsEvent('a', data='b')"
        assert repr(IsEvent(json=1)) == "IsEvent(json=1)"

    def test_may_stand_on_the_left(self) -> None:
        assert_events([IsEvent("tick")], TICKS[:1])


class TestOneFrame:
    def test_returns_the_event(self) -> None:
        event = ServerSentEvent("a\nb", "tick", "1", 2)
        assert assert_one_frame(encode(event), event) == event

    def test_without_a_wanted_one_any_will_do(self) -> None:
        assert assert_one_frame(b"data: a\r\n\r\n") == ServerSentEvent("a")

    @pytest.mark.parametrize(
        ("chunk", "why"),
        [
            pytest.param(b"", "0 events are in b''", id="nothing"),
            pytest.param(b"data: a\n", "0 events", id="unfinished"),
            pytest.param(b": a\n\n", "0 events", id="a-comment"),
            pytest.param(b"data: a\n\ndata: b\n\n", "2 events", id="two"),
            pytest.param(b"data: a\n\n: b", "the event is complete before the end", id="something-behind"),
            pytest.param(b"data: a\n\nid: 7\n", "complete before the end", id="a-field-behind"),
            pytest.param(
                b"data: a\ninjected: b\n\n", "b'injected: b' is no field of the standard", id="a-field"
            ),
        ],
    )
    def test_anything_else_is_refused(self, chunk: bytes, why: str) -> None:
        with pytest.raises(AssertionError, match=re.escape(why)):
            assert_one_frame(chunk)

    def test_another_event_is_refused(self) -> None:
        with pytest.raises(AssertionError, match="event 0 differs in data: 'a' came, 'b' is wanted"):
            assert_one_frame(b"data: a\n\n", "b")


def written(dialect: str, end: Callable[[Any], Any]) -> list[Any]:
    encoder = get_dialect(dialect).open(StreamContext())
    return [*encoder.start(), *encoder.encode(Text("a")), *end(encoder)]


class TestLifecycle:
    @pytest.mark.parametrize("dialect", ["husk", "machpay", "ash", "plain"])
    @pytest.mark.parametrize(
        "end",
        [lambda encoder: encoder.finish(), lambda encoder: encoder.fail(Failure("no"))],
        ids=["well", "badly"],
    )
    def test_a_stream_that_ends_once_is_fine(self, dialect: str, end: Any) -> None:
        assert_lifecycle(written(dialect, end), dialect)

    def test_no_end(self) -> None:
        with pytest.raises(AssertionError, match="the stream has no end: the husk stream ended without"):
            assert_lifecycle(written("husk", lambda encoder: []), "husk")

    def test_two_ends(self) -> None:
        events = written("husk", lambda encoder: encoder.finish())
        with pytest.raises(
            AssertionError, match=r"event 2 comes after the end .*\nit ended with event 1: Serv"
        ):
            assert_lifecycle([*events, events[-1]], "husk")

    def test_success_after_a_failure(self) -> None:
        fail = written("husk", lambda encoder: encoder.fail(Failure("no")))
        finish = written("husk", lambda encoder: encoder.finish())
        with pytest.raises(AssertionError, match="comes after the end"):
            assert_lifecycle([*fail, finish[-1]], "husk")

    def test_an_event_of_another_dialect(self) -> None:
        with pytest.raises(AssertionError, match="event 0 is none of husk"):
            assert_lifecycle([ServerSentEvent("{", "done")], "husk")

    def test_one_event_that_ends_twice(self) -> None:
        class Doubled:
            name, default = "doubled", "stream"

            def decode(self, event: Any) -> Any:
                return [Finish(), Failure("no")]

            def close(self) -> None:
                pass

            def open(self, context: Any) -> Any: ...
            def fold(self, context: Any) -> Any: ...
            def decoder(self) -> Any:
                return self

        with pytest.raises(AssertionError, match="event 0 ends the stream twice"):
            assert_lifecycle(["x"], Doubled())  # type: ignore[arg-type]
