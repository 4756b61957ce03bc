"""The laws of encoders: what is written comes out of a parser as it went in, and nothing else does."""

from __future__ import annotations

from typing import Final

from .._reference import ReferenceResult, reference_parse
from ..errors import LawSkipped
from ._encoder_examples import (
    FORGERIES,
    NO_RETRIES,
    TEXTS,
    UNWRITABLE,
    WRITABLE,
    hostile_data,
    hostile_fields,
    hostile_names,
    valid_fields,
)
from ._encoder_run import Encode, Fields, as_read, between, expressible, must_write, only_event, write
from ._law import MUST, SHOULD, Broken, law

__all__ = ["ENCODER_LAWS"]

_PARSING: Final = "WHATWG HTML 9.2.5"
_INTERPRETING: Final = "WHATWG HTML 9.2.6"


@law(
    "encoder/one-frame",
    MUST,
    "One event is one frame: nothing in a field makes another field or event. It may be refused.",
    "WHATWG HTML 9.2.5; FAULTS E1-E3",
    needs=("hypothesis",),
    examples=lambda: FORGERIES,
    random=hostile_fields,
    max_examples=100,
)
def _one_frame(encode: Encode, fields: Fields) -> None:
    fields = expressible(encode, fields)
    try:
        frame = write(encode, fields)
    except Exception:
        return  # refused
    event, after = only_event(frame), between(frame)
    leaked = [
        name
        for name, changed in (
            ("data", as_read(event.data) != as_read(fields["data"])),
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
    examples=lambda: [{"data": text} for text in TEXTS],
    random=hostile_data,
    max_examples=100,
)
def _data(encode: Encode, fields: Fields) -> None:
    frame = must_write(encode, fields)
    event = only_event(frame)
    if event.data != as_read(fields["data"]):
        raise Broken("the data were changed", wrote=repr(frame), got=repr(event.data))


@law(
    "encoder/no-rewriting",
    MUST,
    "What cannot be written is refused, and never changed in silence: an id without its line end is another id.",
    "FAULTS E1, E2, E7",
    needs=("hypothesis",),
    examples=lambda: UNWRITABLE,
    random=hostile_names,
    max_examples=100,
)
def _no_rewriting(encode: Encode, fields: Fields) -> None:
    fields = expressible(encode, fields)
    try:
        frame = write(encode, fields)
    except Exception:
        return  # refused
    result = between(frame)
    if len(result.events) != 3:
        return  # another law tells that
    _compare_fields(fields, frame, result)


@law(
    "encoder/retry",
    SHOULD,
    "A retry that is no whole number of milliseconds is refused: clients ignore what they cannot read.",
    "WHATWG HTML 9.2.6; FAULTS E4",
    examples=lambda: [{"data": "x", "retry": retry} for retry in NO_RETRIES],
)
def _retry(encode: Encode, fields: Fields) -> None:
    if "retry" not in expressible(encode, fields):
        raise LawSkipped("the encoder has no parameter 'retry'")
    try:
        frame = write(encode, fields)
    except Exception:
        return  # refused
    raise Broken(f"{fields['retry']!r} was taken for a number of milliseconds", wrote=repr(frame[:100]))


@law(
    "encoder/fields",
    MUST,
    "Type, id and retry survive, also those that are empty or zero; what was not given is not written.",
    _INTERPRETING,
    needs=("hypothesis",),
    examples=lambda: WRITABLE,
    random=valid_fields,
    max_examples=100,
)
def _fields(encode: Encode, fields: Fields) -> None:
    fields = expressible(encode, fields)
    frame = must_write(encode, fields)
    only_event(frame)
    _compare_fields(fields, frame, between(frame))


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
    fields = expressible(encode, fields)
    frame = must_write(encode, fields)
    if len(between(frame).events) != 3:
        raise Broken("an event whose data are empty is lost: a client does not see it", wrote=repr(frame))


@law(
    "encoder/complete",
    MUST,
    "A frame ends with a blank line, so that its event is due at once and ends before the next begins.",
    _PARSING,
    examples=lambda: [{"data": "x"}, {"data": "x\n"}, {"data": "x", "event": "a", "id": "1", "retry": 5}],
)
def _complete(encode: Encode, fields: Fields) -> None:
    frame = must_write(encode, expressible(encode, fields))
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
    frame = must_write(encode, fields)
    event = only_event(frame)
    if event.data != as_read(fields["data"]):
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
