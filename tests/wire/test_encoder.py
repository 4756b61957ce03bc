"""The encoder: what it writes, what it refuses, and what nobody talks it into."""

from __future__ import annotations

import copy
import itertools
import pickle
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sseware.errors import EventTooLarge, InvalidEvent
from sseware.events import MAX_RETRY, Comment, NamedEvent, ReceivedEvent, ServerSentEvent
from sseware.wire import EventStreamParser, encode, encode_comment, encode_within
from sseware.wire import _encoder as module


def forged(**fields: Any) -> ServerSentEvent:
    """An event whose fields were changed after it was checked."""
    event = ServerSentEvent()
    for name, value in fields.items():
        msgspec.structs.force_setattr(event, name, value)
    return event


def read(chunk: bytes) -> list[ServerSentEvent]:
    return EventStreamParser().feed(chunk)


@pytest.mark.parametrize(
    ("event", "wire"),
    [
        pytest.param(ServerSentEvent(), b"data: \n\n", id="nothing-is-an-event-with-empty-data"),
        pytest.param(ServerSentEvent("a"), b"data: a\n\n", id="data"),
        pytest.param(ServerSentEvent("a", event="x"), b"event: x\ndata: a\n\n", id="a-type"),
        pytest.param(
            ServerSentEvent("a", event="message"), b"data: a\n\n", id="the-default-type-is-not-written"
        ),
        pytest.param(
            ServerSentEvent("a\nb", event="x", id="7", retry=5),
            b"id: 7\nevent: x\ndata: a\ndata: b\nretry: 5\n\n",
            id="the-order-of-fields",
        ),
        pytest.param(ServerSentEvent("a", id=""), b"id: \ndata: a\n\n", id="an-empty-id-resets"),
        pytest.param(ServerSentEvent("a", retry=0), b"data: a\nretry: 0\n\n", id="a-retry-of-zero"),
        pytest.param(ServerSentEvent("é\U0001f600"), "data: é\U0001f600\n\n".encode(), id="utf-8"),
    ],
)
def test_writes(event: ServerSentEvent, wire: bytes) -> None:
    assert encode(event) == wire
    assert encode(event) == wire  # from a head that is known by now
    (got,) = read(wire)
    assert got == ServerSentEvent(event.data, event=event.event, id=event.id, retry=event.retry)


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        pytest.param("a\r\nb\rc\nd", [b"a", b"b", b"c", b"d"], id="crlf-cr-and-lf"),
        pytest.param("\n", [b"", b""], id="only-a-newline"),
        pytest.param("a\n", [b"a", b""], id="a-trailing-newline"),
        pytest.param("a\n\r\n\n", [b"a", b"", b"", b""], id="trailing-newlines"),
        pytest.param("\r\r\n", [b"", b"", b""], id="cr-and-crlf"),
        pytest.param("a\ndata: b\n\nevent: c", [b"a", b"data: b", b"", b"event: c"], id="forged-fields"),
    ],
)
def test_data_are_written_one_field_a_line(data: str, lines: list[bytes]) -> None:
    """E5."""
    assert encode(ServerSentEvent(data)) == b"".join(b"data: " + line + b"\n" for line in lines) + b"\n"


LOOKALIKES = "\x0b\x0c\x1c\x1d\x1e\x1f\x85\u2028\u2029"


@pytest.mark.parametrize("character", LOOKALIKES)
def test_what_looks_like_a_line_end_is_none(character: str) -> None:
    """E6."""
    text = f"a{character}b"
    assert encode(ServerSentEvent(text, event=text)) == f"event: {text}\ndata: {text}\n\n".encode()
    assert encode_comment(text) == f": {text}\n\n".encode()


@pytest.mark.parametrize("value", [" a", "  a ", ":a", ": a", "\ufeffa", "\ta", "a\x00b", "a "])
def test_odd_values_survive(value: str) -> None:
    """E9."""
    (got,) = read(encode(ServerSentEvent(value, event=value)))
    assert (got.data, got.event) == (value, value)


@given(st.text(st.sampled_from("\r\n: a\x85\u2028\ufeffdt") | st.characters(exclude_categories=["Cs"])))
def test_data_come_back_but_for_the_kind_of_line_end(data: str) -> None:
    """E5."""
    wire = encode(ServerSentEvent(data))
    (got,) = read(wire)
    assert got.data == data.replace("\r\n", "\n").replace("\r", "\n")
    assert b"\r" not in wire


@given(st.text())
def test_any_text_makes_one_event_and_never_an_error(data: str) -> None:
    """E5, E8."""
    assert len(read(encode(ServerSentEvent(data, event="x", id="7")))) == 1


@pytest.mark.parametrize("data", ["a\ud800b", "\udfff", "\ud83d\ude00", "a\nb\udc00"])
def test_lone_surrogates_in_data_are_replaced_and_the_stream_lives(data: str) -> None:
    """E8."""
    for _ in range(2):
        (got,) = read(encode(ServerSentEvent(data, event="x")))
        assert got.data == "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in data)


@pytest.mark.parametrize("line_end", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("field", ["event", "id"])
def test_a_line_end_in_a_type_or_an_id_is_refused_even_where_it_is_forged(field: str, line_end: str) -> None:
    """E1, E2."""
    make: Any = ServerSentEvent
    for value in (f"a{line_end}b", f"a{line_end}", line_end, f"x{line_end}data: forged{line_end}{line_end}"):
        with pytest.raises(InvalidEvent, match=rf"^{field} must be"):
            make("a", **{field: value})
        with pytest.raises(InvalidEvent, match=rf"^{field} must be"):
            encode(forged(**{field: value}))


CONTROLS = [*range(0x20), *range(0x7F, 0xA0)]


@pytest.mark.parametrize("code", CONTROLS)
def test_a_control_character_in_an_id_is_refused_even_where_it_is_forged(code: int) -> None:
    """E7, E2."""
    with pytest.raises(InvalidEvent, match=r"^id must be a str without control characters"):
        encode(forged(id=f"a{chr(code)}b"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("event", "", id="an-empty-type"),
        pytest.param("event", None, id="no-type"),
        pytest.param("event", b"x", id="a-type-of-bytes"),
        pytest.param("event", ["x"], id="a-type-without-a-hash"),
        pytest.param("event", "a\ud800", id="a-surrogate-in-a-type"),
        pytest.param("id", 7, id="an-id-of-int"),
        pytest.param("id", "a\ud800", id="a-surrogate-in-an-id"),
        pytest.param("data", None, id="no-data"),
        pytest.param("data", b"a", id="data-of-bytes"),
        pytest.param("data", {"a": 1}, id="data-of-dict"),
        pytest.param("retry", True, id="a-retry-of-bool"),
        pytest.param("retry", -1, id="a-negative-retry"),
        pytest.param("retry", "5", id="a-retry-of-str"),
        pytest.param("retry", 1.0, id="a-retry-of-float"),
        pytest.param("retry", float("nan"), id="a-retry-of-nan"),
        pytest.param("retry", MAX_RETRY + 1, id="a-retry-that-is-too-large"),
        pytest.param("retry", 10**30, id="a-retry-that-is-much-too-large"),
    ],
)
def test_a_forged_value_is_refused(field: str, value: object) -> None:
    """E1, E2, E4."""
    with pytest.raises(InvalidEvent) as caught:
        encode(forged(**{field: value}))
    assert caught.value.field == field


def test_an_event_that_was_changed_by_force_is_checked_again() -> None:
    """E10."""
    event = ServerSentEvent("a", event="x")
    assert encode(event) == b"event: x\ndata: a\n\n"
    try:
        object.__setattr__(event, "event", "y\ndata: forged")
    except TypeError:  # CPython 3.11 and 3.12 refuse; 3.13 does it
        msgspec.structs.force_setattr(event, "event", "y\ndata: forged")
    with pytest.raises(InvalidEvent):
        encode(event)


def test_an_event_has_no_dict_to_write_into() -> None:
    """E10."""
    assert not hasattr(ServerSentEvent(), "__dict__")


def test_a_copy_and_a_pickle_of_a_forged_event_are_refused_or_checked_again() -> None:
    """E10."""
    event = forged(event="y\ndata: forged")
    with pytest.raises(InvalidEvent):
        encode(copy.copy(event))
    with pytest.raises(InvalidEvent):
        encode(pickle.loads(pickle.dumps(event)))
    with pytest.raises(InvalidEvent):
        encode(msgspec.structs.replace(ServerSentEvent("a"), event="y\ndata: forged"))


@pytest.mark.parametrize(
    "event",
    [
        ReceivedEvent("a", id="7\x01"),
        ReceivedEvent("a", id="7\x7f", event="x"),
        ReceivedEvent("a", event="a\nb"),
        ReceivedEvent("a", event=""),
    ],
)
def test_a_received_event_is_checked_before_it_is_written(event: ReceivedEvent) -> None:
    """E7, E10."""
    with pytest.raises(InvalidEvent):
        encode(event)


def test_a_received_event_is_written_as_any_other() -> None:
    (got,) = read(b"id: 7\nevent: x\ndata: a\nretry: 5\n\n")
    assert encode(got) == b"id: 7\nevent: x\ndata: a\nretry: 5\n\n"


@pytest.mark.parametrize("value", [None, "data: a\n\n", b"data: a\n\n", {"data": "a"}, object()])
def test_what_is_no_event_is_refused(value: object) -> None:
    """E11."""
    with pytest.raises(InvalidEvent, match="must be a ServerSentEvent"):
        encode(value)  # type: ignore[arg-type]  # that is the test


FORGED = "evil\ndata: forged\n\n"
LIES: dict[str, object] = {
    **dict.fromkeys(
        ("__str__", "__repr__", "__format__", "__add__", "__radd__", "__mod__"), lambda *_: FORGED
    ),
    **dict.fromkeys(("replace", "translate", "join", "removesuffix"), lambda *_: FORGED),
    **dict.fromkeys(("split", "splitlines", "partition"), lambda *_: [FORGED]),
    **dict.fromkeys(("isprintable", "isascii", "__eq__", "__bool__"), lambda *_: True),
    "encode": lambda *_: FORGED.encode(),
    "__contains__": lambda *_: False,
    "__hash__": lambda _: hash("message"),
    "__len__": lambda _: 1,
}
Liar: type[str] = type("Liar", (str,), LIES)
"""A str whose every method says something else than what it is."""


class Bomb(str):
    """A str that cannot be looked up."""

    __slots__ = ()

    def __hash__(self) -> int:
        raise RuntimeError("boom")


@pytest.mark.parametrize("make", [lambda **fields: forged(**fields), ServerSentEvent], ids=["forged", "made"])
def test_a_str_that_changes_its_mind_is_written_as_what_it_is(make: type[ServerSentEvent]) -> None:
    """E10."""
    assert encode(make(data=Liar("a\rb"))) == b"data: a\ndata: b\n\n"
    assert encode(make(id=Liar("7"))) == b"id: 7\ndata: \n\n"
    wire = encode(make(event=Liar("x")))
    # It compares as a type that is known, so that it may be written as that one; never as what it says.
    assert wire in {b"event: x\ndata: \n\n", b"data: \n\n"}
    assert encode(make(event=Bomb("x"))) == b"event: x\ndata: \n\n"


def test_a_str_that_hides_a_line_end_is_refused() -> None:
    """E1, E10."""
    for field in ("id", "event"):
        event = forged(**{field: Liar("a\nb")})
        try:
            wire = encode(event)
        except InvalidEvent:
            continue
        assert wire == b"data: \n\n"
    with pytest.raises(InvalidEvent):
        encode(forged(id=Liar("a\nb")))
    with pytest.raises(InvalidEvent):
        encode(forged(event=Bomb("a\nb")))


@pytest.mark.parametrize("kind", [ServerSentEvent, NamedEvent])
@pytest.mark.parametrize("reads", [*itertools.product(range(3), repeat=3)], ids=str)
def test_of_an_event_that_changes_its_mind_what_was_checked_is_written(
    kind: type[ServerSentEvent], reads: tuple[int, ...]
) -> None:
    """E10: it is harmless as often as it likes, and then it is not."""
    left = dict[str, int]()

    class Fickle(kind, frozen=True):  # type: ignore[call-arg, misc, valid-type]  # it is one of the two
        def __getattribute__(self, name: str) -> Any:
            if left.get(name):
                left[name] -= 1
                return None if name == "id" else "fine"
            return super().__getattribute__(name)

    encode(kind("", event="fine"))  # a type that is known
    event = Fickle()
    for name, count in zip(("id", "event", "data"), reads, strict=True):
        msgspec.structs.force_setattr(event, name, "evil\r\rdata: forged")
        left[name] = count
    try:
        wire = encode(event)
    except InvalidEvent:
        assert min(reads) < 2, "it was harmless in every look"
        return
    assert wire in {
        b"event: fine\ndata: fine\n\n",
        b"event: fine\ndata: evil\ndata: \ndata: data: forged\n\n",
    }


def test_an_event_with_as_many_bytes_as_the_limit_is_written_and_one_more_is_refused() -> None:
    """E14."""
    event = ServerSentEvent("é" * 10, event="x")
    size = len(encode(event))
    assert encode_within(event, size) == encode_within(event, None) == encode(event)
    with pytest.raises(EventTooLarge) as caught:
        encode_within(event, size - 1)
    assert (caught.value.limit, caught.value.size) == (size - 1, size)
    many_lines = ServerSentEvent("\n" * 10)
    assert len(encode_within(many_lines, 78)) == 78
    with pytest.raises(EventTooLarge):
        encode_within(many_lines, 77)


def test_the_default_limit_is_sixteen_mebibytes() -> None:
    """E14."""
    limit = 16 * 2**20
    assert len(encode(ServerSentEvent("x" * (limit - 8)))) == limit
    with pytest.raises(EventTooLarge):
        encode(ServerSentEvent("x" * (limit - 7)))


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        pytest.param("ping", b": ping\n\n", id="one-line"),
        pytest.param("", b": \n\n", id="nothing"),
        pytest.param("a\r\nb\rc\n", b": a\n: b\n: c\n: \n\n", id="one-colon-a-line"),
        pytest.param("a\n\ndata: forged\n\n", b": a\n: \n: data: forged\n: \n: \n\n", id="a-forged-event"),
        pytest.param("a\ud800", ": a\ufffd\n\n".encode(), id="a-lone-surrogate"),
        pytest.param(Liar("a\nb"), b": a\n: b\n\n", id="a-str-that-changes-its-mind"),
    ],
)
def test_a_comment_has_a_colon_on_each_line(text: str, wire: bytes) -> None:
    """E3."""
    assert encode_comment(text) == wire
    assert read(wire) == []


@pytest.mark.parametrize("text", [None, b"ping", 5])
def test_a_comment_that_is_no_text_is_refused(text: object) -> None:
    with pytest.raises(InvalidEvent, match=r"^comment must be a str"):
        encode_comment(text)  # type: ignore[arg-type]  # that is the test


@pytest.mark.parametrize("kind", [ServerSentEvent, NamedEvent, ReceivedEvent])
def test_heads_are_kept_for_a_bounded_number_of_short_types(kind: type[ServerSentEvent]) -> None:
    for i in range(1000):
        assert encode(kind("a", event=f"type-{i}")) == b"event: type-%d\ndata: a\n\n" % i
    heads = module._heads_of[kind]
    assert 0 < len(heads) <= 256
    long = "x" * 1000
    assert encode(kind("a", event=long)) == f"event: {long}\ndata: a\n\n".encode()
    assert all(len(type_) < 100 for type_ in heads)


@pytest.mark.parametrize("again", ["first", "second"])
def test_a_named_event_keeps_its_name_and_no_other_takes_it_on(again: str) -> None:
    assert encode(NamedEvent("a")) == b"event: message\ndata: a\n\n", again
    for kind in (ServerSentEvent, ReceivedEvent):
        assert encode(kind("a")) == b"data: a\n\n"
        assert encode(kind("a", event="x")) == encode(NamedEvent("a", event="x")) == b"event: x\ndata: a\n\n"


def test_a_comment_is_written_as_one() -> None:
    assert encode(Comment("a\ndata: b")) == encode_comment("a\ndata: b")
    with pytest.raises(InvalidEvent, match=r"^comment must be a str"):
        encode(Comment(5))  # type: ignore[arg-type]  # that is the test
