"""Each profile spells JSON as the system it is named after, and refuses what has none."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import json
import math
import shutil
import subprocess
import sys
import types
import uuid
from typing import Any
from unittest import mock

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sseware.dialects import COMPACT, GO, SPACED, JSONProfile, pretty
from sseware.dialects._json_speller import Speller
from sseware.errors import InvalidItem

PROFILES = {
    "compact": COMPACT,
    "spaced": SPACED,
    "go": GO,
    "spaced-and-sorted": JSONProfile(spaced=True, sort_keys=True, floats="python"),
    "sorted": JSONProfile(sort_keys=True),
    "indented": JSONProfile(indent=1),
}
each_profile = pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES.keys())


@pytest.mark.parametrize(
    ("value", "compact", "spaced", "go"),
    [
        pytest.param({}, "{}", "{}", "{}", id="an-empty-object"),
        pytest.param([], "[]", "[]", "[]", id="an-empty-array"),
        pytest.param([None, True], "[null,true]", "[null, true]", "[null,true]", id="atoms"),
        pytest.param({"b": 1, "a": [2]}, '{"b":1,"a":[2]}', '{"b": 1, "a": [2]}', '{"a":[2],"b":1}', id="order"),
        pytest.param({"é": 1, "😀": 3, "z": 2, "\ufffd": 4},
            '{"é":1,"😀":3,"z":2,"\ufffd":4}',
            '{"é": 1, "😀": 3, "z": 2, "\ufffd": 4}',
            '{"z":2,"é":1,"\ufffd":4,"😀":3}', id="go-sorts-by-code-point"),
        pytest.param("<b>&\u2028\u2029",
            '"<b>&\u2028\u2029"', '"<b>&\u2028\u2029"', r'"\u003cb\u003e\u0026\u2028\u2029"', id="go-escapes-html"),
        pytest.param({"<k>": 1}, '{"<k>":1}', '{"<k>": 1}', r'{"\u003ck\u003e":1}', id="in-keys-too"),
        pytest.param('"\\/', r'"\"\\/"', r'"\"\\/"', r'"\"\\/"', id="quotes-and-backslashes"),
        pytest.param("\b\f\n\r\t", r'"\b\f\n\r\t"', r'"\b\f\n\r\t"', r'"\b\f\n\r\t"', id="short-escapes"),
        pytest.param("\x00\x1f", r'"\u0000\u001f"', r'"\u0000\u001f"', r'"\u0000\u001f"', id="controls"),
        pytest.param("\x7f\x85", '"\x7f\x85"', '"\x7f\x85"', '"\x7f\x85"', id="controls-that-json-leaves-alone"),
        pytest.param("a\ud800b", r'"a\ud800b"', r'"a\ud800b"', r'"a\ufffdb"', id="a-lone-surrogate"),
        pytest.param({"\udfff": 1.0}, r'{"\udfff":1}', r'{"\udfff": 1.0}', r'{"\ufffd":1}', id="one-in-a-key"),
        pytest.param("\ud83d\ude00\ude00", '"😀\\ude00"', '"😀\\ude00"', '"😀\\ufffd"', id="two-halves-are-one"),
        pytest.param(1.0, "1", "1.0", "1", id="a-whole-number"),
        pytest.param(-0.0, "0", "-0.0", "-0", id="minus-zero"),
        pytest.param(0.0, "0", "0.0", "0", id="zero"),
        pytest.param(0.0012, "0.0012", "0.0012", "0.0012", id="a-cost"),
        pytest.param(-2.5, "-2.5", "-2.5", "-2.5", id="a-negative-number"),
        pytest.param(1e16, "10000000000000000", "1e+16", "10000000000000000", id="python-goes-exponential-first"),
        pytest.param(123456789012345680000.0,
            "123456789012345680000", "1.2345678901234568e+20", "123456789012345680000", id="digits-then-zeros"),
        pytest.param(1e21, "1e+21", "1e+21", "1e+21", id="javascript-goes-exponential"),
        pytest.param(-1.5e300, "-1.5e+300", "-1.5e+300", "-1.5e+300", id="a-large-number"),
        pytest.param(1e-5, "0.00001", "1e-05", "0.00001", id="a-small-number"),
        pytest.param(1.5e-6, "0.0000015", "1.5e-06", "0.0000015", id="the-smallest-in-decimals"),
        pytest.param(1e-7, "1e-7", "1e-07", "1e-7", id="no-leading-zero-in-exponents"),
        pytest.param(5e-324, "5e-324", "5e-324", "5e-324", id="the-smallest-of-all"),
        pytest.param(2**63, "9223372036854775808", "9223372036854775808", "9223372036854775808", id="a-large-int"),
        pytest.param([1.0, {"a": (2,)}], '[1,{"a":[2]}]', '[1.0, {"a": [2]}]', '[1,{"a":[2]}]', id="nested"),
    ],
)  # fmt: skip
def test_values_are_spelled(value: Any, compact: str, spaced: str, go: str) -> None:
    assert (COMPACT.dumps(value), SPACED.dumps(value), GO.dumps(value)) == (compact, spaced, go)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_javascript_writes_null_for_nan_and_the_others_refuse_it(value: float) -> None:
    """E13."""
    assert COMPACT.dumps({"a": [value]}) == '{"a":[null]}'
    assert pretty(value) == "null"
    for profile in (SPACED, GO):
        with pytest.raises(
            InvalidItem, match=f"JSON has no {value!r}: yield None, a str, or a finite number"
        ):
            profile.dumps({"a": [value]})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({}, "{}"),
        ([], "[]"),
        ("a\nb", r'"a\nb"'),
        ({"error": "no", "n": 1.0}, '{\n  "error": "no",\n  "n": 1\n}'),
        ([[], {"a": {}}], '[\n  [],\n  {\n    "a": {}\n  }\n]'),
        ({"a": "\ud800"}, '{\n  "a": "\\ud800"\n}'),
    ],
)
def test_pretty_indents_by_two(value: Any, expected: str) -> None:
    assert pretty(value) == expected


# --- Values that are made plain first.


class Color(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class Point(msgspec.Struct):
    x: int
    when: dt.date | None = None


@dataclasses.dataclass
class Note:
    text: str
    tags: tuple[str, ...] = ()


class Model:
    """What pydantic's models look like from outside."""

    def model_dump(self, *, mode: str) -> dict[str, str]:
        return {"mode": mode}


class Whole(int):
    pass


class Real(float):
    pass


class Words(str):
    __slots__ = ()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(Point(1), '{"x":1,"when":null}', id="a-struct"),
        pytest.param(Point(1, dt.date(2025, 1, 6)), '{"x":1,"when":"2025-01-06"}', id="a-date"),
        pytest.param(Note("a", ("b",)), '{"text":"a","tags":["b"]}', id="a-dataclass"),
        pytest.param(dt.datetime(2025, 1, 6, 12, tzinfo=dt.UTC), '"2025-01-06T12:00:00Z"', id="a-datetime"),
        pytest.param(dt.timedelta(seconds=1.5), '"PT1.5S"', id="a-timedelta"),
        pytest.param({"a": Color.RED, "b": Level.HIGH}, '{"a":"red","b":3}', id="enums"),
        pytest.param({Color.RED: 1}, '{"red":1}', id="an-enum-as-a-key"),
        pytest.param(uuid.UUID(int=1), '"00000000-0000-0000-0000-000000000001"', id="a-uuid"),
        pytest.param(decimal.Decimal("1.50"), '"1.50"', id="a-decimal-keeps-its-digits-as-a-str"),
        pytest.param({"a": {1}}, '{"a":[1]}', id="a-set"),
        pytest.param(b"hi", '"aGk="', id="bytes-are-base64"),
        pytest.param({"m": Model()}, '{"m":{"mode":"json"}}', id="a-model-inside"),
        pytest.param(types.MappingProxyType({"a": 1}), '{"a":1}', id="a-mapping"),
        pytest.param([Whole(7), Real(0.5), Real(2), Words("w")], '[7,0.5,2,"w"]', id="subclasses"),
        pytest.param({Words("k"): 1}, '{"k":1}', id="a-subclass-as-a-key"),
    ],
)
def test_values_are_made_plain_as_msgspec_does(value: Any, expected: str) -> None:
    assert COMPACT.dumps(value) == expected
    for profile in PROFILES.values():
        assert json.loads(profile.dumps(value)) == json.loads(expected)


# --- What has no JSON.


def nested(depth: int, make: Any = lambda inner: [inner]) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = make(value)
    return value


CYCLE: list[Any] = [1]
CYCLE.append({"again": CYCLE})


class Broken:
    def model_dump(self, *, mode: str) -> dict[str, str]:
        raise OSError("the database is gone")


@each_profile
@pytest.mark.parametrize(
    ("value", "message"),
    [
        pytest.param(CYCLE, "contains itself, or is nested more than 500 deep", id="a-cycle"),
        pytest.param(nested(1000), "nested more than 500 deep.*yield a flatter one", id="arrays-1000-deep"),
        pytest.param(nested(1000, lambda a: {"a": a}), "nested more than 500 deep", id="objects-1000-deep"),
        pytest.param(nested(100_000), "nested more than 500 deep", id="arrays-100000-deep"),
        pytest.param(nested(501), "nested more than 500 deep", id="one-too-deep"),
        pytest.param(nested(501, lambda a: [a, 1.0]), "nested more than 500 deep", id="one-too-deep-with-floats"),
        pytest.param({1: "a"}, r"a key of a JSON object must be a str, got 1 \(int\): write str", id="int-key"),
        pytest.param({"a": [{None: 1}]}, r"got None \(NoneType\)", id="a-key-that-is-none"),
        pytest.param({"a": 1, True: 2}, r"got True \(bool\)", id="a-key-that-is-a-bool"),
        pytest.param({(1, 2): 3}, r"got \(1, 2\) \(tuple\)", id="a-key-that-is-a-tuple"),
        pytest.param({1.5: 3}, r"got 1.5 \(float\)", id="a-key-that-is-a-float"),
        pytest.param(10**5000, r"an int of 16610 bits has too many digits: .*yield it as a str", id="a-huge-int"),
        pytest.param({"a": [-(10**5000), 1.0]}, "an int of 16610 bits", id="a-huge-int-inside"),
        pytest.param(object(), "a object has no JSON: yield a dict", id="an-object"),
        pytest.param({"a": [print]}, "a builtin_function_or_method has no JSON", id="a-function"),
        pytest.param(Model, "a type has no JSON", id="a-class"),
        pytest.param(1j, "a complex has no JSON", id="a-complex-number"),
        pytest.param({"a": Broken()}, "dict has no JSON: the database is gone", id="a-value-whose-own-code-fails"),
    ],
)  # fmt: skip
def test_what_has_no_json_is_refused(profile: JSONProfile, value: Any, message: str) -> None:
    """E13."""
    with pytest.raises(InvalidItem, match=message):
        profile.dumps(value)


@each_profile
@pytest.mark.parametrize(
    "make", [lambda a: [a], lambda a: {"a": a}, lambda a: (a,)], ids=["list", "dict", "tuple"]
)
def test_nesting_of_500_is_spelled(profile: JSONProfile, make: Any) -> None:
    text = profile.dumps(nested(500, make))
    assert text.count("[") + text.count("{") == 500


@each_profile
def test_a_stack_that_is_nearly_full_is_no_crash(profile: JSONProfile) -> None:
    """E13."""
    value = nested(400)
    outcomes = set()

    def descend(levels: int) -> None:
        if levels:
            descend(levels - 1)
            return
        try:
            profile.dumps(value)
            outcomes.add("spelled")
        except InvalidItem:
            outcomes.add("refused")

    frame, used = sys._getframe(), 0
    while frame is not None:
        frame, used = frame.f_back, used + 1  # type: ignore[assignment]  # the loop ends at None
    for free in (60, 200, 300, 390, 450, 550):
        descend(sys.getrecursionlimit() - used - free)
    assert "refused" in outcomes
    assert outcomes <= {"refused", "spelled"}


# --- The quick way and the slow way say the same.

texts = st.one_of(
    st.text(max_size=5),
    st.text(alphabet=st.sampled_from('\x00\x08\x0c\n\r\t\x1f\x7f"\\/<>&é\u2028\u2029\ufeff\ufffd\ud83d\ude00\U0001f600')),
)  # fmt: skip
floats = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False), st.integers(-300, 300).map(lambda e: 10.0**e)
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), floats, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=12,
)


def as_read(value: Any, lone: str) -> Any:
    """What a reader makes of a value: text is UTF-16, where halves side by side are one; a number is a float."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", lone)
    if isinstance(value, dict):
        return {as_read(key, lone): as_read(member, lone) for key, member in value.items()}
    if isinstance(value, list):
        return [as_read(member, lone) for member in value]
    return float(value) if type(value) is int else value


@given(values)
def test_what_was_spelled_reads_back_as_it_was(value: Any) -> None:
    for profile in PROFILES.values():
        text = profile.dumps(value)
        text.encode()
        assert "\r" not in text
        assert "\n" not in text or profile.indent is not None
        lone = "replace" if profile.surrogates == "replace" else "surrogatepass"
        assert as_read(json.loads(text), lone) == as_read(value, lone)


@given(values)
def test_the_encoders_in_c_and_the_speller_agree(value: Any) -> None:
    for profile in PROFILES.values():
        slow = Speller(profile).spell(value)
        # What differs is what happens to the whole text afterwards; neither has these.
        if slow.isascii() and not set("<>&") & set(slow):
            assert profile.dumps(value) == slow


@given(st.recursive(values, lambda inner: st.tuples(inner, inner)))
def test_what_is_made_plain_first_is_spelled_as_the_speller_does(value: Any) -> None:
    for profile in PROFILES.values():
        slow = Speller(profile).spell(value)
        if slow.isascii() and not set("<>&") & set(slow):
            assert profile.dumps(value) == slow


@given(values)
def test_spaced_is_what_python_writes(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False)
    if not any("\ud800" <= character <= "\udfff" for character in text):
        assert SPACED.dumps(value) == text


@given(values)
def test_go_has_no_html_and_sorted_keys(value: Any) -> None:
    text = GO.dumps(value)
    assert not set("<>&\u2028\u2029") & set(text)
    # Keys are sorted as they were, before what is no Unicode in them is replaced.
    for keys in all_keys(json.loads(text)) if r"\ufffd" not in text else []:
        assert keys == sorted(keys)


def all_keys(value: Any) -> list[list[str]]:
    if isinstance(value, dict):
        return [list(value), *(keys for member in value.values() for keys in all_keys(member))]
    return [keys for member in value for keys in all_keys(member)] if isinstance(value, list) else []


@pytest.mark.skipif(shutil.which("node") is None, reason="no node to ask what JSON.stringify writes")
def test_compact_is_what_javascript_writes() -> None:
    mantissas = (1.0, 1.5, 9.999999999999999, 1.2345678901234567, 0.30000000000000004, 2.0**-30)
    numbers = [sign * m * 10.0**e for e in range(-320, 308, 3) for m in mantissas for sign in (1, -1)]
    numbers += [m * 10.0**e for e in range(-10, 25) for m in mantissas] + [
        0.0,
        -0.0,
        2.0**53,
        2.0**63,
        1.7e308,
    ]
    units = [*range(0x28), 0x5C, 0x7F, 0x80, 0x2028, 0x2029, 0xFEFF, 0xFFFF, 0xD83D, 0xDE00]
    strings = [[a, b] for a in units for b in (0x20, 0xD83D, 0xDE00)]
    script = """
        const [numbers, strings] = JSON.parse(require('fs').readFileSync(0));
        for (const n of numbers) console.log(JSON.stringify(Number(n)));
        for (const units of strings) console.log(JSON.stringify(String.fromCharCode(...units)));
    """
    asked = json.dumps([[repr(number) for number in numbers], strings])
    answer = subprocess.run(["node", "-e", script], input=asked.encode(), capture_output=True, check=True)
    ours = [COMPACT.dumps(number) for number in numbers]
    ours += [COMPACT.dumps("".join(map(chr, string))) for string in strings]
    assert ours == answer.stdout.decode().split("\n")[:-1]


class Shade(enum.StrEnum):
    RED = "red"


class Size(enum.IntEnum):
    SMALL = 1


class Name(str):
    pass


class Count(int):
    pass


odd = st.recursive(
    values
    | st.sampled_from(
        [
            Shade.RED,
            Size.SMALL,
            Name("n"),
            Count(3),
            b"bytes",
            decimal.Decimal("1.0"),
            float("nan"),
            1e16,
            1e-7,
        ]
    )
    | st.sampled_from(
        [frozenset({1}), frozenset({0.5}), dt.date(2026, 11, 21), collections.OrderedDict(b=1), ["1.0e-5"]]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", Name("b"), 1, None]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(odd)
def test_what_is_spelled_at_once_is_spelled_as_the_long_way_does(value: Any) -> None:
    at_once = outcome(COMPACT, value)
    with mock.patch("sseware.dialects._json._validate", side_effect=TypeError):
        assert outcome(COMPACT, value) == at_once


@pytest.mark.parametrize("value", [{"a": [1, 0.5, None, True, "x"]}, [{"a": {"b": ["c"]}}]])
def test_usual_data_are_spelled_at_once(value: Any) -> None:
    with mock.patch("sseware.dialects._json.is_easy", side_effect=AssertionError):
        assert json.loads(COMPACT.dumps(value)) == value


def outcome(profile: JSONProfile, value: Any) -> object:
    try:
        return profile.dumps(value)
    except InvalidItem:
        return InvalidItem
