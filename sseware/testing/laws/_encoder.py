"""The laws of encoders: what is written comes out of a parser as it went in, and nothing else does."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from ...events import ReceivedEvent
from .._reference import ReferenceEvent, ReferenceResult, reference_parse
from ..errors import LawSkipped
from ._law import MUST, SHOULD, Broken, law

__all__ = ["ENCODER_LAWS", "Encode", "Fields"]

Encode: TypeAlias = Callable[..., Any]
"""Takes an event, or its fields by name where it has a parameter ``data``; returns bytes or text, or raises."""

Fields: TypeAlias = dict[str, Any]
"""``data``, and maybe ``event``, ``id`` and ``retry``."""

_PARSING: Final = "WHATWG HTML 9.2.5"
_INTERPRETING: Final = "WHATWG HTML 9.2.6"


_FORGERIES: Final[tuple[Fields, ...]] = tuple(
    {**({} if name == "data" else {"data": "x"}), name: f"1{end}{more}"}
    for name in ("data", "event", "id", "retry")
    for end in ("\n", "\r", "\r\n")
    for more in ("data: forged", "id: 1", "retry: 1", f"{end}data: forged")
)
_UNWRITABLE: Final[tuple[Fields, ...]] = (
    *({"data": "x", name: f"a{end}b"} for name in ("event", "id") for end in ("\n", "\r", "\r\n")),
    {"data": "x", "id": "a\0b"},
)
_NO_RETRIES: Final = (-1, 2.5, float("nan"), True, "soon")
_TEXTS: Final = ("a\nb", "a\r\nb", "a\n", "a\u2028b", "a\x0cb", " a", ":a", "\ufeffa")
_WRITABLE: Final[tuple[Fields, ...]] = (
    {"data": "x", "event": "tick", "id": "7", "retry": 3000},
    {"data": "x", "id": ""},
    {"data": "x", "id": "0"},
    {"data": "x", "retry": 0},
    {"data": "x", "event": " a:b"},
)


def _fields_of(**strategies: Any) -> Any:
    from hypothesis import strategies as st

    # Empty data are the business of one law.
    data = strategies.pop("data").map(lambda text: text or "x")
    return st.fixed_dictionaries({"data": data}, optional=strategies)


def _hostile_fields() -> Any:
    from hypothesis import strategies as st

    from ..strategies import hostile_text

    texts = hostile_text(max_tokens=4)
    retries = st.sampled_from((3000, "5", "1\ndata: forged", "1\n\ndata: forged\n\n"))
    return _fields_of(data=texts, event=texts, id=texts, retry=retries)


def _hostile_names() -> Any:
    from hypothesis import strategies as st

    from ..strategies import hostile_text

    texts = hostile_text(max_tokens=3, surrogates=False)
    return _fields_of(data=st.just("x"), event=texts, id=texts)


def _hostile_data() -> Any:
    from ..strategies import hostile_text

    return _fields_of(data=hostile_text(surrogates=False))


def _valid_fields() -> Any:
    from hypothesis import strategies as st

    from ..strategies import event_ids, event_types, retry_values

    retries = retry_values(max_value=2**31 - 1)
    return _fields_of(data=st.just("x"), event=event_types(), id=event_ids(), retry=retries)


def _expressible(encode: Encode, fields: Fields) -> Fields:
    """Returns the fields that an encoder has parameters for; one that takes an event has all of them."""
    try:
        parameters = inspect.signature(encode).parameters
    except (TypeError, ValueError):
        return fields
    takes_any = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
    if takes_any or "data" not in parameters:
        return fields
    return {name: value for name, value in fields.items() if name in parameters}


def _by_name(encode: Encode) -> bool:
    try:
        parameters = inspect.signature(encode).parameters
    except (TypeError, ValueError):
        return False
    return "data" in parameters


def _write(encode: Encode, fields: Fields) -> bytes:
    """Returns what an encoder writes; whatever it raises is its refusal."""
    given: Any = encode(**fields) if _by_name(encode) else encode(ReceivedEvent(**fields))
    return given.encode() if isinstance(given, str) else bytes(given)


def _must_write(encode: Encode, fields: Fields) -> bytes:
    try:
        return _write(encode, fields)
    except Exception as error:
        raise Broken(f"the encoder raised {error!r}") from error


def _between(frame: bytes) -> ReferenceResult:
    """Reads a frame between two others."""
    return reference_parse(b"id: before\ndata: before\n\n" + frame + b"data: after\n\n")


def _only_event(frame: bytes) -> ReferenceEvent:
    """Returns the event of a frame, which must be one.

    Raises:
        Broken: It is none, or several.
    """
    events = _between(frame).events
    if len(events) != 3 or events[2].data != "after" or events[2].event != "message":
        told = [(each.event, each.data) for each in events[1:-1]]
        raise Broken(f"one event became {len(events) - 2}", wrote=repr(frame), got=told)
    return events[1]


def _as_read(data: str) -> str:
    """Returns what the wire keeps of a text: it knows one kind of line end, and no lone surrogates."""
    return re.sub("[\ud800-\udfff]", "\ufffd", re.sub("\r\n?", "\n", data))


@law(
    "encoder/one-frame",
    MUST,
    "One event is one frame: nothing in a field makes another field or event. It may be refused.",
    "WHATWG HTML 9.2.5; FAULTS E1-E3",
    needs=("hypothesis",),
    examples=lambda: _FORGERIES,
    random=_hostile_fields,
    max_examples=100,
)
def _one_frame(encode: Encode, fields: Fields) -> None:
    fields = _expressible(encode, fields)
    try:
        frame = _write(encode, fields)
    except Exception:
        return  # refused
    event, after = _only_event(frame), _between(frame)
    leaked = [
        name
        for name, changed in (
            ("data", _as_read(event.data) != _as_read(fields["data"])),
            ("event", "event" not in fields and event.event != "message"),
            ("id", "id" not in fields and event.last_event_id != "before"),
            ("retry", "retry" not in fields and after.reconnection_time is not None),
        )
        if changed
    ]
    if leaked:
        raise Broken(f"what stood in another field came into {' and '.join(leaked)}", wrote=repr(frame))


@law(
    "encoder/data",
    MUST,
    "Data survive, up to the kind of their line ends; no other character ends a line.",
    "WHATWG HTML 9.2.5; FAULTS E5, E6",
    needs=("hypothesis",),
    examples=lambda: [
        {"data": text} for text in ("a\nb", "a\r\nb", "a\n", "a\u2028b", "a\x0cb", " a", ":a", "\ufeffa")
    ],
    random=_hostile_data,
    max_examples=100,
)
def _data(encode: Encode, fields: Fields) -> None:
    frame = _must_write(encode, fields)
    event = _only_event(frame)
    if event.data != _as_read(fields["data"]):
        raise Broken("the data were changed", wrote=repr(frame), got=repr(event.data))


@law(
    "encoder/no-rewriting",
    MUST,
    "What cannot be written is refused, and never changed in silence: an id without its line end is another id.",
    "FAULTS E1, E2, E7",
    needs=("hypothesis",),
    examples=lambda: _UNWRITABLE,
    random=_hostile_names,
    max_examples=100,
)
def _no_rewriting(encode: Encode, fields: Fields) -> None:
    fields = _expressible(encode, fields)
    try:
        frame = _write(encode, fields)
    except Exception:
        return  # refused
    result = _between(frame)
    if len(result.events) != 3:
        return  # another law tells that
    _compare_fields(fields, frame, result)


@law(
    "encoder/retry",
    SHOULD,
    "A retry that is no whole number of milliseconds is refused: clients ignore what they cannot read.",
    "WHATWG HTML 9.2.6; FAULTS E4",
    examples=lambda: [{"data": "x", "retry": retry} for retry in _NO_RETRIES],
)
def _retry(encode: Encode, fields: Fields) -> None:
    if "retry" not in _expressible(encode, fields):
        raise LawSkipped("the encoder has no parameter 'retry'")
    try:
        frame = _write(encode, fields)
    except Exception:
        return  # refused
    raise Broken(f"{fields['retry']!r} was taken for a number of milliseconds", wrote=repr(frame[:100]))


@law(
    "encoder/fields",
    MUST,
    "Type, id and retry survive, also those that are empty or zero; what was not given is not written.",
    _INTERPRETING,
    needs=("hypothesis",),
    examples=lambda: _WRITABLE,
    random=_valid_fields,
    max_examples=100,
)
def _fields(encode: Encode, fields: Fields) -> None:
    fields = _expressible(encode, fields)
    frame = _must_write(encode, fields)
    _only_event(frame)
    _compare_fields(fields, frame, _between(frame))


def _compare_fields(fields: Fields, frame: bytes, result: ReferenceResult) -> None:
    event = result.events[1]
    got = {"event": event.event, "id": event.last_event_id, "retry": result.reconnection_time}
    want = {"event": fields.get("event") or "message", "id": fields.get("id", "before")}
    want["retry"] = fields.get("retry")
    for name, value in want.items():
        if got[name] != value:
            raise Broken(
                f"the {name} was changed in silence", wrote=repr(frame), got=repr(got[name]), want=repr(value)
            )


@law(
    "encoder/empty-data",
    MUST,
    "An event whose data are empty is dispatched: it has a data field.",
    _INTERPRETING,
    examples=lambda: [{"data": ""}, {"data": "", "event": "ping"}],
)
def _empty_data(encode: Encode, fields: Fields) -> None:
    fields = _expressible(encode, fields)
    frame = _must_write(encode, fields)
    if len(_between(frame).events) != 3:
        raise Broken("an event whose data are empty is lost: a client does not see it", wrote=repr(frame))


@law(
    "encoder/complete",
    MUST,
    "A frame ends with a blank line, so that its event is due at once and ends before the next begins.",
    _PARSING,
    examples=lambda: [{"data": "x"}, {"data": "x\n"}, {"data": "x", "event": "a", "id": "1", "retry": 5}],
)
def _complete(encode: Encode, fields: Fields) -> None:
    frame = _must_write(encode, _expressible(encode, fields))
    if len(reference_parse(frame).events) != 1:
        raise Broken("the event is not complete with its frame", wrote=repr(frame))


@law(
    "encoder/surrogates",
    SHOULD,
    "A lone surrogate in data becomes U+FFFD: half a character of a model must not end a stream.",
    "FAULTS E8",
    examples=lambda: [{"data": "a\ud800b"}, {"data": "\udfff"}],
)
def _surrogates(encode: Encode, fields: Fields) -> None:
    frame = _must_write(encode, fields)
    event = _only_event(frame)
    if event.data != _as_read(fields["data"]):
        raise Broken("a lone surrogate changed more than itself", wrote=repr(frame), got=repr(event.data))


ENCODER_LAWS: Final = (
    _one_frame,
    _data,
    _no_rewriting,
    _retry,
    _fields,
    _empty_data,
    _complete,
    _surrogates,
)
"""In the order in which they are told."""
